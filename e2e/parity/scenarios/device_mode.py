"""Destinations that work in the page: what the source's settings load, and what its tracking plan lets them have."""

from __future__ import annotations

from typing import Any

from parity.story import Visit, scenario

DESTINATION = """(settings) => ({name: 'act %s', type: 'destination', version: '1', isLoaded: () => true,
    load: async () => { seen.push(['load', settings]); },
    track: (c) => { seen.push(['%s', c.event.event]); c.event.event = 'changed'; return c; }})"""
ENRICHMENT = """(settings) => ({name: 'enr', type: 'enrichment', version: '1', isLoaded: () => true, load: async () => {},
    track: (c) => { c.event.properties.enriched = settings.v; return c; }})"""
FAILING = """() => ({name: 'bad', type: 'destination', version: '1', isLoaded: () => false, load: () => Promise.reject('no'),
    track: () => { seen.push(1); }})"""
INTEGRATIONS = """, integrations: {...settings.integrations, One: {bundlingStatus: 'unbundled', k: 1},
    Two: {bundlingStatus: 'bundled', versionSettings: {componentTypes: []}}}"""
PLAN = """, plan: {track: {__default: {enabled: false}, off: {enabled: false}, on: {enabled: true, integrations: {}},
    some: {enabled: true, integrations: {One: false}}}, identify: {__default: {enabled: false}}}"""


LISTENING = """analytics.register({name: 'mine', type: 'before', version: '1', isLoaded: () => true,
    load: async () => { heard.push('load'); }, track: (c) => { heard.push(c.event.event); return c; }});
    analytics.addSourceMiddleware(({payload, next}) => { heard.push('middleware'); next(payload); })"""
"""A plugin and a middleware of the page's own that come before the library."""

MIDDLEWARE = """(settings) => {
    window.seen = [];
    const code = "window['analytics.js-middleware-goodMiddleware'] = ({payload, next}) => { payload.obj.properties.m = 1; next(payload); }";
    for (const way of ['appendChild', 'insertBefore']) {
        const own = Node.prototype[way];
        Node.prototype[way] = function (element, ...more) {
            if (String(element.src).includes('/next-integrations/middleware/')) {
                seen.push(new URL(element.src).pathname);
                element.src = 'data:text/javascript,' + encodeURIComponent(code);
            }
            return own.call(this, element, ...more);
        };
    }
    return {...settings, enabledMiddleware: {'@segment/analytics.js-middleware-good': true, 'analytics.js-middleware-off': false}};
}"""
"""The script that the library asks for is given by the page itself: no CDN of a test has it."""


def remote(name: str, code: str, settings: str = "{}", creation_name: str = "") -> str:
    """Return an entry of ``remotePlugins``, whose script is JavaScript that makes a plugin."""
    library = "".join(filter(str.isalnum, name))
    script = f"'data:text/javascript,' + encodeURIComponent({f'window.{library} = {code}'!r})"
    names = f"name: '{name}', creationName: '{creation_name or name}', libraryName: '{library}'"
    return f"{{{names}, settings: {settings}, url: {script}}}"


def destination(number: int) -> str:
    """Return the code of a plugin that tells what it sees."""
    return DESTINATION % (number, number)


def settings(*remotes: str, more: str = "") -> dict[str, Any]:
    """Return the load options that lay remote plugins over the source's settings."""
    laid = f"{{...settings, remotePlugins: [{', '.join(remotes)}]{more}}}"
    return {"updateCDNSettings": f"(settings) => {{ window.seen = []; return {laid}; }}"}


ACTIONS = """(settings) => settings.subscriptions.map(({partnerAction}) => ({name: 'act ' + partnerAction, type: 'destination',
    version: '1', isLoaded: () => true, load: async () => {}, track: (c) => { seen.push([partnerAction, c.event.event]); return c; }}))"""
"""A factory that makes a plugin of each subscription, as those of Segment's actions do."""

SUBSCRIBED = "{subscriptions: [{partnerAction: 'Track'}, {partnerAction: 'Purchase'}]}"
PLANNED = """, plan: {track: {hi: {enabled: true, integrations: {Full: false}}, alike: {enabled: true, integrations: {Ful: false}},
    named: {enabled: true, integrations: {'Full (Actions)': false}}, __default: {enabled: true, integrations: {}}}}"""


SEES_ALL = """(settings) => ({name: 'act', type: 'destination', version: '1', isLoaded: () => true, load: async () => {},
    track: (c) => { seen.push([c.event.event, c.event.properties]); return c; }})"""
