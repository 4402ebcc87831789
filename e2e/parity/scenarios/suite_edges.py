"""The edges of settings, plugins, callbacks, contexts and plans, behaviour by behaviour.

The facts are those of analytics-next's own test suite, as far as a page can observe them; the scripts are our own.
"""

from __future__ import annotations

from parity.scenarios.device_mode import INTEGRATIONS, destination, remote, settings
from parity.story import Scenario, Visit, behaviours, scenario


def early(title: str, before: str, script: str, **more: object) -> Scenario:
    """Return a scenario of calls that come before the library."""
    return scenario(title, Visit(early=f"window.heard = []; {before}"), script, **more)


def plan(title: str, rules: str, script: str) -> Scenario:
    """Return a scenario with a tracking plan of the page's, and two destinations of the settings."""
    laid = settings(remote("One", destination(1)), remote("Two", destination(2)), more=INTEGRATIONS)
    told = f"{{track: {{__default: {{enabled: true, integrations: {{}}}}, {rules}}}}}"
    return scenario(title, script, load_script={**laid, "plan": told})


SCENARIOS = (
    behaviours(
        "Callbacks, closer",
        {
            "one argument": "await analytics.track('x', {}, {}, (...a) => { calls.push(a.length); }); return calls",
            "it throws text": "const c = await analytics.track('x', () => { throw 'no'; }); return c.logs().filter((l) => l.level === 'warn').map((l) => [l.message, l.extras.error])",
            "it takes half a second": "const c = await analytics.track('x', async () => { await after(500); calls.push(1); }); return [calls, lines(c)]",
            "an event that a plugin stops": "await analytics.register(made('B', 'before', {track: (c) => { let E; try { c.cancel(); } catch (e) { E = e.constructor; } throw new E({retry: false}); }})); const c = await new Promise((go) => void analytics.track('x', ...UNSENT, go)); return Boolean(c.failedDelivery())",
            "an event that an enrichment fails on": "await analytics.register(made('E', 'enrichment', {track: () => { throw new Error('no'); }})); const c = await new Promise((go) => void analytics.track('x', go)); return Boolean(c.failedDelivery())",
            "an event that a destination fails on": "await analytics.register(made('D', 'destination', {track: () => Promise.reject(new Error('no'))})); const c = await new Promise((go) => void analytics.track('x', go)); return Boolean(c.failedDelivery())",
            "an event that an after plugin fails on": "await analytics.register(made('A', 'after', {track: () => Promise.reject(new Error('no'))})); const c = await new Promise((go) => void analytics.track('x', go)); return Boolean(c.failedDelivery())",
            "the context of callback and promise are one": "let got; const c = await analytics.track('x', (given) => { got = given; }); return got === c",
            "the callback comes before the promise": "await analytics.track('x', () => { calls.push('callback'); }).then(() => calls.push('promise')); return calls",
            "a callback that is no function": "const c = await analytics.track('x', {}, {}, 'text'); return c.event.event",
            "several at once": "await Promise.all([1, 2, 3].map((n) => analytics.track('x' + n, () => { calls.push(n); }))); return calls",
            "it changes the event": "const c = await analytics.track('x', (given) => { given.event.properties.late = 1; }); return c.event.properties",
        },
        timeout=500,
        patience=2500,
    ),
    early(
        "Callbacks: of calls before the library",
        "analytics.track('a', (c) => heard.push(['track', c.event.event])); analytics.page('n', (c) => heard.push(['page', c.event.name])); analytics.identify('u', (c) => heard.push(['identify', c.event.userId]))",
        "await new Promise((go) => setTimeout(go, 900)); return heard.sort()",
        intended={".events[": "early-order"},
    ),
    behaviours(
        "Contexts, closer",
        {
            "the class makes system contexts": "const c = await analytics.track('x'), s = c.constructor.system(); return [s.event, s.logs(), s.stats.metrics, typeof s.id, s.attempts]",
            "the class makes contexts": "const c = await analytics.track('x'), n = new c.constructor({type: 'track', event: 'e'}), m = new c.constructor({type: 'track'}, 'abc'); return [n.event, n.logs().length, m.id, n.id !== m.id, m.isSame({id: 'abc'}), m.toJSON()]",
            "an event of one's own": "const c = await analytics.track('x'); c.event = {type: 'page'}; return c.event",
            "updateEvent of a list": "const c = await analytics.track('x'); c.updateEvent('properties.list.0', 'a'); c.updateEvent('properties.list.1.b', 1); return c.event.properties",
            "updateEvent over a text": "const c = await analytics.track('x', {a: 'text'}); c.updateEvent('properties.a.b', 1); return c.event.properties",
            "updateEvent of integrations": "const c = await analytics.track('x', {}, {integrations: {On: true, Off: false, Set: {a: 1}}}); c.updateEvent('integrations.On', {k: 1}); c.updateEvent('integrations.Off', {k: 1}); c.updateEvent('integrations.Off.k', 1); c.updateEvent('integrations.Set.b', 2); c.updateEvent('integrations.New', {k: 2}); return c.event.integrations",
            "updateEvent without integrations": "const c = await analytics.track('x'); delete c.event.integrations; c.updateEvent('integrations.New.k', 1); return c.event.integrations",
            "updateEvent gives the event": "const c = await analytics.track('x'); return c.updateEvent('properties.a', 1) === c.event",
            "levels of the log": "const c = new (await analytics.track('x')).constructor({type: 'track'}); for (const level of ['debug', 'info', 'warn', 'error']) c.log(level, 'of ' + level); return lines(c)",
            "a time in the log": "const c = await analytics.track('x'); c.log('info', 'm'); const l = c.logs().at(-1); return [l.time instanceof Date, Object.keys(l).sort()]",
            "the logger": "const c = await analytics.track('x'); c.logger.log('warn', 'mine'); return [c.logs() === c.logger.logs, c.logs().at(-1).message]",
            "stats": "const s = new (await analytics.track('x')).constructor({type: 'track'}).stats; const was = [...s.metrics]; s.increment('m', 5); s.increment('n'); s.gauge('g', 3, ['a:b']); return [was, s.metrics.map(({timestamp, ...m}) => [m, typeof timestamp]), s.serialize().map(({e, ...m}) => [m, typeof e])]",
            "a cancelation": "const c = await analytics.track('x'); let E; try { c.cancel(); } catch (e) { E = e.constructor; } const e = new E({retry: false, type: 'mine', reason: 'why'}), f = new E({}); return [e.retry, e.type, e.reason, f.retry, f.type, f.reason, e instanceof Error]",
            "a plugin that throws a cancelation of its own": "const c = await analytics.track('q'); let E; try { c.cancel(); } catch (e) { E = e.constructor; } await analytics.register(made('B', 'before', {track: () => { calls.push(1); throw new E({retry: false, type: 'mine', reason: 'why'}); }})); const d = await analytics.track('x', ...UNSENT); return [calls, lines(d), d.failedDelivery().reason.reason, d.failedDelivery().reason.type]",
            "an enrichment that cancels": "await analytics.register(made('E', 'enrichment', {track: (c) => c.cancel()})); const c = await analytics.track('x', ...UNSENT); return [lines(c), Boolean(c.failedDelivery())]",
            "a destination that cancels": "await analytics.register(made('D', 'destination', {track: (c) => c.cancel()})); const c = await analytics.track('x', ...UNSENT); return [lines(c), Boolean(c.failedDelivery())]",
            "what a registration's context tells": "const c = await analytics.register(made('B', 'before')); return [c.event, lines(c), c.stats.metrics.length, typeof c.id]",
            "own fields of a context": "const c = await analytics.track('x'); return Object.keys(c.toJSON()).sort()",
            "metrics in JSON": "const c = await analytics.track('x'); return c.toJSON().metrics.map((m) => m.metric)",
            "a failure that is no error": "await analytics.register(made('D', 'destination', {track: (c) => { c.setFailedDelivery({reason: 'text'}); return c; }})); analytics.queue.once('delivery_failure', (c, e) => calls.push([e instanceof Error, e.message])); const c = await analytics.track('x', ...UNSENT); return [calls, lines(c)]",
            "failures in the queue's words": "analytics.queue.once('flush', (c, ok) => calls.push(['flush', ok])); analytics.queue.once('delivery_failure', (c, e) => calls.push([e.constructor.name, e.message])); await analytics.register(made('B', 'before', {track: (c) => { let E; try { c.cancel(); } catch (e) { E = e.constructor; } throw new E({retry: false, reason: 'r'}); }})); await analytics.track('x', ...UNSENT); return calls.map((c) => c[0].length > 2 ? c[0] : 'E')",
        },
    ),
    behaviours(
        "Contexts: when the queue tells",
        {
            "message_enriched and plugins in turn": "const f = (c, p) => calls.push(['enriched', p.name, c.event.properties.n]); analytics.queue.on('message_enriched', f); const put = (n, k) => made(n, k, {track: (c) => { calls.push(n); c.event.properties.n = n; return c; }}); await analytics.register(put('E', 'enrichment'), put('B', 'before'), put('D', 'destination'), put('A', 'after')); await analytics.track('x', ...UNSENT); analytics.queue.off('message_enriched', f); return calls",
            "message_delivered, after plugins and success": "const all = ['message_delivered', 'delivery_success'].map((n) => [n, () => calls.push(n)]); all.forEach((a) => analytics.queue.on(...a)); const put = (n, k) => made(n, k, {track: (c) => { calls.push(n); return c; }}); await analytics.register(put('D', 'destination'), put('A', 'after')); await analytics.track('x', ...UNSENT); all.forEach((a) => analytics.queue.off(...a)); return calls",
            "message_enriched of a plugin without a hook": "const f = (c, p) => calls.push(p.name); analytics.queue.on('message_enriched', f); await analytics.register(made('B', 'before'), made('E', 'enrichment')); await analytics.identify('u'); analytics.queue.off('message_enriched', f); return calls",
            "message_enriched of an enrichment that fails": "const f = (c, p) => calls.push(p.name); analytics.queue.on('message_enriched', f); await analytics.register(made('E', 'enrichment', {track: () => { throw new Error('no'); }})); await analytics.track('x'); analytics.queue.off('message_enriched', f); return calls",
            "message_enriched of a before plugin that fails": "const f = (c, p) => calls.push(p.name); analytics.queue.on('message_enriched', f); let n = 0; await analytics.register(made('B', 'before', {track: (c) => { if (!n++) throw new Error('no'); return c; }})); await analytics.track('x'); analytics.queue.off('message_enriched', f); return calls",
            "message_enriched is told of the plugin itself": "const p = made('B', 'before', {track: (c) => c}); const f = (c, one) => calls.push(one === p); analytics.queue.on('message_enriched', f); await analytics.register(p); await analytics.track('x'); analytics.queue.off('message_enriched', f); return calls.at(-1)",
            "message_enriched is told of the very context": "let got; const f = (c) => { got = c; }; analytics.queue.on('message_enriched', f); await analytics.register(made('B', 'before', {track: (c) => c})); const c = await analytics.track('x'); analytics.queue.off('message_enriched', f); return got === c",
            "what message_enriched changes is sent": "const f = (c, p) => { if (p.name === 'B') c.event.properties.told = 1; }; analytics.queue.on('message_enriched', f); await analytics.register(made('B', 'before', {track: (c) => c})); const c = await analytics.track('x'); analytics.queue.off('message_enriched', f); return c.event.properties",
            "dispatch_start is told at once": "const f = (c) => calls.push([c.event.event, typeof c.id]); analytics.on('dispatch_start', f); const call = analytics.track('x'); const at = calls.length; await call; analytics.off('dispatch_start', f); return [at, calls]",
            "what dispatch_start changes is sent": "const f = (c) => { c.event.properties.told = 2; }; analytics.on('dispatch_start', f); const c = await analytics.track('x'); analytics.off('dispatch_start', f); return c.event.properties",
            "dispatch_start has what was called": "const f = (c) => calls.push([c.event.properties, c.event.userId, typeof c.event.anonymousId, typeof c.event.messageId]); analytics.on('dispatch_start', f); await analytics.track('x', {a: 1}); analytics.off('dispatch_start', f); return calls",
            "message_enriched of each kind": "const f = (c, p) => calls.push([c.event.type, p.name]); analytics.queue.on('message_enriched', f); await analytics.page('p'); await analytics.identify('u'); await analytics.group('g'); await analytics.screen('s'); analytics.queue.off('message_enriched', f); return calls",
            "retries are told": "const f = (c) => calls.push([c.attempts]); analytics.queue.on('delivery_retry', f); let n = 0; await analytics.register(made('B', 'before', {track: (c) => { if (n++ < 1) throw new Error('no'); return c; }})); const c = await analytics.track('x'); analytics.queue.off('delivery_retry', f); return [calls, c.attempts, Boolean(c.failedDelivery())]",
        },
        patience=6000,
    ),
    early(
        "When the write key is there",
        "window.keys = [analytics._writeKey]; analytics.on('initialize', () => keys.push(typeof window.analytics._writeKey)); analytics.ready(() => keys.push(typeof window.analytics.VERSION))",
        "return [keys[0], keys.length, keys.at(-1), analytics.settings.writeKey]",
    ),
    behaviours(
        "When a page's policy refuses the library's files",
        {
            f"a violation that is {what}": f"const e = new Event('securitypolicyviolation'); Object.assign(e, {{blockedURI: 'https://cdn.segment.com/x.js', disposition: '{what}'}}); document.dispatchEvent(e); await after(150); return [...document.scripts].filter(({{src}}) => /classic/.test(src)).length"
            for what in ("report", "enforce")
        },
        intended={".told[0].a violation that is enforce": "classic-fallback"},
    ),
    early(
        "What initialize tells",
        "analytics.on('initialize', (...given) => heard.push(given.length, given[0] && given[0].writeKey, typeof given[1]))",
        "return heard",
    ),
    early(
        "When initialize is told",
        "analytics.on('initialize', function () { heard.push(['initialize', this.initialized]); }); analytics.track('a', () => heard.push('track')); analytics.register({name: 'P', type: 'before', version: '1', isLoaded: () => true, load: async () => { heard.push('load'); }, track: (c) => { heard.push('plugin'); return c; }})",
        "await new Promise((go) => setTimeout(go, 700)); return heard.filter((one, at) => heard.indexOf(one) === at).map(String)",
    ),
    behaviours(
        "Plugins, closer",
        {
            "hooks know their plugin": "const p = made('B', 'before', {own: 5, track(c) { calls.push(this === p, this.own); return c; }}); await analytics.register(p); await analytics.track('x'); return calls",
            "another context in return": "await analytics.register(made('B', 'before', {track: (c) => new c.constructor({...c.event, event: 'Other'}, c.id)})); const c = await analytics.track('x', ...UNSENT); return c.event.event",
            "an enrichment's other context": "await analytics.register(made('E', 'enrichment', {track: (c) => new c.constructor({...c.event, properties: {b: 2}}, c.id)})); const c = await analytics.track('x', ...UNSENT); return c.event.properties",
            "registering nothing": "const c = await analytics.register(); return [c.event, lines(c)]",
            "several, one of which fails": "const c = await analytics.register(made('A', 'before'), made('B', 'before', {load: () => Promise.reject(new Error('no'))}), made('C', 'enrichment')); return [lines(c), analytics.queue.plugins.map((p) => p.name).filter((n) => n.length === 1)]",
            "a load that throws at once": "const r = await outcome(analytics.register(made('B', 'before', {load: () => { throw new Error('no'); }}))); return [r[0], analytics.queue.plugins.map((p) => p.name).includes('B')]",
            "three at once that a plugin stops": "await analytics.register(made('B', 'before', {track: (c) => { calls.push(1); let E; try { c.cancel(); } catch (e) { E = e.constructor; } throw new E({retry: false}); }})); const all = await Promise.all(['a', 'b', 'c'].map((n) => analytics.track(n, ...UNSENT))); return [calls.length, all.map((c) => Boolean(c.failedDelivery()))]",
            "three at once that destinations fail on": "await analytics.register(made('D', 'destination', {track: () => { calls.push(1); throw new Error('no'); }})); const all = await Promise.all(['a', 'b', 'c'].map((n) => analytics.track(n))); return [calls.length, all.map((c) => Boolean(c.failedDelivery()))]",
            "a plugin that adds one": "await analytics.register(made('A', 'before', {load: async (c, a) => { await a.register(made('Z', 'before', {track: (c) => { calls.push(c.event.event); return c; }})); }})); await analytics.track('x'); await analytics.deregister('Z'); return calls",
            "a plugin that tracks": "await analytics.register(made('A', 'after', {track: (c) => { if (c.event.event === 'x') void analytics.track('y'); return c; }})); await analytics.track('x'); await after(300); return 1",
            "unload is told": "await analytics.register(made('B', 'before', {unload: (c, a) => { calls.push([typeof c.logs, a === analytics]); }})); await analytics.deregister('B'); return calls",
            "deregistering twice": "await analytics.register(made('B', 'before')); await analytics.deregister('B'); return lines(await analytics.deregister('B'))",
            "a payload of one's own to next": "await analytics.addSourceMiddleware(({payload, next}) => { payload.obj = {...payload.obj, event: 'Swapped'}; next(payload); }); return (await analytics.track('x', ...UNSENT)).event.event",
            "another payload to next": "await analytics.addSourceMiddleware(({payload, next}) => next({obj: {...payload.obj, event: 'Swapped'}})); return (await analytics.track('x', ...UNSENT)).event.event",
            "middleware's words for an event": "await analytics.addSourceMiddleware(({payload, next}) => { calls.push([payload.action(), payload.obj.type, payload.userId(), typeof payload.anonymousId(), payload.type() === 'identify' ? payload.traits() : payload.properties()]); next(payload); }); await analytics.identify('u', {t: 1}); await analytics.page('c', 'n', {p: 1}); await analytics.track('e', {q: 1}); return calls.map((c) => [...c.slice(0, 4), Object.keys(c[4]).sort()])",
            "middleware that throws": "let n = 0; await analytics.addSourceMiddleware(({payload, next}) => { if (!n++) throw new Error('no'); next(payload); }); const c = await analytics.track('x', ...UNSENT); return [n, lines(c), c.attempts, Boolean(c.failedDelivery())]",
            "destination middleware that throws": "const back = await analytics.addDestinationMiddleware('Q', () => { throw new Error('no'); }); return back === analytics",
            "a destination sees identify and group": "const put = (c) => { calls.push([c.event.type, c.event.userId, c.event.groupId, c.event.traits]); return c; }; await analytics.register(made('D', 'destination', {identify: put, group: put, page: put, alias: put, screen: put})); await analytics.identify('u', {a: 1}); await analytics.group('g', {b: 1}); await analytics.page(); await analytics.screen('s'); return calls",
            "isLoaded is not asked": "await analytics.register(made('D', 'destination', {isLoaded: () => { calls.push('asked'); return false; }, track: (c) => { calls.push('track'); return c; }})); await analytics.track('x'); return calls",
            "a plugin's version and type are shown": "await analytics.register({...made('B', 'before'), version: '2.3', more: 1}); const p = analytics.queue.plugins.find((p) => p.name === 'B'); return [p.version, p.type, p.more, typeof p.load]",
            "enrichment in the order of registration": "const put = (n) => made(n, 'enrichment', {track: (c) => { c.event.properties.order = (c.event.properties.order || '') + n; return c; }}); await analytics.register(put('1'), put('2')); await analytics.register(put('3')); return (await analytics.track('x')).event.properties",
            "ready without a callback": "return Array.isArray(await analytics.ready())",
            "ready with a callback that throws": "return (await outcome(analytics.ready(() => { throw new Error('no'); })))[0]",
            "ready of a plugin registered later": "await analytics.ready(); await analytics.register(made('L', 'destination', {ready: async () => { calls.push('ready'); return 7; }})); const all = await analytics.ready(); return [calls, all.includes(7)]",
        },
        patience=5000,
    ),
    early(
        "Plugins: a slow one of the page's holds early calls",
        "analytics.register({name: 'Slow', type: 'enrichment', version: '1', isLoaded: () => true, load: () => new Promise((go) => setTimeout(go, 200)), track: (c) => { c.event.properties.slow = 1; return c; }}); analytics.track('a')",
        "await new Promise((go) => setTimeout(go, 500)); return 1",
    ),
    early(
        "Plugins: middleware of the page's before a link's calls",
        "analytics.addSourceMiddleware(({payload, next}) => { payload.obj.context.mine = 1; next(payload); })",
        "await new Promise((go) => setTimeout(go, 200)); return 1",
    ),
    scenario(
        "Plugins: a link's id comes before early calls",
        Visit(
            "/?ajs_aid=a9&ajs_event=Linked",
            early="analytics.addSourceMiddleware(({payload, next}) => { payload.obj.context.mine = 1; next(payload); }); analytics.track('a')",
        ),
        "return analytics.user().anonymousId()",
    ),
    *(
        behaviours(
            f"Settings: disable is {value}",
            {"state": "return [analytics.initialized, analytics.queue.plugins.length > 0]"},
            load_script={"disable": value},
        )
        for value in ("{}", "'yes'", "1", "null", "false", "() => 'yes'", "() => 0")
    ),
    behaviours(
        "Settings: disable sees the settings",
        {"x": "return window.sawSettings"},
        load_script={"disable": "(s) => { window.sawSettings = Object.keys(s.integrations); return false; }"},
    ),
    behaviours(
        "Settings: stores as objects",
        {
            "x": "await analytics.identify('u', {a: 1}); return [document.cookie.includes('ajs_user_id=u'), localStorage.getItem('ajs_user_id'), localStorage.getItem('ajs_user_traits')]"
        },
        load={"storage": {"stores": [{"name": "cookie", "settings": {"maxage": 5}}, "localStorage", "memory"]}},
    ),
    behaviours(
        "Settings: what was asked for",
        {
            "x": "return [analytics.options.mine, analytics.options.integrations, analytics.settings.cdnURL === undefined, analytics.settings.apiHost]"
        },
        load={"mine": 1, "integrations": {"A": True}},
    ),
    behaviours(
        "Settings: timeouts",
        {"x": "const t = analytics.settings.timeout; analytics.timeout(750); return [t, analytics.settings.timeout]"},
        timeout=300,
    ),
    behaviours(
        "Settings: integrations of one event lie over the page's",
        {
            "x": "return (await analytics.track('x', {}, {integrations: {A: true, C: {d: 1}}})).event.integrations",
            "none": "return (await analytics.track('x')).event.integrations",
        },
        load={"integrations": {"A": False, "B": {"k": 1}, "All": True}},
    ),
    behaviours(
        "Settings: retryQueue true",
        {"x": "return [analytics.options.retryQueue, analytics.queue.queue.maxAttempts]"},
        load={"retryQueue": True},
    ),
    behaviours(
        "Settings: retryQueue false",
        {"x": "return [analytics.options.retryQueue, analytics.queue.queue.maxAttempts]"},
        load={"retryQueue": False},
    ),
    scenario(
        "Settings: a plugin's settings are laid over one another",
        "await analytics.track('x'); return seen[0]",
        load={"integrations": {"One": {"nested": {"b": 2}, "more": 1}, "Unknown": {"x": 1}}},
        load_script=settings(
            remote("One", destination(1), "{nested: {a: 1}, own: true}"),
            more=", integrations: {...settings.integrations, One: {nested: {c: 3}, theirs: 1}}",
        ),
    ),
    scenario(
        "Settings: a plugin's settings where the page says only yes",
        "await analytics.track('x'); return seen[0]",
        load={"integrations": {"One": True}},
        load_script=settings(
            remote("One", destination(1), "{own: true}"),
            more=", integrations: {...settings.integrations, One: {theirs: 1}}",
        ),
    ),
    plan(
        "Plan: an integration that is on",
        "x: {enabled: true, integrations: {One: true}}",
        "const c = await analytics.track('x'); return [seen, c.event.integrations]",
    ),
    plan(
        "Plan: an integration that is off",
        "x: {enabled: true, integrations: {One: false}}",
        "const c = await analytics.track('x'); return [seen, c.event.integrations]",
    ),
    plan(
        "Plan: an integration of the call's own",
        "x: {enabled: true, integrations: {One: false}}",
        "const c = await analytics.track('x', {}, {integrations: {One: true, Two: {a: 1}}}); return [seen, c.event.integrations]",
    ),
    plan(
        "Plan: an event that is off",
        "x: {enabled: false, integrations: {}}",
        "const c = await analytics.track('x'); return [seen, c.event.integrations, Boolean(c.failedDelivery())]",
    ),
    plan(
        "Plan: an event that is off, with an integration that is on",
        "x: {enabled: false, integrations: {One: true}}",
        "const c = await analytics.track('x'); return [seen, c.event.integrations]",
    ),
    plan(
        "Plan: an event that is not in it",
        "y: {enabled: false}",
        "const c = await analytics.track('x'); return [seen, c.event.integrations]",
    ),
    plan(
        "Plan: other kinds of events",
        "y: {enabled: false}",
        "const a = await analytics.page('y'), b = await analytics.identify('y'); return [a.event.integrations, b.event.integrations]",
    ),
    scenario(
        "Plan: unplanned events are off, planned ones on",
        "const told = []; for (const name of ['x', 'y']) told.push((await analytics.track(name)).event.integrations); return [seen, told]",
        load_script={
            **settings(remote("One", destination(1)), more=INTEGRATIONS),
            "plan": "{track: {__default: {enabled: false, integrations: {}}, x: {enabled: true, integrations: {}}}}",
        },
    ),
    scenario(
        "Plan: the page's own lies over the source's",
        "for (const name of ['x', 'y']) await analytics.track(name); return seen",
        load={"plan": {"track": {"x": {"enabled": False, "integrations": {}}}}},
        load_script=settings(
            remote("One", destination(1)), more=", plan: {track: {y: {enabled: false, integrations: {}}}}"
        ),
    ),
)
