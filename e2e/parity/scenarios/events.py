"""What an event says: page, campaign, integrations, overrides, and values of every kind."""

from parity.story import Find, Visit, scenario

SCENARIOS = (
    scenario("Hash and query of the page", Visit("/a/b?x=1&y=2#top"), "await analytics.track('On')"),
    scenario(
        "A canonical link",
        Visit("/a?x=1", head="<link rel='canonical' href='https://shop.test/canonical'>"),
        "await analytics.track('On')",
    ),
    scenario(
        "A canonical link with a query", Visit("/a?x=1", head="<link rel='canonical' href='https://shop.test/c?k=1'>")
    ),
    scenario("A canonical link that is a path", Visit("/a?x=1", head="<link rel='canonical' href='/only/path'>")),
    scenario("A canonical link that is bare", Visit("/a", head="<link rel='canonical' href='only/path'>")),
    scenario(
        "A campaign",
        Visit("/?utm_source=mail&utm_medium=e+mail&utm_campaign=spring%20sale&utm_term=a%2Bb&utm_content=x&utm_id=7"),
    ),
    scenario("A campaign that is malformed", Visit("/?utm_source=%E0%A4%A&utm_=x&my_utm_campaign=y&utm_medium")),
    scenario(
        "A campaign of the call's own",
        Visit("/?utm_source=mail"),
        "await analytics.track('On', {}, {context: {campaign: {name: 'mine'}}})",
    ),
    scenario("A query without a campaign", Visit("/?x=1"), "await analytics.track('On')"),
    scenario("An advertisement is remembered", Visit("/?urid=ad7"), Visit("/later"), "await analytics.track('On')"),
    scenario("An AMP page's id", Find(cookies=("_ga=amp-xyz; path=/",)), Visit()),
    scenario("A referrer", "await analytics.track('On')", Visit("/second")),
    scenario(
        "The page changes without a visit",
        "history.pushState({}, '', '/spa?z=1#h'); document.title = 'SPA'; await analytics.page(); await analytics.track('On')",
    ),
    scenario(
        "Integrations of the page",
        "await analytics.track('On')",
        "await analytics.track('Two', {}, {integrations: {Amplitude: {session: 1}, Mixpanel: false}})",
        load={"integrations": {"Amplitude": {"x": 1}, "Mixpanel": True, "Other": False}},
    ),
    scenario(
        "Context of a call",
        "await analytics.track('On', {}, {context: {ip: '0.0.0.0', locale: 'cs', library: {name: 'mine', version: '1'}, page: {title: 'Mine', more: 1}, nested: {a: {b: 1}}}})",
    ),
    scenario(
        "Options that are no context become one",
        "await analytics.track('On', {}, {ip: '0.0.0.0', 'device.id': 'd1', groupId: 'g'})",
    ),
    scenario(
        "Overrides",
        "await analytics.track('On', {}, {userId: 'other', anonymousId: 'a2', messageId: 'm1', timestamp: new Date(Date.UTC(2020, 0))})",
    ),
    scenario("A timestamp as text", "await analytics.track('On', {}, {timestamp: '2020-01-01T00:00:00.000Z'})"),
    scenario(
        "A timestamp in seconds, and one that is no time",
        "await analytics.track('On', {}, {timestamp: 1577836800}); await analytics.track('On', {}, {timestamp: 'then'})",
        intended={".events[1].body.timestamp": "times", ".events[2].body.timestamp": "times"},
    ),
    scenario(
        "Dates",
        "await analytics.track('On', {at: new Date(Date.UTC(2020, 0, 2)), deep: [{at: new Date(Date.UTC(2020, 0, 2))}]})",
    ),
    scenario(
        "A text that looks like a date",
        "await analytics.track('On', {day: '2020-02-01', moment: '2020-02-01T10:00:00+02:00', year: '2020', full: '2020-02-01T10:00:00.000Z'})",
    ),
    scenario("undefined and null", "await analytics.track('On', {u: undefined, n: null, list: [undefined, null, 1]})"),
    scenario("NaN and Infinity", "await analytics.track('On', {nan: NaN, inf: Infinity, list: [NaN], zero: -0})"),
    scenario(
        "Numbers of every size",
        "await analytics.track('On', {big: 2 ** 53 - 1, bigger: 1e300, tiny: 1e-9, half: 0.5, whole: 5.0, neg: -7})",
    ),
    scenario("Nested values", "await analytics.track('On', {a: {b: {c: [1, {d: [[]]}, {}]}}, empty: {}})"),
    scenario(
        "Text of every kind",
        "await analytics.track('On', {html: '<b>&amp;</b>', quote: '\\'\"\\\\', line: 'a\\nb\\tc', emoji: '🍊', lone: '\\ud800', nul: 'a\\u0000b', sep: '\\u2028'})",
    ),
    scenario("Booleans and empty text", "await analytics.track('On', {yes: true, no: false, empty: ''})"),
    scenario(
        "An object with a toJSON of its own",
        "await analytics.track('On', {money: {toJSON: () => '3 EUR'}, url: new URL('https://shop.test/x')})",
    ),
    scenario(
        "Functions and symbols",
        "await analytics.track('On', {f() {}, s: Symbol('s'), list: [() => 1]})",
    ),
    scenario(
        "Maps, sets and regular expressions",
        "await analytics.track('On', {map: new Map([[1, 2]]), set: new Set([1]), re: /x/g})",
    ),
    scenario(
        "A big integer",
        "await analytics.track('On', {big: 2n ** 70n}).catch(() => {})",
        intended={".events: ": "unsendable"},
    ),
    scenario(
        "A value that holds itself",
        "const loop = {name: 'loop'}; loop.self = loop; await analytics.track('On', {loop}).catch(() => {})",
        intended={".events: ": "unsendable"},
    ),
    scenario(
        "An element of the page",
        "await analytics.track('On', {body: document.body}).catch(() => {})",
    ),
    scenario(
        "Names of every kind",
        "await analytics.track('On', {'a b': 1, 'a.b': 2, '': 3, '$x': 4, 'constructor': 5, 'ž': 6})",
    ),
    scenario(
        "Event names of every kind",
        "await analytics.track('<script>alert(1)</script>'); await analytics.track('žluť 🍊')",
    ),
    scenario(
        "Traits of every kind",
        "await analytics.identify('u1', {address: {street: '6th Street', city: 'San Fransisco'}, list: [1], at: new Date(Date.UTC(2020, 0)), none: null})",
    ),
    scenario(
        "More of the browser than it tells unasked",
        Visit(host="localhost"),
        "await analytics.track('On')",
        load={"highEntropyValuesClientHints": ["architecture", "bitness"]},
    ),
)