"""A destination that tells which events it gets, with their properties."""

ROUTED = "await analytics.track('Bad', {a: 1, b: 2, s: 'x.com'}); await analytics.track('Good', {a: 1}); return seen"


def routing(*rules: str) -> dict[str, Any]:
    """Return the load options with routing rules for a destination of two names, ``New One`` and ``One``."""
    more = f", middlewareSettings: {{routingRules: [{', '.join(rules)}]}}"
    return settings(remote("New One", SEES_ALL, "{}", "One"), more=more)


def rule(expression: str, transformer: str = "{type: 'drop'}", name: str = ", destinationName: 'One'") -> str:
    """Return a routing rule with one matcher, whose expression is JSON, and one transformer."""
    return f"{{matchers: [{{type: 'fql', ir: {expression!r}}}], transformers: [[{transformer}]]{name}}}"


IS_BAD = '["=", "event", {"value": "Bad"}]'
EXPRESSIONS = (
    '["!", ["=", "event", {"value": "Bad"}]]',
    '["and", ["=", ["lowercase", "event"], {"value": "bad"}], [">", "properties.a", {"value": 0}]]',
    '["or", ["=", "type", {"value": "page"}], ["match", "properties.s", {"value": "*.com"}]]',
    '["=", ["length", "properties.s"], {"value": 5}]',
    '["=", ["typeof", "properties.s"], {"value": "string"}]',
    '["unheard"]',
)
CHANGES = {
    "drops properties": "{type: 'drop_properties', config: {drop: {properties: ['a']}}}",
    "allows properties": "{type: 'allow_properties', config: {allow: {properties: ['a']}}}",
    "maps properties": "{type: 'map_properties', config: {map: {'properties.c': {copy: 'properties.a'}, 'properties.d': {set: 5}, 'properties.a': {move: 'properties.b'}}}}",
    "leaves hashes to the server": "{type: 'hash_properties', config: {}}",
}

OWN_FILES = """<script>window.asked = []; for (const way of ['appendChild', 'insertBefore']) { const own = Node.prototype[way];
    Node.prototype[way] = function (element, ...more) { if (/next-integrations|actions/.test(element.src)) {
        asked.push(new URL(element.src).pathname);
        element.src = 'data:text/javascript,' + encodeURIComponent(given(element.src)); }
        return own.call(this, element, ...more); }; }
    const given = (src) => src.includes('/middleware/') ? "window['goodMiddleware'] = ({payload, next}) => { payload.obj.properties.m = 1; next(payload); }"
        : "window.one = () => ({name: 'act', type: 'destination', version: '1', isLoaded: () => true, load: async () => {}, track: (c) => c})";
</script>"""
"""Gives the files of the settings itself, and writes down which were asked for."""

OBFUSCATED = """(settings) => ({...settings, enabledMiddleware: {'@segment/good': true},
    remotePlugins: [{name: 'One', creationName: 'One', url: 'https://cdn.segment.com/actions/to/file.js', libraryName: 'one', settings: {}}]})"""

EACH = "Object.groupBy(seen, ([first, second]) => ['made', 'initialized'].includes(first) ? second : first)"
"""What each classic destination was given. Whose script is there first is by chance."""

CLASSIC_FILES = """<script>window.seen = []; window.asked = []; for (const way of ['appendChild', 'insertBefore']) { const own = Node.prototype[way];
    Node.prototype[way] = function (element, ...more) {
        const found = /next-integrations\\/integrations\\/([^/]*)/.exec(element.src);
        if (found) { asked.push(new URL(element.src).pathname); element.src = 'data:text/javascript,' + encodeURIComponent(`(${leave})('${found[1]}')`); }
        return own.call(this, element, ...more); }; }
    function leave(file) {
        window[file + 'Deps'] = [];
        window[file + 'Integration'] = class { constructor(options) { seen.push(['made', file, JSON.parse(JSON.stringify(options))]); this.all = {}; }
            once(name, listener) { (this.all[name] ??= []).push(listener); } on(name, listener) { this.once(name, listener); }
            emit(name) { this.all[name].forEach((listener) => listener()); }
            initialize() { seen.push(['initialized', file, typeof this.analytics.track]); this.emit('initialize'); this.emit('ready'); }
            invoke(method, event) { seen.push([file, method, event.type(), event.event && event.event(), method !== 'identify' && event.properties(), event.traits(), event.timestamp() instanceof Date]); } };
        window[file + 'Loader'] = () => {};
    }
</script>"""
"""Gives the files of classic destinations itself, and writes down which were asked for, and what they see."""

