"""What calls become, behaviour by behaviour: arguments, fields, the page and its query string, who the visitor is.

The facts are those of analytics-next's own test suite, as far as a page can observe them; the scripts are our own.
"""

from __future__ import annotations

from parity.story import Visit, behaviours, tells

ASKED = "{integrations: {amp: false}, context: {a: 1}}"
COUNTS = "let n = 0; const cb = () => { n += 1; };"


def track(args: str) -> str:
    """Return a script that tells what a call of track becomes."""
    return f"{COUNTS} const c = await analytics.track({args}); return [n, c.event.event, c.event.properties, c.event.integrations, c.event.context.page.path, c.event.context.a]"


def page(args: str, how: str = "page") -> str:
    """Return a script that tells what a call of page, or screen, becomes."""
    return f"{COUNTS} const c = await analytics.{how}({args}); return [n, c.event.category, c.event.name, c.event.properties, c.event.integrations, c.event.context.page]"


def user(args: str, how: str = "identify") -> str:
    """Return a script that tells what a call of identify, or group, becomes."""
    return f"{COUNTS} const c = await analytics.{how}({args}); return [n, c.event.userId, c.event.groupId, c.event.traits, c.event.integrations, c.event.context.a, analytics.user().id(), analytics.user().traits(), analytics.group().id(), analytics.group().traits()]"


def alias(args: str) -> str:
    """Return a script that tells what a call of alias becomes."""
    return f"{COUNTS} analytics.setAnonymousId('anon'); const c = await analytics.alias({args}); return [n, c.event.userId, c.event.previousId, c.event.integrations, c.event.anonymousId]"


def asked(query: str) -> str:
    """Return a script that tells what calls a query string makes."""
    return f"const made = await analytics.queryString({query!r}); const u = analytics.user(); return [made.map(({{event}}) => [event.type, event.event, event.properties, event.traits, event.userId, event.anonymousId]), u.anonymousId().length == 36 || u.anonymousId(), u.id(), u.traits()]"


