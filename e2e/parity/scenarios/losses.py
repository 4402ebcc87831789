"""What a page's plugins and calls may do wrong without losing an event or holding a call up."""

from parity.story import Find, Posts, Visit, scenario

PLUGIN = "{name: 'mine', version: '1', isLoaded: () => true, load: async () => {}, "
ENDLESS = (
    "{name: 'endless', type: 'destination', version: '1', isLoaded: () => false, load: () => new Promise(() => {})}"
)
LOGS = "c.logs().map((line) => [line.level, line.message, line.extras && line.extras.plugin])"

SCENARIOS = (
    scenario(
        "An enrichment that rejects with text",
        f"await analytics.register({PLUGIN} type: 'enrichment', track: () => Promise.reject('foo')}}); const c = await analytics.track('On'); return [{LOGS}, c.failedDelivery() === undefined]",
    ),
    scenario(
        "A plugin whose load rejects with text",
        f"const r = await analytics.register({{...{PLUGIN} type: 'enrichment'}}, load: () => Promise.reject('foo')}}); await analytics.track('On'); return [r.logs().map((line) => [line.level, line.message, line.extras]), analytics.queue.plugins.map((one) => one.name), analytics.queue.failedInitializations]",
    ),
    scenario(
        "A plugin that writes into the event's log",
        f"await analytics.register({PLUGIN} type: 'before', track: (c) => {{ c.log('info', 'x'); return c; }}}}); const c = await analytics.track('On'); return {LOGS}",
    ),
    scenario(
        "A plugin that throws once",
        f"let n = 0; await analytics.register({PLUGIN} type: 'before', track: (c) => {{ if (!n++) throw new Error('no'); return c; }}}}); const c = await analytics.track('On'); return [n, c.attempts, {LOGS}]",
    ),
    scenario(
        "A plugin that cancels once",
        f"let n = 0; await analytics.register({PLUGIN} type: 'before', track: (c) => {{ if (!n++) c.cancel(); return c; }}}}); const c = await analytics.track('On'); return [n, c.attempts]",
    ),
    scenario(
        "A middleware that rejects with text is tried again",
        "let n = 0; await analytics.addSourceMiddleware(({payload, next}) => n++ ? next(payload) : Promise.reject('foo')); await analytics.track('On'); return n",
    ),
    scenario(
        "An event that a plugin has failed on is the next page's",
        f"await analytics.register({PLUGIN} type: 'before', track: () => {{ throw new Error('no'); }}}}); void analytics.track('Held', {{a: 1}}); await new Promise((go) => setTimeout(go, 100))",
        Visit("/next"),
        Posts(3),
    ),
    scenario(
        "A function that throws before the library is up",
        Visit(
            early="console.error = () => {}; analytics.push(['use', () => { throw 1; }]); analytics.track('On'); analytics.push(['nonsense']); analytics.track('Off')"
        ),
    ),
    scenario(
        "A destination that never loads holds nothing up",
        Visit(
            early=f"const begun = performance.now(); analytics.on('initialize', () => (window.took = performance.now() - begun)); analytics.register({ENDLESS}); analytics.track('On')"
        ),
        f"await analytics.register({ENDLESS}); return took < 4000",
    ),
    scenario(
        "alias without ids names the known visitor",
        Find(cookies=("ajs_user_id=dan",)),
        Visit(),
        "await analytics.alias()",
        intended={".events[0].body.context.satsuma": "diagnostics"},
    ),
    scenario(
        "alias without ids of an unknown visitor",
        "await analytics.alias(); await analytics.alias(undefined, 'b')",
        intended={".events": "nobody"},
    ),
    scenario(
        "Storage of the page in memory",
        "analytics.storage.set('k', {a: 1}); return analytics.storage.get('k')",
        load={"storage": {"stores": ["memory"]}},
    ),
    scenario(
        "Storage of the page that keeps nothing",
        "analytics.storage.set('k', {a: 1}); return analytics.storage.get('k')",
        load={"disableClientPersistence": True},
    ),
)
