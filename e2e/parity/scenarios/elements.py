"""Links and forms that track themselves, test by test as the reference's own suite has them, with jQuery in the page.

The facts are those of ``track-link.test.ts`` and ``track-form.test.ts``; the scripts are our own. Forms are sent into a
frame, so that the page stays and can tell.
"""

from __future__ import annotations

from parity.story import Visit, behaviours

JQUERY = "<script src='/library/jquery.js'></script>"
FRAME = "<iframe name='frame' src='about:blank'></iframe>"
FORM = """const f = document.createElement('form'); f.target = 'frame'; f.action = '/blank'; f.id = 'f' + Math.random();
    f.innerHTML = '<input name=q value=1><input type=submit>'; document.body.append(f);
    const submit = f.querySelector('[type=submit]');
    const sent = async () => { for (let n = 0; n < 100; n++) { await after(20); try { if (frames[0].location.pathname === '/blank') break; } catch (error) { break; } } const was = frames[0].location.pathname + frames[0].location.search; frames[0].location.replace('about:blank'); await after(100); return was; };"""
LINK = "const a = document.createElement('a'); a.href = '#' + Math.random().toString(36).slice(2, 6); const own = a.hash; document.body.append(a); const followed = async () => { await after(400); return location.hash === own; };"
"""What each script begins with."""

NESTED = "const d = document.createElement('div'); d.innerHTML = '<div><a href=\"#nested\">n</a></div>'; document.body.append(d);"
SVG = "const w = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), s = document.createElementNS('http://www.w3.org/2000/svg', 'a'); w.append(s); document.body.append(w); const click = () => s.dispatchEvent(new Event('click', {bubbles: true, cancelable: true}));"


def with_form(script: str) -> str:
    """Return a script that has a form."""
    return FORM + script


def with_link(script: str) -> str:
    """Return a script that has a link."""
    return LINK + script


