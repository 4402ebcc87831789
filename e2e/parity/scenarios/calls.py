"""Every argument form of every call, what comes back, and who is told."""

from parity.story import Visit, scenario

TOLD = "const told = []; const done = (context) => told.push([context.event.type, context.event.event ?? null]);"

SCENARIOS = (
    scenario("track with a name", "await analytics.track('Named')"),
    scenario(
        "track with properties, options and callback",
        f"{TOLD} await analytics.track('Full', {{a: 1}}, {{context: {{ip: '0.0.0.0'}}}}, done); return told",
    ),
    scenario(
        "track with a callback in place of properties", f"{TOLD} await analytics.track('Short', done); return told"
    ),
    scenario(
        "track with a callback in place of options",
        f"{TOLD} await analytics.track('Middle', {{a: 1}}, done); return told",
    ),
    scenario(
        "track with one object", "await analytics.track({event: 'Object', properties: {a: 1}}, {context: {b: 2}})"
    ),
    scenario("track with null for properties", "await analytics.track('Null', null, null)"),
    scenario(
        "track with properties that are no object",
        "await analytics.track('Odd', 'text'); await analytics.track('List', [1, 2])",
    ),
    scenario("page without anything", "await analytics.page()"),
    scenario("page with a name", "await analytics.page('Home')"),
    scenario("page with category and name", "await analytics.page('Docs', 'Home', {a: 1}, {context: {b: 2}})"),
    scenario("page with properties", "await analytics.page({url: 'https://elsewhere.test/x', path: '/x', extra: 1})"),
    scenario("page with a name and properties", "await analytics.page('Home', {a: 1, title: 'Mine'})"),
    scenario("page with null for the category", "await analytics.page(null, 'Home')"),
    scenario(
        "page with options only in the fourth place", "await analytics.page('Docs', 'Home', null, {context: {b: 2}})"
    ),
    scenario("page with a callback alone", f"{TOLD} await analytics.page(done); return told"),
    scenario("page with three texts", "await analytics.page('a', 'b', 'c')"),
    scenario("pageview", "await analytics.pageview('/old/way')"),
    scenario("screen", "await analytics.screen('Main', 'Basket', {rows: 3}); await analytics.screen('Alone')"),
    scenario(
        "identify with callback in each place",
        f"{TOLD} await analytics.identify('u1', done); await analytics.identify('u1', {{a: 1}}, done); await analytics.identify('u1', {{a: 1}}, {{}}, done); return told",
    ),
    scenario("identify with traits and options", "await analytics.identify({a: 1}, {context: {b: 2}})"),
    scenario(
        "identify with options", "await analytics.identify('u1', {a: 1}, {integrations: {All: false}, context: {b: 2}})"
    ),
    scenario(
        "group with options and callback",
        f"{TOLD} await analytics.group('g1', {{a: 1}}, {{context: {{b: 2}}}}, done); return told",
    ),
    scenario("alias with both ids", "await analytics.alias('new', 'old')"),
    scenario("alias of the anonymous visitor", "await analytics.alias('new')"),
    scenario("alias by numbers", "await analytics.alias(2, 1)"),
    scenario("alias with options in the second place", "await analytics.alias('new', {context: {b: 2}})"),
    scenario(
        "alias of a known visitor",
        "await analytics.identify('old')",
        "await analytics.alias('new')",
        intended={".events[2].body.userId": "alias"},
    ),
    scenario("alias before identify", "await analytics.alias('new'); await analytics.identify('new', {a: 1})"),
    scenario(
        "Listeners are told of calls",
        "const told = []; analytics.on('track', (...args) => told.push(args.slice(0, 2))); await analytics.track('Heard', {a: 1}); return told",
    ),
    scenario(
        "once and off",
        "const told = []; const hear = (name) => told.push(name); analytics.once('track', hear); await analytics.track('One'); await analytics.track('Two'); analytics.on('track', hear); analytics.off('track', hear); await analytics.track('Three'); return told",
    ),
    scenario(
        "Listeners of identify, page, group, alias and reset",
        """
        const told = [];
        for (const name of ["identify", "page", "group", "alias", "reset"])
            analytics.on(name, (...args) => told.push([name, ...args.slice(0, 2)]));
        await analytics.identify("u1", {a: 1}); await analytics.page("Docs", "Home"); await analytics.group("g1", {b: 2});
        await analytics.alias("u2", "u0"); analytics.reset();
        return told.map((one) => one.map((part) => part ?? null))""",
        intended={".events[4].body.userId": "alias"},
    ),
    scenario(
        "Listeners that came before the library",
        Visit(
            early="window.told = []; analytics.on('initialize', (settings) => told.push(settings.writeKey)); analytics.on('track', (name) => told.push(name)); analytics.track('Early')"
        ),
        "return told",
    ),
    scenario(
        "ready calls back",
        Visit(early="window.told = []; analytics.ready(() => told.push('ready'))"),
        "analytics.ready(() => told.push('again')); await new Promise((r) => setTimeout(r, 50)); return told",
    ),
    scenario(
        "What a call gives back",
        "const context = await analytics.track('Given', {a: 1}); return [context.event.event, context.event.properties, typeof context.id, context.event.timestamp instanceof Date]",
    ),
    scenario(
        "Chains",
        "return [analytics.on('x', () => {}) === analytics, analytics.debug(false) === analytics, analytics.reset() === undefined, analytics.use((a) => {}) === analytics]",
    ),
    scenario(
        "Methods called without their object",
        "const {track, identify} = analytics; await identify('u1'); await track('Loose')",
    ),
    scenario(
        "push after the library is up",
        "analytics.push(['track', 'Pushed', {a: 1}])",
    ),
    scenario(
        "Calls of one kind before the library is up",
        Visit(early="analytics.track('A'); analytics.track('B', {n: 2}); analytics.track('C')"),
    ),
    scenario(
        "Calls of several kinds before the library is up",
        Visit(early="analytics.track('A'); analytics.identify('u1', {a: 1}); analytics.track('B')"),
        intended={".events": "early-order"},
    ),
    scenario(
        "The page of an early call is the one it was made on",
        Visit(
            early="analytics.track('Here'); history.replaceState({}, '', '/moved?x=1'); document.title = 'Moved'; analytics.track('There')"
        ),
    ),
    scenario("The first page view by option", Visit("/?utm_source=mail"), load={"initialPageview": True}),
    scenario(
        "Switched off altogether",
        "await analytics.identify('u1'); await analytics.track('Nobody hears')",
        load={"disable": True},
    ),
    scenario(
        "Switched off by a function of the settings",
        "await analytics.track('Nobody hears')",
        load_script={"disable": "(settings) => Boolean(settings.integrations)"},
    ),
    scenario(
        "Not sent to the collector", "await analytics.track('Local')", load={"integrations": {"Segment.io": False}}
    ),
    scenario(
        "All off but the collector",
        "await analytics.track('Sent')",
        load={"integrations": {"All": False, "Segment.io": True}},
    ),
    scenario("All off", "await analytics.track('Local')", load={"integrations": {"All": False}}),
    scenario(
        "One call not sent to the collector",
        "await analytics.track('Local', {}, {integrations: {'Segment.io': false}}); await analytics.track('Sent', {}, {integrations: {All: false}})",
    ),
    scenario(
        "Settings changed by the page",
        "await analytics.track('On')",
        load_script={
            "updateCDNSettings": "(settings) => ({...settings, integrations: {'Segment.io': {...settings.integrations['Segment.io'], apiKey: 'other'}}})"
        },
    ),
    scenario(
        "Events in batches",
        Visit(early="for (let n = 0; n < 4; n++) analytics.track(`T${n}`)"),
        load={
            "integrations": {
                "Segment.io": {"deliveryStrategy": {"strategy": "batching", "config": {"size": 5, "timeout": 500}}}
            }
        },
    ),
    scenario(
        "Deprecated methods stay quiet", "analytics.addIntegrationMiddleware(() => {}); return typeof analytics.VERSION"
    ),
)