NAMED = "analytics.queue.plugins.map(({name, type, version}) => [name, type, name.includes(' ') || version])"
MANY = """WithNoVersion: {type: 'browser'}, WithComponents: {versionSettings: {componentTypes: ['browser']}}, Zapier: {type: 'server'},
    WithVersion: {versionSettings: {version: '1.2.3'}, type: 'browser'}, Nothing: {}, Segmentio: {type: 'browser'}, Iterable: {type: 'browser'},
    WithOverride: {versionSettings: {version: '1.2.3', override: '9.9.9'}, type: 'browser'},
    Amplitude: {type: 'browser', apiKey: '123', second: 's'}, 'Cloud One': {type: 'browser', bundlingStatus: 'unbundled'},
    'Dotted.io Two': {type: 'custom', bundlingStatus: 'bundled', versionSettings: {componentTypes: ['browser']}}"""


def classic(text: str, more: str = "") -> dict[str, Any]:
    """Return the load options with classic destinations among the integrations."""
    laid = f"{{...settings, integrations: {{...settings.integrations, {text}}}{more}}}"
    return {"updateCDNSettings": f"(settings) => ({laid})"}


AMPLITUDE = classic("Amplitude: {type: 'browser', key: 1}")

ONE, TWO, THREE = remote("One", destination(1)), remote("Two", destination(2)), remote("Three", destination(3))

