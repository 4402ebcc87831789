"""How a page is set up and its events get there, behaviour by behaviour: links, settings, storage, retries, batches.

The facts are those of analytics-next's own test suite, as far as a page can observe them; the scripts are our own.
"""

from __future__ import annotations

from typing import Any

from parity.scenarios.delivery import batching, segment
from parity.story import HELP, Answer, Network, Posts, Visit, behaviours, scenario


def loading(**options: Any) -> dict[str, Any]:
    """Return the attribute of a scenario with load options."""
    return {"load": options}


NAMES = "analytics.queue.plugins.map((p) => p.name)"
LINKS = "<a id='a' href='#x'>a</a><div id='d'><div><a href='#d'>d</a></div></div><svg id='w'><a id='s' href='#svg'><text>x</text></a></svg><a id='b' href=''>b</a><form id='f' action='/' onsubmit='return false'><input name='q'><button>go</button></form><a id='t' href='/x' target='_blank' onclick='event.preventDefault()'>t</a>"
SCENARIOS = (
    behaviours(
        "Links and forms, one by one",
        {
            "options": "const el = document.getElementById('a'); await analytics.trackLink(el, 'foo', {}, {context: {ip: '0.0.0.0'}}); el.click(); await after(120); return location.hash",
            "nested": "await analytics.trackLink(document.getElementById('d'), 'nested'); document.querySelector('#d a').click(); await after(120); return location.hash",
            "an array": "const el = document.createElement('a'); el.href = '#arr'; document.body.append(el); await analytics.trackLink([el], 'arr', {p: 1}); el.click(); await after(120); return location.hash",
            "a list of nodes": "const el = document.createElement('a'); el.className = 'n'; el.href = '#nodes'; document.body.append(el); const r = await outcome(analytics.trackLink(document.querySelectorAll('.n'), 'nodes')); el.click(); await after(120); return [r[0], location.hash]",
            "jquery": "const el = document.createElement('a'); el.href = '#jq'; document.body.append(el); await analytics.trackLink({toArray: () => [el]}, 'jq'); el.click(); await after(120); return location.hash",
            "event and properties as functions": "const el = document.createElement('a'); el.href = '#fn'; document.body.append(el); await analytics.trackLink(el, (e) => e.nodeName, (e) => ({type: e.nodeName})); el.click(); await after(120); return location.hash",
            "svg": "const el = document.getElementById('s'); await analytics.trackLink(el, 'svg'); el.dispatchEvent(new Event('click', {bubbles: true, cancelable: true})); await after(150); return 1",
            "nothing": "return [await analytics.trackLink(null, 'x') === analytics, await analytics.trackClick(undefined, 'x') === analytics, await analytics.trackForm(null, 'x') === analytics]",
            "text": "return [await outcome(analytics.trackLink('#a', 'x')), await outcome(analytics.trackForm('#f', 'x')), await outcome(analytics.trackForm(['a'], 'x'))].map((r) => r[0])",
            "a form that is submitted": "const f = document.createElement('form'); f.onsubmit = () => false; f.submit = () => calls.push('submitted'); f.innerHTML = '<button>x</button>'; document.body.append(f); await analytics.trackForm(f, 'Form', {p: 1}, {context: {a: 1}}); f.requestSubmit(); await after(150); return 1",
            "trackSubmit": "const f = document.createElement('form'); f.onsubmit = () => false; f.submit = () => {}; document.body.append(f); await analytics.trackSubmit(f, (e) => 'F' + e.nodeName, (e) => ({m: e.method})); f.requestSubmit(); await after(150); return 1",
            "trackClick": "const el = document.createElement('a'); el.href = '#tc'; document.body.append(el); await analytics.trackClick(el, 'tc'); el.click(); await after(120); return location.hash",
            "ctrl": "location.hash = ''; const el = document.createElement('a'); el.href = '#ctrl'; el.onclick = (e) => e.preventDefault(); document.body.append(el); await analytics.trackLink(el, 'ctrl'); el.dispatchEvent(new MouseEvent('click', {ctrlKey: true, bubbles: true, cancelable: true})); await after(120); return location.hash",
            "it gives the library": "return await analytics.trackLink(document.getElementById('b'), 'x') === analytics",
        },
        Visit(body=LINKS),
    ),
    behaviours(
        "Settings: none",
        {
            "plugins": f"return {NAMES}",
            "options": "return analytics.options",
            "integrations": "return analytics.integrations",
            "user options": "return [analytics.user().options, analytics.group().options]",
        },
    ),
    behaviours(
        "Settings: All false",
        {"plugins": f"return {NAMES}", "an event": "await analytics.track('x'); return 1"},
        **loading(integrations={"All": False}),
    ),
    behaviours(
        "Settings: All false, Segment.io true",
        {"plugins": f"return {NAMES}", "an event": "return (await analytics.track('x')).event.integrations"},
        **loading(integrations={"All": False, "Segment.io": True}),
    ),
    behaviours(
        "Settings: Segment.io false", {"plugins": f"return {NAMES}"}, **loading(integrations={"Segment.io": False})
    ),
    behaviours(
        "Settings: Segment.io false in settings object",
        {"plugins": f"return {NAMES}", "event": "return (await analytics.track('x')).event.integrations"},
        **loading(
            integrations={
                "Segment.io": {
                    "apiKey": "other",
                    "unbundledIntegrations": ["Z"],
                    "maybeBundledConfigIds": {"Segment.io": ["i1"]},
                }
            }
        ),
    ),
    behaviours(
        "Settings: addBundledMetadata false",
        {"event": "await analytics.track('x'); return 1"},
        **loading(integrations={"Segment.io": {"addBundledMetadata": False}}),
    ),
    behaviours(
        "Settings: disableClientPersistence",
        {
            "options": "return [analytics.user().options.persist, analytics.group().options.persist, document.cookie, Object.keys(localStorage).filter((k) => !k.startsWith('satsuma_'))]",
            "ids": "await analytics.identify('u', {a: 1}); await analytics.group('g', {b: 2}); return [analytics.user().id(), analytics.user().traits(), analytics.group().id(), analytics.group().traits(), document.cookie, localStorage.length]",
            "an ad": "return [(await analytics.track('T', {}, {context: {page: {search: '?urid=x'}}})).event.context.referrer, document.cookie]",
        },
        **loading(disableClientPersistence=True),
    ),
    behaviours("Settings: initialPageview", {"x": "await after(50); return 1"}, **loading(initialPageview=True)),
    behaviours(
        "Settings: retryQueue false of the source",
        {"x": "return [analytics.options.retryQueue, analytics.queue.queue.maxAttempts]"},
        load_script={"updateCDNSettings": "(s) => { s.integrations['Segment.io'].retryQueue = false; return s; }"},
    ),
    behaviours(
        "Settings: updateCDNSettings",
        {"x": "return analytics.settings.cdnSettings && analytics.settings.cdnSettings.mine"},
        load_script={"updateCDNSettings": "(s) => ({...s, mine: 1})"},
    ),
    behaviours(
        "Settings: updateCDNSettings in place",
        {"x": "await analytics.track('x'); return 1"},
        load_script={
            "updateCDNSettings": "(s) => { s.integrations['Segment.io'].unbundledIntegrations = ['Q']; return s; }"
        },
    ),
    behaviours(
        "Settings: disable",
        {
            "state": "return [analytics.initialized, document.cookie, localStorage.length, analytics.queue.plugins.map((p) => p.name)]",
            "calls": "const c = await analytics.track('x'); return c.event.event",
            "ready": "return outcome(analytics.ready())",
            "ids": "return [typeof analytics.user().anonymousId(), analytics.user().id()]",
            "plugins see": "await analytics.register(made('B', 'before', {track: (c) => { calls.push(1); return c; }})); await analytics.track('x'); return calls",
            "identify": "await analytics.identify('u', {a: 1}); return [analytics.user().id(), analytics.user().traits()]",
        },
        **loading(disable=True),
    ),
    behaviours(
        "Settings: disable by a promise",
        {"state": "return [analytics.initialized, analytics.queue.plugins.map((p) => p.name)]"},
        load_script={"disable": "async () => true"},
    ),
    behaviours(
        "Settings: not disabled by a promise",
        {"state": "return [analytics.initialized, analytics.queue.plugins.map((p) => p.name)]"},
        load_script={"disable": "async () => false"},
    ),
    behaviours(
        "Settings: useQueryString false",
        {"x": "return analytics.queryString('?ajs_uid=u')"},
        **loading(useQueryString=False),
    ),
    behaviours(
        "Settings: useQueryString patterns",
        {
            q: f"const made = await analytics.queryString({q!r}); return [made.length, analytics.user().id(), analytics.user().anonymousId()]"
            for q in ("?ajs_uid=A123", "?ajs_uid=b123", "?ajs_aid=dogs", "?ajs_aid=dogs-1", "?ajs_aid=x9&ajs_event=e")
        },
        load_script={"useQueryString": "{aid: /^\\w{3,10}$/, uid: /[A-Z]{1,}[0-9]{3}/}"},
    ),
    behaviours(
        "Settings: user and group keys",
        {
            "x": "await analytics.identify('u', {a: 1}); await analytics.group('g', {b: 1}); return [document.cookie.split('; ').map((one) => one.split('=')[0]).filter((n) => !n.startsWith('satsuma_')).sort(), Object.keys(localStorage).filter((k) => !k.startsWith('satsuma_')).sort(), analytics.user().options, analytics.group().options]"
        },
        **loading(
            user={"cookie": {"key": "my_u"}, "localStorage": {"key": "my_t"}},
            group={"cookie": {"key": "my_g"}, "localStorage": {"key": "my_gt"}},
        ),
    ),
    behaviours(
        "Settings: user disabled",
        {
            "x": "const u = analytics.user(); return [u.id('foo'), u.id(), u.anonymousId('x'), u.traits({a: 1}), u.traits()]",
            "group": "return [analytics.group().id('g'), analytics.group().traits({a: 1})]",
        },
        **loading(user={"disable": True}, group={"disable": True}),
        intended={".events": "nobody"},
    ),
    behaviours(
        "Settings: storage order",
        {
            "x": "analytics.storage.set('k', {a: 1}); return [analytics.storage.get('k'), localStorage.getItem('k'), document.cookie.includes('k=')]",
            "numbers": "analytics.storage.set('k', 5); return [analytics.storage.get('k'), localStorage.getItem('k')]",
            "texts": "analytics.storage.set('k', 'x'); return [analytics.storage.get('k'), localStorage.getItem('k')]",
            "null": "analytics.storage.set('k', null); return [analytics.storage.get('k'), localStorage.getItem('k')]",
            "clear": "analytics.storage.set('k', 1); analytics.storage.clear('k'); return [analytics.storage.get('k'), localStorage.getItem('k')]",
            "unknown": "return analytics.storage.get('none')",
            "no number": "analytics.storage.set('k', NaN); return [analytics.storage.get('k'), localStorage.getItem('k')]",
            "a long text": "analytics.storage.set('k', 'x'.repeat(200000)); return [analytics.storage.get('k').length, localStorage.getItem('k').length]",
            "a large object": "analytics.storage.set('k', {a: 'x'.repeat(200000), b: 1}); return [analytics.storage.get('k').a.length, analytics.storage.get('k').b, localStorage.getItem('k').length]",
            "more than there is room for": "localStorage.removeItem('k'); const {warn} = console; let told = 0; console.warn = () => { told = 1; }; analytics.storage.set('k', 'x'.repeat(1e7)); console.warn = warn; return [told, localStorage.getItem('k')]",
            "nothing": "analytics.storage.clear('k'); analytics.storage.set('k', undefined); return analytics.storage.get('k')",
            "getAndSync": "localStorage.setItem('z', '7'); return [analytics.storage.getAndSync('z'), localStorage.getItem('z'), document.cookie.includes('z=7')]",
            "array": "analytics.storage.set('k', [1, 'a', null]); return [analytics.storage.get('k'), localStorage.getItem('k')]",
            "boolean": "analytics.storage.set('k', false); return [analytics.storage.get('k'), localStorage.getItem('k')]",
            "text in localStorage that is no JSON": "localStorage.setItem('y', 'plain'); return analytics.storage.get('y')",
            "a cookie": "localStorage.removeItem('k'); document.cookie = 'ck=%F0%9F%8D%AA'; return analytics.storage.get('ck')",
        },
        intended={".told[0].nothing": "nothing-stored"},
    ),
    behaviours(
        "Storage: cookie first",
        {
            "x": "document.cookie = 'ajs_anonymous_id=CookieValue; path=/; domain=.shop.test'; localStorage.setItem('ajs_anonymous_id', '\"ls\"'); return analytics.user().anonymousId()"
        },
        **loading(storage={"stores": ["cookie", "localStorage", "memory"]}),
    ),
    behaviours(
        "Storage: persist false of user",
        {
            "x": "const u = analytics.user(); u.id('id'); return [u.id(), document.cookie.includes('ajs_user_id'), localStorage.getItem('ajs_user_id')]"
        },
        **loading(user={"persist": False}, storage={"stores": ["cookie", "localStorage", "memory"]}),
    ),
    behaviours(
        "Storage: localStorageFallbackDisabled",
        {
            "x": "const u = analytics.user(); u.id('foo'); u.anonymousId('a'); return [u.id(), localStorage.getItem('ajs_user_id'), localStorage.getItem('ajs_anonymous_id'), document.cookie.includes('ajs_user_id=foo')]"
        },
        **loading(user={"localStorageFallbackDisabled": True}),
    ),
    scenario(
        "Retries: 500 then good",
        Visit(),
        Posts(1),
        Answer((500, 502)),
        HELP
        + "const c = await analytics.track('x'); return [lines(c), c.attempts, Boolean(c.failedDelivery()), c.logs().map((l) => l.extras && l.extras.name)]",
        Posts(4),
        headers=("x-retry-count",),
    ),
    scenario(
        "Retries: error event",
        Visit(),
        Posts(1),
        Answer((400,)),
        HELP
        + "analytics.on('error', (e) => calls.push([e.code, Boolean(e.reason), e.ctx && e.ctx.event.event])); const c = await analytics.track('x'); return [calls, lines(c), c.failedDelivery().reason instanceof Error]",
    ),
    scenario(
        "Retries: 429 error",
        Visit(),
        Posts(1),
        Answer((429,), {"retry_after": "1"}),
        HELP + "const c = await analytics.track('x'); return [lines(c), Boolean(c.failedDelivery())]",
        Posts(3),
        headers=("x-retry-count",),
    ),
    scenario(
        "Retries: 429 without header",
        Visit(),
        Posts(1),
        Answer((429,)),
        HELP + "const c = await analytics.track('x'); return [lines(c), Boolean(c.failedDelivery())]",
        Posts(3),
        headers=("x-retry-count",),
    ),
    *(
        scenario(
            f"Retries: {status}",
            Visit(),
            Posts(1),
            Answer((status,)),
            HELP
            + "const c = await analytics.track('x'); const told = [lines(c), Boolean(c.failedDelivery())]; await after(1200); return told",
            headers=("x-retry-count",),
        )
        for status in (404, 408, 410, 413, 460, 501, 505, 511, 503)
    ),
    *(
        scenario(
            f"Retries: what an event tells of an answer {status}",
            Visit(),
            Posts(1),
            Answer((status,), headers),
            HELP
            + "analytics.on('error', ({reason}) => calls.push([reason.name, reason.message])); const c = await analytics.track('x'); return [calls, c.logs().map(({level, message, extras}) => [level, message, extras && extras.name, extras && extras.message]), analytics.queue.queue.getAttempts(c)]",
            *steps,
        )
        for status, headers, steps in (
            (400, {}, ()),
            (500, {}, (Posts(3),)),
            (429, {"retry_after": "1"}, (Posts(3),)),
        )
    ),
    scenario(
        "Retries: 302 that leads nowhere",
        Visit(),
        Posts(1),
        Answer((302,)),
        "await analytics.track('x'); await new Promise((go) => setTimeout(go, 1200))",
        headers=("x-retry-count",),
        intended={".events": "redirects"},
    ),
    scenario(
        "Retries: 429 exhausted",
        Visit(),
        Posts(1),
        Answer((429, 429, 429), {"retry_after": "0"}),
        HELP
        + "analytics.on('error', (e) => calls.push(e.code)); const c = await analytics.track('x'); await after(2500); return [calls, Boolean(c.failedDelivery())]",
        load=segment(httpConfig={"rateLimitConfig": {"maxRetryCount": 1}}),
        headers=("x-retry-count",),
    ),
    scenario(
        "Retries: default4xx retry",
        Visit(),
        Posts(1),
        Answer((404,)),
        "await analytics.track('x')",
        Posts(3),
        load=segment(httpConfig={"backoffConfig": {"default4xxBehavior": "retry"}}),
        headers=("x-retry-count",),
    ),
    scenario(
        "Retries: default5xx drop",
        Visit(),
        Posts(1),
        Answer((503,)),
        HELP + "await analytics.track('x'); await after(1200)",
        load=segment(httpConfig={"backoffConfig": {"default5xxBehavior": "drop"}}),
        headers=("x-retry-count",),
    ),
    scenario(
        "Retries: cdn wins over page",
        Visit(),
        Posts(1),
        Answer((404,)),
        "await analytics.track('x')",
        Posts(3),
        load=segment(httpConfig={"backoffConfig": {"statusCodeOverrides": {"404": "drop"}}}),
        load_script={
            "updateCDNSettings": "(s) => { s.integrations['Segment.io'].httpConfig = {backoffConfig: {statusCodeOverrides: {'404': 'retry'}}}; return s; }"
        },
        headers=("x-retry-count",),
    ),
    scenario(
        "Batching: size reached",
        Visit(),
        "analytics.track('A'); analytics.track('B'); await analytics.track('C')",
        Posts(1),
        load=batching(size=4, timeout=60000),
    ),
    scenario(
        "Batching: near the most that a batch may hold",
        "for (let n = 0; n < 500; n++) analytics.track('A', {s: 'x'.repeat(1000)}); const sent = () => performance.getEntriesByType('resource').some(({name}) => name.endsWith('/v1/b')); for (let n = 0; n < 300 && !sent(); n++) await new Promise((go) => setTimeout(go, 100)); return sent()",
        load=batching(size=600, timeout=60000),
        intended={".events": "full-batches"},
    ),
    scenario(
        "Batching: keepalive",
        Visit(),
        "await analytics.track('A')",
        Posts(1),
        load=batching(size=2, timeout=60000, keepalive=True),
    ),
    scenario(
        "Batching: 429",
        Visit(),
        Posts(1),
        Answer((429,), {"retry_after": "1"}),
        "analytics.track('A'); await analytics.track('B')",
        Posts(3),
        load=batching(size=2, timeout=300),
        headers=("x-retry-count",),
    ),
    scenario(
        "Batching: Retry-After uses up no try",
        Visit(),
        Posts(1),
        Answer((429, 429), {"retry_after": "1"}),
        Answer((500,)),
        "await analytics.track('A')",
        Posts(5),
        load=batching(size=1, timeout=100, maxRetries=1),
        headers=("x-retry-count",),
    ),
    scenario(
        "Batching: what comes meanwhile goes with the next try",
        Visit(),
        Posts(1),
        Answer((429,), {"retry_after": "1"}),
        "await analytics.track('A'); await new Promise((go) => setTimeout(go, 200)); await analytics.track('B')",
        Posts(3),
        load=batching(size=1, timeout=100),
        intended={
            ".events[2].body.batch[1].context.satsuma": "diagnostics",
        },
    ),
    scenario(
        "Batching: maxRetries",
        Visit(),
        Posts(1),
        Answer((500, 500)),
        "await analytics.track('A'); await new Promise((go) => setTimeout(go, 1800))",
        load=batching(size=1, timeout=100, maxRetries=1),
        headers=("x-retry-count",),
    ),
    scenario(
        "Batching: 400 drops",
        Visit(),
        Posts(1),
        Answer((400,)),
        "const c = await analytics.track('A'); await new Promise((go) => setTimeout(go, 1000)); return Boolean(c.failedDelivery())",
        load=batching(size=1, timeout=100),
        headers=("x-retry-count",),
        intended={".told[0]": "told-at-once"},
    ),
    scenario(
        "Batching: pagehide",
        Visit(),
        "analytics.track('A'); await new Promise((go) => setTimeout(go, 100)); window.dispatchEvent(new Event('pagehide')); await new Promise((go) => setTimeout(go, 100)); analytics.track('B')",
        Posts(2),
        load=batching(size=100, timeout=60000),
    ),
    scenario(
        "Offline: queue",
        Visit(),
        Posts(1),
        Network(there=False),
        HELP
        + "const c = await within(analytics.track('A'), 1500); return c === 'waits' ? c : [lines(c), c.attempts, analytics.queue.queue.length]",
        Network(there=True),
        Posts(2),
    ),
    scenario(
        "Offline: callback",
        Visit(),
        Posts(1),
        Network(there=False),
        HELP + "return within(new Promise((go) => void analytics.track('A', () => go('called'))), 1500)",
        Network(there=True),
        Posts(2),
    ),
    scenario(
        "Offline: plugins run",
        Visit(),
        Posts(1),
        Network(there=False),
        HELP
        + "await analytics.register(made('B', 'before', {track: (c) => { calls.push(1); return c; }})); await analytics.track('A'); return calls",
        Network(there=True),
        Posts(2),
    ),
    scenario(
        "Offline: several in order",
        Visit(),
        Posts(1),
        Network(there=False),
        "await analytics.track('A'); await analytics.track('B'); await analytics.identify('u'); return 1",
        Network(there=True),
        Posts(4),
        intended={".events[1].body.userId": "late-identity", ".events[2].body.userId": "late-identity"},
    ),
    scenario(
        "Offline: disableClientPersistence",
        Visit(),
        Posts(1),
        Network(there=False),
        "await analytics.track('A'); return Object.keys(localStorage)",
        Network(there=True),
        Posts(2),
        load={"disableClientPersistence": True},
    ),
)