SCENARIOS = (
    behaviours(
        "Arguments of track",
        {
            f"track({a})": track(a)
            for a in (
                f"'T', {{b: 1}}, {ASKED}, cb",
                "'T', {b: 1}",
                f"'T', {{b: 1}}, {ASKED}",
                "'T', {b: 1}, cb",
                "'T', cb",
                "'T', undefined, {context: {page: {path: '/custom'}}}",
                f"{{type: 'track', event: 'T', properties: {{b: 1}}}}, {ASKED}, cb",
                f"{{type: 'track', event: 'T', properties: {{b: 1}}}}, {ASKED}",
                "{type: 'track', event: 'T', properties: {b: 1}}, cb",
                "{type: 'track'}",
                "{event: 'T', properties: null}",
                "'T', [1]",
                "'T', 'text'",
                "'T', null, null, cb",
                "'T', {}, null, cb",
                "5",
                "null",
                "'T', {b: 1}, undefined, cb",
                "new String('T')",
                "'T', new Map([[1, 2]])",
                "'T', {b: 1}, cb, cb",
            )
        },
    ),
    behaviours(
        "Arguments of page",
        {
            f"page({a})": page(a)
            for a in (
                f"'c', 'n', {{b: 1}}, {ASKED}, cb",
                f"'', '', null, {ASKED}",
                "'c', 'n', {b: 1}, cb",
                "'c', 'n', cb",
                f"'n', {{b: 1}}, {ASKED}, cb",
                "'n', {b: 1}, cb",
                "'n', cb",
                f"{{b: 1}}, {ASKED}, cb",
                "{b: 1}, cb",
                "cb",
                "null, 'n', {b: 1}",
                f"null, null, {{b: 1}}, {ASKED}",
                "'n', null, null, {context: {a: 1}}",
                "'c', null, {b: 1}",
                "undefined, 'n'",
                "'a', 'b', 'c'",
                "null, {b: 1}",
                "'n', undefined, undefined, {name: 'other'}",
                "'n', {name: 'other'}",
                "'c', 'n', {category: 'd'}",
            )
        },
    ),
    behaviours(
        "Arguments of screen",
        {
            f"screen({a})": page(a, "screen")
            for a in ("'c', 'n', {b: 1}", "'n'", "{b: 1}", "'n', {b: 1}, {context: {a: 1}}, cb")
        },
    ),
    behaviours(
        "Arguments of identify and group",
        {
            f"{how}({a})": user(a, how)
            for how in ("identify", "group")
            for a in (
                f"'i', {{p: 1}}, {ASKED}, cb",
                "'i', {p: 1}, cb",
                "'i', cb",
                f"{{p: 1}}, {ASKED}, cb",
                "{p: 1}, cb",
                f"'i', null, {ASKED}",
                "'i', {p: 1}",
                "undefined, {p: 1}",
                "null, {p: 1}",
                "5",
                "5, {p: 1}",
                "cb",
                f"'i', undefined, {ASKED}, cb",
                f"null, null, {ASKED}",
                "'i', 'text'",
                "'i', [1]",
                "[1], {p: 1}",
                "true, {p: 1}",
                "'i', {p: 1}, null, cb",
            )
        }
        | {
            f"{how} again without an id": f"await analytics.{how}('known', {{a: 1}}); " + user("{b: 2}", how)
            for how in ("identify", "group")
        },
    ),
    behaviours(
        "Ids that are no number",
        {
            f"{how}(NaN)": f"const c = await analytics.{how}(NaN, {{p: 1}}, {{integrations: {{'Segment.io': false}}}}); return [c.event.traits, analytics.{kind}().id()]"
            for how, kind in (("identify", "user"), ("group", "group"))
        },
        intended={".told[0].identify(NaN)[1]": "no-number", ".told[0].group(NaN)[1]": "no-number"},
    ),
    behaviours(
        "Arguments of alias",
        {
            f"alias({a})": alias(a)
            for a in (
                "'to', 'from', {integrations: {i: false}}, cb",
                "'to', {integrations: {i: false}}, cb",
                "'to', cb",
                "'to', 'from', cb",
                "5, 6",
                "'to', 6",
                "'to', null",
                "'to'",
            )
        },
        intended={
            f".told[0].alias({a})[2]": "alias-from"
            for a in ("'to'", "'to', cb", "'to', null", "'to', {integrations: {i: false}}, cb")
        },
    ),
    behaviours(
        "Event fields",
        {
            "no traits or properties of an alias": "const c = await analytics.alias('to', 'from'); return [c.event.traits, c.event.properties, c.event.event, Object.keys(c.event).sort()]",
            "keys of a track": "const c = await analytics.track('T', {a: 1}); return [Object.keys(c.event).sort(), Object.keys(c.event.context).filter((name) => name !== 'userAgentData').sort()]",
            "keys of an identify": "const c = await analytics.identify('u', {a: 1}); return [Object.keys(c.event).sort(), Object.keys(c.event.context).filter((name) => name !== 'userAgentData').sort()]",
            "keys of a group": "const c = await analytics.group('g', {a: 1}); return Object.keys(c.event).sort()",
            "keys of a page": "const c = await analytics.page('c', 'n', {a: 1}); return Object.keys(c.event).sort()",
            "keys of a page without names": "const c = await analytics.page(); return Object.keys(c.event).sort()",
            "keys of a screen": "const c = await analytics.screen('c', 'n', {a: 1}); return Object.keys(c.event).sort()",
            "ids in the options of a group": "const c = await analytics.group('g', undefined, {userId: 'bar', anonymousId: 'foo'}); return [c.event.userId, c.event.anonymousId, analytics.user().anonymousId(), analytics.user().id()]",
            "ids in the options of a track": "const c = await analytics.track('T', {}, {userId: 'bar', anonymousId: 'foo'}); return [c.event.userId, c.event.anonymousId, analytics.user().anonymousId(), analytics.user().id(), c.event.context.userId]",
            "a timestamp is a Date": "const c = await analytics.track('T'); return c.event.timestamp instanceof Date",
            "two hundred messageIds": "const ids = new Set(); for (const c of await Promise.all([...Array(40)].map(() => analytics.track('T', {}, {integrations: {'Segment.io': false}})))) ids.add(c.event.messageId); return ids.size",
            "a messageId of the call": "return (await analytics.track('T', {}, {messageId: 'mine'})).event.messageId",
            "foreign options": "const c = await analytics.track('T', {}, {opt1: true, opt2: 'x', integrations: {amp: false}, anonymousId: 'a1', timestamp: new Date(5e11)}); const {page, ...more} = c.event.context; return [more.opt1, more.opt2, more.integrations, more.anonymousId, c.event.integrations, c.event.timestamp]",
            "traits of the options": "return (await analytics.track('T', {}, {traits: {cell: 'x'}})).event.context.traits",
            "a context of the options": "const {context} = (await analytics.track('T', {}, {foreign: 1, context: {inner: 2, library: {name: 'own', version: '0.1'}}})).event; return [context.foreign, context.inner, context.library]",
            "options in both": "const {context} = (await analytics.track('T', {}, {a: 1, context: {a: 2, b: 3}})).event; return [context.a, context.b]",
            "dotted options": "const {context} = (await analytics.track('T', {}, {'a.b': 1, 'page.path': '/x'})).event; return [context.a, context['a.b'], context.page.path]",
            "undefined options": "const {context} = (await analytics.track('T', {}, {a: undefined, b: null})).event; return ['a' in context, context.b]",
            "locale and user agent of the context": "const {context} = (await analytics.track('T', {}, {context: {locale: 'foobar', userAgent: 'x', timezone: 'y'}})).event; return [context.locale, context.userAgent === navigator.userAgent, context.timezone]",
            "userAgentData": "const {context} = (await analytics.track('T')).event; return context.userAgentData",
            "settings of one event's integrations": "return (await analytics.track('T', {}, {integrations: {Amplitude: {sessionId: 's'}, All: true}})).event.integrations",
            "traits that are not plain": "return (await analytics.identify('u', {d: new Date(5e11), u: undefined, n: null, f() {}})).event.traits",
            "a userId in properties": "return (await analytics.track('T', {userId: 'x', anonymousId: 'y'})).event.userId",
            "a type in the options": "const c = await analytics.track('T', {}, {type: 'page', event: 'X', properties: {x: 1}}); return [c.event.type, c.event.event, c.event.properties, c.event.context.type]",
            "a channel in the options": "const c = await analytics.track('T', {}, {channel: 'web'}); return [c.event.channel, c.event.context.channel]",
        },
    ),
    behaviours(
        "What a page does to its own objects",
        {
            "an event changes no properties of the page": "const p = {a: {b: 1}}; const c = await analytics.track('T', p, {integrations: {'Segment.io': false}}); c.event.properties.a.b = 2; return p",
            "what the page changes after the call": "const p = {a: 1}; const call = analytics.track('T', p, {integrations: {'Segment.io': false}}); p.a = 2; return (await call).event.properties",
        },
        intended={".told[0].": "copies"},
    ),
    behaviours(
        "Page",
        {
            "special properties go into the context": "return (await analytics.page('n', {url: 'http://f.com/b?q=1', path: '/b', search: '?q=1', referrer: 'http://g', title: 'T', more: 1})).event.context.page",
            "but not those of a track": "return (await analytics.track('n', {url: 'http://f.com/b?q=1', path: '/b', search: '?q=1', referrer: 'http://g', title: 'T', more: 1})).event.context.page",
            "some of them": "return (await analytics.page('n', {path: '/b', referrer: 'http://g'})).event",
            "empty ones": "return (await analytics.page('n', {referrer: '', path: undefined, title: null})).event",
            "a page in the options": "return (await analytics.page('n', {b: 1}, {page: {url: 'not-localhost'}})).event.context.page",
            "a page in the context": "return (await analytics.page('n', {b: 1}, {context: {page: {url: 'x', extra: 1}}})).event.context.page",
            "names": "const a = await analytics.page('n', undefined, undefined, {name: 'o'}), b = await analytics.track('n', {name: 'o'}); return [a.event.properties.name, b.event.properties.name]",
            "identify": "return (await analytics.identify('n', {title: 'o'})).event.context.page",
            "before other plugins": "let seen; await analytics.addSourceMiddleware(({payload, next}) => { seen = payload.obj.context.page; next(payload); }); await analytics.track('x'); return seen",
            "campaign of a page": "return (await analytics.track('T', {}, {context: {page: {search: 'utm_source=s&utm_medium=m&utm_term=t&utm_content=c&utm_campaign=n'}}})).event.context.campaign",
            "decoded campaign": "return (await analytics.track('T', {}, {context: {page: {search: '?utm_source=%5BFoo%5D'}}})).event.context.campaign",
            "undefined campaign": "return (await analytics.track('T', {}, {context: {page: {search: '?utm_source'}}})).event.context.campaign",
            "empty campaign": "return (await analytics.track('T', {}, {context: {page: {search: '?utm_source='}}})).event.context.campaign",
            "?utm": "return (await analytics.track('T', {}, {context: {page: {search: '?utm'}}})).event.context.campaign",
            "?utm_": "return (await analytics.track('T', {}, {context: {page: {search: '?utm_'}}})).event.context.campaign",
            "campaign of its own": "return (await analytics.track('T', {}, {context: {campaign: {source: 'o'}, page: {search: '?utm_source=x'}}})).event.context.campaign",
            "no search": "return [(await analytics.track('T', {}, {context: {page: {search: ''}}})).event.context.campaign, (await analytics.track('T', {}, {context: {page: {search: null}}})).event.context.campaign]",
            "search as an object": "const {context} = (await analytics.track('T', {}, {context: {page: {search: {something: 'bar', utm_custom: 'foo', utm_campaign: 'hello'}}}})).event; return [context.page.search, context.campaign, context.referrer]",
            "an invalid object": "const {context} = (await analytics.track('T', {}, {context: {page: {search: {nested: {foo: {bar: null}}}}}})).event; return [context.page.search, context.campaign]",
            "an advertisement": "const {context} = (await analytics.track('T', {}, {context: {page: {search: '?utm_source=source&urid=medium'}}})).event; return [context.referrer, document.cookie.includes('context.referrer')]",
            "an advertisement of dataxu": "const {context} = (await analytics.track('T', {}, {context: {page: {search: '?btid=x'}, referrer: {url: 'u'}}})).event; return context.referrer",
            "the ad remembered": "const {context} = (await analytics.track('T')).event; return context.referrer",
            "no amp of ga": "document.cookie = '_ga=some'; return (await analytics.track('T')).event.context.amp",
            "amp of ga": "document.cookie = '_ga=amp-foo'; return (await analytics.track('T')).event.context.amp",
            "pageview": "await analytics.pageview('www.foo.com'); return 1",
            "a hash": "location.hash = '#/route?x=1'; return (await analytics.page()).event.properties",
            "pushState": "history.pushState({}, '', '/other?utm_source=z'); document.title = 'New'; return (await analytics.page()).event",
            "replaceState with a path": "history.replaceState({}, '', '/back'); return (await analytics.track('T')).event.context",
        },
        Visit("/?utm_source=first&utm_campaign=camp"),
    ),
    behaviours(
        "Query string",
        {
            q: asked(q)
            for q in (
                "?ajs_uid=1234",
                "?ajs_uid=user%40example.org",
                "?ajs_uid=1234&ajs_trait_address=123 St",
                "?ajs_uid=1234&ajs_trait_address=123 St&ajs_trait_city=Vancouver",
                "?ajs_uid=1234&ajs_trait_address=123 St&ajs_trait_address=908 St",
                "?ajs_event=Button Clicked",
                "?ajs_event=Button Clicked&ajs_prop_location=Home Page",
                "?ajs_event=Button Clicked&ajs_prop_location=Home Page&ajs_prop_team=I",
                "?ajs_event=B&ajs_prop_l=H&ajs_prop_l=T",
                "?ajs_aid=immaghost",
                "?ajs_aid=imbatman&ajs_aid=bruce",
                "?ajs_event=event&ajs_aid=ariel",
                "?ajs_uid=1234&ajs_aid=ariel",
                "?ajs_uid=&ajs_event=&ajs_aid=",
                "?ajs_uid",
                "?ajs_event=a%20b+c",
                "ajs_uid=x",
                "",
                "?ajs_uid=a=b",
                "/path?ajs_uid=x#h",
                "https://o.test/?ajs_uid=x",
                "?ajs_trait_x=1",
                "?ajs_uid=u&ajs_trait_=1",
                "#?ajs_uid=x",
                "?ajs_uid=%E0%A4%A",
            )
        },
    ),
    behaviours(
        "Identity",
        {
            "an anonymousId of 36 letters": "const id = analytics.user().anonymousId(); return [id.length, document.cookie.includes(id), localStorage.getItem('ajs_anonymous_id') === JSON.stringify(id)]",
            "id sets and gives": "const u = analytics.user(); return [u.id(), u.id('a'), u.id(), localStorage.getItem('ajs_user_id')]",
            "the same id keeps the anonymousId": "const u = analytics.user(), a = u.anonymousId(); u.id('foo'); u.id('foo'); return u.anonymousId() === a",
            "another id makes a new one": "const u = analytics.user(), a = u.anonymousId(); u.id('foo'); u.id('baz'); return [u.anonymousId() === a, u.anonymousId().length]",
            "no id keeps it": "const u = analytics.user(), a = u.anonymousId(); u.id('foo'); u.id(null); return [u.anonymousId() === a, u.id()]",
            "a number": "const u = analytics.user(); document.cookie = 'ajs_user_id=1234; path=/; domain=.shop.test'; localStorage.removeItem('ajs_user_id'); return u.id()",
            "an anonymousId from the cookie": "document.cookie = 'ajs_anonymous_id=anon1; path=/; domain=.shop.test'; return [analytics.user().anonymousId(), localStorage.getItem('ajs_anonymous_id')]",
            "an anonymousId in localStorage without quotes": "analytics.reset(); localStorage.setItem('ajs_anonymous_id', 'abc-def'); return analytics.user().anonymousId()",
            "setAnonymousId": "const id = analytics.setAnonymousId('🦹♀️'); return [id, analytics.user().anonymousId(), analytics.setAnonymousId() === id]",
            "traits": "const u = analytics.user(); return [u.traits(), u.traits({t: 1}), u.traits(), localStorage.getItem('ajs_user_traits'), u.traits(null), localStorage.getItem('ajs_user_traits')]",
            "logout": "const u = analytics.user(); u.id('i'); u.anonymousId('a'); u.traits({t: 1}); u.logout(); return [document.cookie.includes('ajs_anonymous_id=a'), u.id(), u.traits(), localStorage.getItem('ajs_user_id'), localStorage.getItem('ajs_user_traits')]",
            "identify of user()": "const u = analytics.user(); u.identify('i'); u.identify(null, {t: 1}); u.traits({one: 1}); u.identify('i', {two: 2}); const before = u.traits(); u.identify('new', {three: 3}); const then = u.traits(); u.identify('newer'); return [before, then, u.traits(), u.id()]",
            "load gives a user": "const u = analytics.user(); u.id('x'); const l = u.load(); return [l.id(), typeof l.traits]",
            "save": "return analytics.user().save()",
            "the group's id comes from localStorage": "const g = analytics.group(); g.id('gid'); document.cookie = 'ajs_group_id=; max-age=0; path=/; domain=.shop.test'; return [g.id(), g.traits()]",
            "a group has no anonymousId that stays": "const g = analytics.group(); return [g.anonymousId === undefined, g.options]",
            "a group by call": "const c = await analytics.group('cool', {k: true}); return [c.event.groupId, c.event.traits, analytics.group().id(), analytics.group().traits()]",
            "an id from a cookie": "document.cookie = 'ajs_user_id=le%20id; path=/; domain=.shop.test'; localStorage.removeItem('ajs_user_id'); return analytics.user().id()",
            "an id with an at sign": "await analytics.identify('a@b.c d/é'); return [document.cookie.split('; ').find((one) => one.startsWith('ajs_user_id')), localStorage.getItem('ajs_user_id')]",
            "reset": "await analytics.identify('u', {a: 1}); await analytics.group('g'); const a = analytics.user().anonymousId(); analytics.reset(); return [analytics.user().id(), analytics.group().id(), analytics.user().anonymousId() !== a, analytics.user().traits(), Object.keys(localStorage).filter((k) => k.startsWith('ajs_')).sort()]",
            "reset is told": "let n = 0; analytics.once('reset', () => { n += 1; }); analytics.reset(); return n",
            "an event after setAnonymousId": "analytics.setAnonymousId('x1'); return (await analytics.track('t')).event.anonymousId",
            "an event's userId": "await analytics.identify('u1'); return (await analytics.track('t')).event.userId",
            "traits of known": "await analytics.identify('u1', {a: 1}); return [(await analytics.identify({b: 2})).event.traits, (await analytics.identify('u2', {c: 3})).event.traits]",
            "id undefined": "const u = analytics.user(); u.id('x'); return [u.id(undefined), u.id(''), u.id()]",
            "an anonymousId that is empty": "const u = analytics.user(), a = u.anonymousId(); return [u.anonymousId(null), u.anonymousId().length, u.anonymousId() === a]",
        },
        intended=tells(1, 2),
    ),
)
