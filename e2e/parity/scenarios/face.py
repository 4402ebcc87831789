"""What a page finds of ``window.analytics`` beside the calls: listeners, the queue, contexts, older names."""

from parity.story import Answer, Posts, Visit, scenario

PLUGIN = "{name: 'mine', version: '1', isLoaded: () => true, load: async () => {}, "
QUEUE = "['message_enriched', 'message_delivered', 'delivery_success', 'delivery_failure', 'delivery_retry', 'initialization_failure', 'flush']"
WHY = "const why = async (call) => { try { await call(); return 'ok'; } catch (error) { return [error.name, error.message]; } };"
STUBS = "['log', 'addIntegrationMiddleware', 'listeners', 'addEventListener', 'removeAllListeners', 'removeListener', 'removeEventListener', 'hasListeners', 'add', 'addIntegration']"
FLUSHED = "const lines = [], own = {...console}; for (const way of ['table', 'log', 'debug', 'info', 'warn', 'error']) console[way] = (...all) => lines.push([way, all.map((one) => Object(one) !== one ? one : Object.values(one).map(({timestamp, ...row}) => row.level ? [row.level, row.message] : row))]);"
"""Writes down what is written to the console."""

SCENARIOS = (
    scenario(
        "ready gives what plugins gave",
        f"await analytics.register({{...{PLUGIN} type: 'enrichment'}}, ready: async () => 5}}); let got; const all = await analytics.ready((given) => {{ got = given; }}); return [all, got, all.length]",
    ),
    scenario(
        "register and deregister give a context",
        f"const r = await analytics.register({PLUGIN} type: 'enrichment'}}); const d = await analytics.deregister('mine', 'none'); return [r.event, r.logs(), d.logs().map((line) => line.message), analytics.queue.plugins.map((one) => one.name)]",
    ),
    scenario(
        "emit, and what listeners are called as",
        "const seen = []; analytics.on('hey', function (...args) { seen.push([args, this === analytics]); }); analytics.once('hey', () => seen.push('once')); analytics.emit('hey', 1, {a: 1}); analytics.emit('hey'); analytics.on('track', function (...args) { seen.push([args.length, args, this === analytics]); }); await analytics.track('x'); return seen",
    ),
    scenario(
        "Listeners that came before the library are told three things",
        Visit(
            early="window.seen = []; analytics.on('track', (...args) => seen.push([args.length, args])); analytics.track('foo', {a: 1})"
        ),
        "return seen",
    ),
    scenario(
        "One warning at the eleventh listener",
        "const lines = [], {warn} = console; console.warn = () => lines.push(1); for (let i = 0; i < 12; i++) analytics.on('z', () => {}); console.warn = warn; return lines.length",
    ),
    scenario(
        "A page may choose at how many listeners it is warned",
        "const lines = [], {warn} = console, add = (name, most) => { analytics.maxListeners = most; for (let i = 0; i < 14; i++) analytics.on(name, () => {}); return lines.length; }; console.warn = () => lines.push(1); const told = [analytics.maxListeners, add('x', 0), add('y', 14), add('z', 3), analytics.maxListeners]; console.warn = warn; return told",
    ),
    scenario(
        "What the queue tells",
        f"const seen = []; for (const name of {QUEUE}) analytics.queue.on(name, (...args) => seen.push([name, args.length, args[1] && args[1].name])); await analytics.track('x'); await analytics.register({{...{PLUGIN} type: 'before'}}, load: () => Promise.reject(1)}}); return [seen, analytics.queue.failedInitializations, analytics.failedInitializations]",
    ),
    scenario(
        "Settings, options and integrations",
        "const {writeKey, timeout} = analytics.settings; return [writeKey, timeout, analytics.options, analytics.integrations, analytics.Integrations, analytics.plugins, analytics.failedInitializations, analytics.user().options, analytics.group().options, typeof __SEGMENT_INSPECTOR__]",
        load={"integrations": {"A": {"k": 1}, "B": True}},
    ),
    scenario(
        "The inspector is given the library",
        Visit(
            head="<script>window.__SEGMENT_INSPECTOR__ = {attach: (given) => { window.attached = [typeof given.track, given.initialized]; }}</script>"
        ),
        "return attached",
    ),
    scenario(
        "The classic library's methods",
        f"return {STUBS}.map((name) => [name, typeof analytics[name], analytics[name]()])",
        "const mine = analytics, same = mine.noConflict() === mine; window.analytics = mine; const made = analytics.normalize({type: 'track', event: 'x', properties: {}, options: {context: {a: 1}, integrations: {I: {k: 1}}}}); return [same, made.type, made.event, made.context, made.integrations, typeof made.messageId, made.anonymousId === analytics.user().anonymousId()]",
    ),
    scenario(
        "queryString makes the calls of a text",
        "const made = await analytics.queryString('?ajs_uid=u&ajs_event=e&ajs_prop_a=%zz+b&ajs_trait_t=1'); return made.map(({event}) => [event.type, event.event, event.properties, event.traits])",
    ),
    scenario(
        "Contexts tell what has happened",
        "const c = await analytics.track('x'), d = await analytics.track('y'); return [c.isSame(d), c.isSame(c), Object.keys(c.toJSON()), c.stats.metrics.map((one) => [one.metric, one.type, one.tags]), c.logs().map((line) => [line.level, line.message]), c.attempts, c.stats.serialize()[0].k]",
    ),
    scenario(
        "A context writes its log and figures to the console",
        f"{FLUSHED} const c = await analytics.track('x'); c.logger.flush(); c.stats.metrics.length = 0; c.stats.increment('m', 2, ['a:1', 'b:2']); c.stats.flush(); for (const level of ['debug', 'info', 'warn', 'error']) {{ c.log(level, 'one', level === 'warn' ? {{a: 1}} : undefined); c.flush(); }} Object.assign(console, own); return [lines, c.logs(), c.stats.metrics]",
    ),
    scenario(
        "Callbacks that throw, reject and never end",
        "const ways = [() => { throw new Error('no'); }, () => Promise.reject(new Error('no')), () => new Promise(() => {})]; const all = await Promise.all(ways.map((way) => analytics.track('x', {}, {}, way))); return all.map((c) => c.logs().filter((line) => line.level === 'warn').map((line) => [line.message, line.extras.error.message]))",
    ),
    scenario(
        "Arguments that are refused",
        f"{WHY} return [await why(() => analytics.track()), await why(() => analytics.track('')), await why(() => analytics.track({{}})), await why(() => analytics.track('x', {{}}, {{messageId: 5}})), await why(() => analytics.trackForm(['a'], 'x'))]",
        "void analytics.track()",
    ),
    scenario(
        "Page properties that are undefined or null",
        "await analytics.page({title: undefined, path: null}); await analytics.page('n', {url: undefined, search: null, referrer: 'r'}); await analytics.track('t', {title: undefined})",
    ),
    scenario(
        "A search that is an object",
        "await analytics.page({search: {utm_source: 'a', utm_campaign: ['b', 'c'], x: 'y z'}}); await analytics.track('t', {}, {context: {page: {search: {utm_medium: 'm'}}}})",
    ),
    scenario(
        "Several values of one campaign parameter, and malformed ones",
        Visit("/?utm_source=a&utm_source=b&utm_medium=%zz+b&utm_&xutm_foo=1&utm_x"),
        "await analytics.track('t')",
    ),
    scenario(
        "Settings of the page's integrations are not sent",
        "await analytics.track('t'); await analytics.track('u', {}, {integrations: {A: {k: 2}, C: false}}); await analytics.identify('u')",
        load={"integrations": {"A": {"k": 1}, "B": True, "D": False}},
    ),
    scenario(
        "load() finds what the oldest library has left meanwhile",
        "document.cookie = 'ajs_user=' + encodeURIComponent(JSON.stringify({id: 'legacy', traits: {a: 1}})) + ';path=/'; const user = analytics.user().load(); return [user.id(), user.traits(), analytics.user().id()]",
    ),
    scenario(
        "What is disabled asks nobody for settings",
        "await analytics.track('x'); return performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/settings')).length",
        load={"disable": True},
    ),
    scenario(
        "The options of what is disabled",
        "return analytics.options",
        load={"disable": True, "initialPageview": True},
    ),
    scenario(
        "An event of nobody known, as plugins see it",
        "let seen; await analytics.addSourceMiddleware(({payload, next}) => { seen = Object.keys(payload.json()).sort(); next(payload); }); const c = await analytics.track('x'); return [seen, c.event.userId === undefined]",
    ),
    scenario(
        "What a refused event's context tells",
        Visit(),
        Posts(1),
        Answer((400,)),
        "const c = await analytics.track('x'); return [Boolean(c.failedDelivery()), c.logs().map((line) => [line.level, line.message]), c.stats.metrics.map((one) => one.metric)]",
        Posts(2),
    ),
)