FORMS = {
    "options": with_form(
        "await analytics.trackForm(f, 'foo', {}, {context: {ip: '0.0.0.0'}}); submit.click(); return await sent()"
    ),
    "no form": with_form(
        "await analytics.trackForm(document.getElementById('none'), 'Signed Up', {plan: 'Premium'}); submit.click(); return await sent()"
    ),
    "a name alone": with_form("await analytics.trackForm(f, 'foo'); submit.click(); return await sent()"),
    "a text in place of a form": with_form(
        "const r = await outcome(analytics.trackForm('foo')); submit.click(); return [r[0], await sent()]"
    ),
    "properties": with_form(
        "await analytics.trackForm(f, 'event', {property: true}); submit.click(); return await sent()"
    ),
    "an event that is a function": with_form(
        "await analytics.trackForm(f, () => 'event', {foo: 'bar'}); submit.click(); return await sent()"
    ),
    "properties that are a function": with_form(
        "await analytics.trackForm(f, 'event', () => ({property: true})); submit.click(); return await sent()"
    ),
    "its own handler": with_form(
        "f.addEventListener('submit', () => { calls.push('own'); }); await analytics.trackForm(f, 'foo'); submit.click(); return [await sent(), calls]"
    ),
    "an array of forms": with_form("await analytics.trackForm([f], 'foo'); submit.click(); return await sent()"),
    "by its older name": with_form("await analytics.trackSubmit(f, 'foo'); submit.click(); return await sent()"),
}
WITH_JQUERY = {
    "jQuery's own handler": with_form(
        "jQuery(f).submit(() => { calls.push('own'); }); await analytics.trackForm(f, 'foo'); submit.click(); return [await sent(), calls]"
    ),
    "sent by jQuery": with_form(
        "await analytics.trackForm(f, 'by jQuery', {a: 1}); jQuery(f).submit(); return await sent()"
    ),
    "triggered by jQuery": with_form(
        "await analytics.trackForm(f, 'triggered'); jQuery(f).trigger('submit'); return await sent()"
    ),
    "sent by jQuery with jQuery's own handler": with_form(
        "jQuery(f).submit(() => { calls.push('own'); }); await analytics.trackForm(f, 'foo'); jQuery(f).submit(); return [await sent(), calls]"
    ),
    "sent by jQuery with the browser's own handler": with_form(
        "f.addEventListener('submit', () => { calls.push('own'); }); await analytics.trackForm(f, 'foo'); jQuery(f).submit(); return await sent()"
    ),
}
LINKS = {
    "options": with_link(
        "await analytics.trackLink(a, 'foo', {}, {context: {ip: '0.0.0.0'}}); a.click(); return await followed()"
    ),
    "an empty address": with_link(
        "a.setAttribute('href', ''); a.addEventListener('click', (e) => e.preventDefault()); await analytics.trackLink(a, 'foo'); const was = location.pathname; a.click(); await after(400); return location.pathname === was"
    ),
    "a link within": NESTED
    + "await analytics.trackLink(d, 'nested'); d.querySelector('a').click(); await after(400); return location.hash",
    "a name alone": with_link("await analytics.trackLink(a, 'foo'); a.click(); return await followed()"),
    "a call that fails": with_link(
        "const {track} = analytics; analytics.track = () => Promise.reject(new Error('boo!')); await analytics.trackLink(a, 'foo'); a.click(); analytics.track = track; return await followed()"
    ),
    "a destination that takes too long": with_link(
        "await analytics.register(made('Slow', 'destination', {track: (c) => after(900, c)})); await analytics.trackLink(a, 'slow'); a.click(); await after(700); return location.hash === own"
    ),
    "a jQuery object": with_link(
        "await analytics.trackLink(jQuery(a), 'jq', {a: 1}); a.click(); return await followed()"
    ),
    "a jQuery object of several": with_link(
        "const b = a.cloneNode(); document.body.append(b); await analytics.trackLink(jQuery([a, b]), 'several'); b.click(); return await followed()"
    ),
    "an empty jQuery object": "return await analytics.trackLink(jQuery('#none'), 'none') === analytics",
    "the same link twice": with_link("await analytics.trackLink([a, a], 'twice'); a.click(); return await followed()"),
    "properties": with_link(
        "await analytics.trackLink(a, 'event', {property: true}); a.click(); return await followed()"
    ),
    "an event that is a function": with_link(
        "await analytics.trackLink(a, (e) => e.nodeName, {foo: 'bar'}); a.click(); return await followed()"
    ),
    "properties that are a function": with_link(
        "await analytics.trackLink(a, 'event', (e) => ({type: e.nodeName})); a.click(); return await followed()"
    ),
    "svg by href": SVG
    + "s.setAttribute('href', '#svg1'); await analytics.trackLink(s, 'svg'); click(); await after(400); return 1",
    "svg by xlink": SVG
    + "s.setAttributeNS('http://www.w3.org/1999/xlink', 'href', '#svg2'); await analytics.trackLink(s, 'svg'); click(); await after(400); return 1",
    "a link to a new tab": with_link(
        "a.target = '_blank'; a.href = '/blank'; a.addEventListener('click', (e) => e.preventDefault()); await analytics.trackLink(a, 'tab'); a.click(); await after(400); return location.pathname"
    ),
    "by its older name": with_link(
        "await analytics.trackClick(jQuery(a), 'older'); a.click(); return await followed()"
    ),
}
PLACE = "<script>history.replaceState(null, '', '/bar?foo=123')</script>"

SCENARIOS = (
    behaviours("Forms", FORMS, Visit(body=FRAME), timeout=300),
    behaviours("Forms in a page with jQuery", FORMS | WITH_JQUERY, Visit(head=JQUERY, body=FRAME), timeout=300),
    behaviours("Links in a page with jQuery", LINKS, Visit(head=JQUERY), timeout=300),
    behaviours(
        "The page of a form's event",
        {
            "it is the page of the submit": with_form(
                "history.replaceState(null, '', '/bar?foo=123'); await analytics.trackForm(f, 'foo'); submit.click(); return await sent()"
            )
        },
        Visit(body=FRAME),
    ),
    behaviours(
        "A jQuery object in place of a form",
        {
            "its forms": with_form(
                "const r = await outcome(analytics.trackForm(jQuery(f), 'foo')); submit.click(); return [r[0], await sent()]"
            )
        },
        Visit(head=JQUERY, body=FRAME),
        timeout=300,
        intended={".told[0].its forms": "jquery-forms", ".events": "jquery-forms"},
    ),
)