SCENARIOS = (
    scenario(
        "Plugins of the settings, good ones and broken ones",
        Visit(early="analytics.track('early')"),
        "await analytics.track('a'); await analytics.track('b', {}, {integrations: {One: false}}); await analytics.track('c', {}, {integrations: {'act 1': false}}); await analytics.track('d', {}, {integrations: {All: false}}); return [seen, analytics.queue.plugins.map((one) => [one.name, one.type, one.alternativeNames])]",
        load_script=settings(
            remote("One", destination(1), "{a: 1}"),
            remote("enr plug", ENRICHMENT, "{v: 5}"),
            remote("broken", "() => { throw new Error('x'); }"),
            remote("invalid", "() => ({name: 'q'})"),
            remote("nofn", "5"),
            more=INTEGRATIONS,
        ),
        load={"integrations": {"One": {"mine": 2}}},
    ),
    scenario(
        "All plugins of the settings off but one",
        "await analytics.track('a'); return seen",
        load_script=settings(ONE, TWO, THREE),
        load={"integrations": {"All": False, "Two": True, "Segment.io": True}},
    ),
    scenario(
        "One plugin of the settings off",
        "await analytics.track('a'); return seen",
        load_script=settings(ONE, TWO),
        load={"integrations": {"One": False}},
    ),
    scenario(
        "A plugin of the settings that does not load",
        "await analytics.track('a'); await analytics.track('b'); return [seen, analytics.queue.plugins.map((one) => one.name), analytics.failedInitializations]",
        load_script=settings(remote("Bad", FAILING)),
    ),
    scenario(
        "Middleware of a destination of the settings",
        "await analytics.addDestinationMiddleware('One', ({payload, next, integration}) => { payload.obj.event = 'for ' + integration; next(payload); }); await analytics.track('a'); await analytics.addDestinationMiddleware('One', ({next}) => next(null)); await analytics.track('b'); return seen",
        load_script=settings(ONE),
    ),
    scenario(
        "Middleware of all destinations is told which one it is called for",
        "const got = []; await analytics.addDestinationMiddleware('*', ({integration, payload, next}) => { got.push(integration); next(payload); }); await analytics.track('a'); return [got, seen]",
        load_script=settings(ONE, TWO),
    ),
    *(
        scenario(
            f"No destination hears of whom the page switches off by {way}",
            Visit(early=f"window.heard = []; {LISTENING}; analytics.track('a')"),
            "await analytics.track('b'); return [seen, heard, analytics.queue.plugins.map(({name}) => name)]",
            load_script=settings(ONE) | {"disable": disable},
        )
        for way, disable in (("the settings", "() => true"), ("a promise", "async () => true"))
    ),
    scenario(
        "The plugins for videos of the settings",
        "return Object.keys(analytics._plugins || {}).sort()",
        load_script=settings(more=", legacyVideoPluginsEnabled: true"),
        intended={".told[0]": "video-plugins"},
    ),
    scenario(
        "What is measured of the library itself",
        "await analytics.track('a'); await new Promise((go) => setTimeout(go, 200)); return performance.getEntriesByType('resource').filter(({name}) => name.endsWith('/v1/m')).length > 0",
        load_script=settings(
            ONE,
            more=", metrics: {sampleRate: 1, flushTimer: 50, host: settings.integrations['Segment.io'].apiHost}",
        ),
        load={"integrations": {"Segment.io": {"protocol": "http"}}},
        intended={".told[0]": "library-metrics", ".events": "library-metrics"},
    ),
    scenario(
        "Middleware that the settings switch on",
        "await analytics.track('x'); return seen",
        load_script={"updateCDNSettings": MIDDLEWARE},
    ),
    scenario(
        "A plan for identify and group",
        "await analytics.identify('u', {a: 1}); await analytics.group('g', {b: 1}); await analytics.track('on', {c: 1})",
        load_script=settings(more=INTEGRATIONS + PLAN.removesuffix("}") + ", group: {__default: {enabled: false}}}"),
    ),
    scenario(
        "The tracking plan of the settings",
        "for (const name of ['off', 'on', 'some', 'other']) await analytics.track(name); await analytics.identify('u'); return seen",
        load_script=settings(ONE, TWO, more=INTEGRATIONS + PLAN),
    ),
    scenario(
        "A tracking plan of the page's own",
        "for (const name of ['off', 'on']) await analytics.track(name)",
        load={"plan": {"track": {"off": {"enabled": False}}}},
    ),
    scenario(
        "A tracking plan where there is no destination",
        "await analytics.track('off')",
        load_script=settings(more=PLAN),
    ),
    scenario(
        "A plan that switches a plugin's actions off by its first name",
        "const told = []; for (const name of ['hi', 'alike', 'named', 'other']) { const c = await analytics.track(name, {}, {integrations: {Else: true}}); told.push(c.event.integrations); } return [seen, told]",
        load_script=settings(
            remote("Full (Actions)", ACTIONS, SUBSCRIBED, "Full"), remote("Twin", destination(2)), more=PLANNED
        ),
    ),
    scenario(
        "Plugins of two names, with all off but some",
        "await analytics.track('a'); return seen",
        load_script=settings(
            remote("One new", destination(1), "{}", "One"),
            remote("Two new", destination(2), "{}", "Two"),
            remote("Three new", destination(3), "{}", "Three"),
        ),
        load={"integrations": {"All": False, "One": True, "Two new": {"mine": 1}, "Segment.io": True}},
    ),
    scenario(
        "Plugins of two names, some of them off",
        "await analytics.track('a'); await analytics.track('b', {}, {integrations: {Three: false}}); await analytics.track('c', {}, {integrations: {'Three new': false}}); return seen",
        load_script=settings(
            remote("One new", destination(1), "{}", "One"),
            remote("Two new", destination(2), "{}", "Two"),
            remote("Three new", destination(3), "{a: 1}", "Three"),
        ),
        load={"integrations": {"One": False, "Two new": False, "Three new": {"mine": 2}}},
    ),
    scenario(
        "Several plugins of one script, and one of them broken",
        "await analytics.track('a'); return [seen, analytics.queue.plugins.map((one) => [one.name, one.type])]",
        load_script=settings(
            remote("Both", f"(settings) => [({destination(1)})(settings), ({ENRICHMENT})({{v: 3}})]"),
            remote("Half", f"async (settings) => [({destination(2)})(settings), {{name: 'half'}}]"),
            remote("Late", f"async (settings) => ({destination(3)})(settings)"),
            remote("None", "() => []"),
        ),
    ),
    scenario(
        "Middleware of a destination reaches no enrichment of its name",
        "const heard = []; await analytics.addDestinationMiddleware('Enr', ({payload, next}) => { heard.push(payload.obj.event); next(payload); }); await analytics.track('a'); return heard",
        load_script=settings(remote("Enr", ENRICHMENT, "{v: 5}")),
    ),
    *(
        scenario(f"A routing rule: {expression}", ROUTED, load_script=routing(rule(expression)))
        for expression in EXPRESSIONS
    ),
    *(
        scenario(f"A routing rule that {title}", ROUTED, load_script=routing(rule(IS_BAD, change)))
        for title, change in CHANGES.items()
    ),
    scenario(
        "A routing rule for another destination, and one for all",
        ROUTED,
        load_script=routing(rule(IS_BAD, name=", destinationName: 'New One'"), rule(IS_BAD, name="")),
    ),
    scenario(
        "What an event that a routing rule keeps from a destination tells",
        "const c = await analytics.track('Bad'); return [c.logs().map(({level, message, extras}) => [level, message, extras && extras.plugin, extras && extras.type]), Boolean(c.failedDelivery()), seen]",
        load_script=routing(rule(IS_BAD)),
    ),
    scenario(
        "Files of the settings by their obfuscated names",
        Visit(head=OWN_FILES),
        "await analytics.track('x'); return [asked.sort(), analytics.queue.plugins.map(({name}) => name)]",
        load={"obfuscate": True},
        load_script={"updateCDNSettings": OBFUSCATED},
    ),
    scenario(
        "Classic destinations of the settings",
        Visit(head=CLASSIC_FILES),
        f"await analytics.ready(); await analytics.track('x', {{a: 1}}); return [{NAMED}, asked, {EACH}, Object.keys(analytics.Integrations)]",
        load={"integrations": {"Amplitude": {"apiKey": "abc", "third": "t"}, "WithVersion": False}},
        load_script=classic(MANY),
    ),
    scenario(
        "Classic destinations, all off but one",
        Visit(head=CLASSIC_FILES),
        f"return [{NAMED}, asked]",
        load={"integrations": {"All": False, "Amplitude": True, "Segment.io": True}},
        load_script=classic(MANY),
    ),
    scenario(
        "What a classic destination is given",
        Visit(head=CLASSIC_FILES),
        "await analytics.track('x', {a: 1, day: '2020-10-10'}); await analytics.identify('u', {t: 1}); await analytics.page('c', 'n'); await analytics.group('g', {q: 1}); await analytics.track('y', {}, {integrations: {Amplitude: false}}); return [seen]",
        load_script=AMPLITUDE,
    ),
    scenario(
        "Dates of a classic destination as they are",
        Visit(head=CLASSIC_FILES),
        "await analytics.track('x', {day: '2020-10-10'}); return seen",
        load={"disableAutoISOConversion": True},
        load_script=AMPLITUDE,
    ),
    scenario(
        "Routing rules and middleware of a classic destination",
        Visit(head=CLASSIC_FILES),
        "await analytics.addDestinationMiddleware('Amplitude', ({payload, next}) => { payload.obj.properties.more = 1; next(payload); }); await analytics.track('Bad'); const c = await analytics.track('Good', {a: 1}); return [seen, c.event.properties]",
        load_script=classic(
            "Amplitude: {type: 'browser'}",
            f", middlewareSettings: {{routingRules: [{rule(IS_BAD, name=', destinationName: `Amplitude`')}]}}",
        ),
    ),
    scenario(
        "A script of the settings tells how far it is",
        "await analytics.ready(); const all = [...document.scripts]; return all.filter((one) => one.src.startsWith('data:')).map((one) => [one.type, one.async, one.getAttribute('status'), one === all[0]])",
        load_script=settings(ONE),
    ),
    scenario(
        "A classic destination that is taken out",
        Visit(head=CLASSIC_FILES),
        "await analytics.ready(); await analytics.deregister('Amplitude'); await analytics.track('x'); return [seen, analytics.queue.plugins.map(({name}) => name)]",
        load_script=AMPLITUDE,
    ),
    scenario(
        "What is measured of a plugin of the settings",
        "const c = await analytics.track('x'); return c.stats.metrics.map(({metric, tags}) => [metric, tags])",
        load_script=settings(ONE, remote("Bad", FAILING)),
    ),
    scenario(
        "Early calls are replayed in the order that plugins and listeners need",
        Visit(
            early="window.heard = []; analytics.identify('u1', {a: 1}, () => heard.push('callback')); analytics.track('one'); analytics.on('track', (name) => heard.push(name)); analytics.setAnonymousId('chosen'); analytics.addSourceMiddleware(({payload, next}) => { payload.obj.context.seen = true; next(payload); }); analytics.track('two'); analytics.ready(() => heard.push('ready')); analytics.group('g1'); analytics.on('group', (id) => heard.push(id)); analytics.once('track', (name) => heard.push('once ' + name))"
        ),
        "await analytics.track('three'); await new Promise((go) => setTimeout(go, 800)); return [heard.sort(), analytics.user().anonymousId()]",
        load_script=settings(ONE),
        intended={".events[0].body.userId": "early-order"},
    ),
)
