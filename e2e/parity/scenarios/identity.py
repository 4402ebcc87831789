"""Who the visitor is: ids, traits, what is kept and what is forgotten."""

from parity.story import ClearCookies, ClearStorage, ExpireCookies, Find, Run, Visit, scenario, tells

IDS = "return [analytics.user().id(), analytics.user().anonymousId(), analytics.user().traits()];"
GROUP = "return [analytics.group().id(), analytics.group().traits()];"
KNOWN = "await analytics.identify('u1', {plan: 'pips'});"
LEGACY_GROUP = {
    ".told[1]": "legacy-group",
    **{f".states[{n}].cookies.ajs_group_id": "legacy-group" for n in (1, 2, 3)},
    **{f".states[{n}].storage.ajs_group": "legacy-group" for n in (1, 2, 3)},
}

SCENARIOS = (
    scenario("A first visit makes an anonymousId and a page event", IDS),
    scenario(
        "A known visitor's calls carry both ids",
        "await analytics.identify('u1', {plan: 'premium'})",
        "await analytics.track('Signed Up', {plan: 'premium'})",
        IDS,
    ),
    scenario(
        "Traits without an id belong to the anonymous visitor", "await analytics.identify({email: 'a@shop.test'})", IDS
    ),
    scenario(
        "Becoming known keeps the anonymousId and the traits",
        "await analytics.identify({email: 'a@shop.test'}); await analytics.identify('u1', {plan: 'pips'})",
        IDS,
    ),
    scenario(
        "Traits of the same user are merged", KNOWN, "await analytics.identify('u1', {name: 'One', plan: null})", IDS
    ),
    scenario(
        "Another userId takes neither traits nor anonymousId over",
        KNOWN,
        "await analytics.identify('u2', {name: 'Two'})",
        IDS,
    ),
    scenario("An identify without anything says again what is known", KNOWN, "await analytics.identify()", IDS),
    scenario("Null in place of an id changes nobody", KNOWN, "await analytics.identify(null, {age: 7})", IDS),
    scenario("An empty id changes nobody", KNOWN, "await analytics.identify('', {age: 7})", IDS),
    scenario(
        "A number as id is text from then on", "await analytics.identify(42, {plan: 'pips'})", IDS, Visit("/later"), IDS
    ),
    scenario("Zero is an id too", "await analytics.identify(0)", IDS),
    scenario("A very long id is kept", f"await analytics.identify('{'x' * 1000}')", IDS, Visit("/later"), IDS),
    scenario("An id in any script is kept", "await analytics.identify('žluťásek 🍊 蜜柑')", IDS, Visit("/later"), IDS),
    scenario(
        "Quotes, semicolons and percent signs in an id are kept",
        "await analytics.identify('a;b=\"c\", d%20e\\\\f')",
        IDS,
        ClearStorage(),
        Visit("/later"),
        IDS,
        intended=tells(2),
    ),
    scenario("An id that looks like a number stays text", "await analytics.identify('007')", IDS, Visit("/later"), IDS),
    scenario(
        "An id that looks like JSON",
        "await analytics.identify('true'); await analytics.identify('null')",
        IDS,
        intended={".states[1].cookies.ajs_user_id": "literal-id", ".states[2].cookies.ajs_user_id": "literal-id"},
    ),
    scenario("Reset forgets the visitor", KNOWN, "analytics.reset()", "await analytics.track('After')", IDS),
    scenario("Reset, and the next visit is somebody new", KNOWN, "analytics.reset()", Visit("/later"), IDS),
    scenario("Logout keeps the keys and forgets the values", KNOWN, "analytics.user().logout()", IDS),
    scenario("Reset of the user alone", KNOWN, "analytics.user().reset()", IDS),
    scenario(
        "Expired cookies come back from localStorage", KNOWN, ExpireCookies(), Visit("/later"), IDS, intended=tells(2)
    ),
    scenario(
        "Cleared cookies come back from localStorage", KNOWN, ClearCookies(), Visit("/later"), IDS, intended=tells(2)
    ),
    scenario(
        "Cleared localStorage comes back from the cookies",
        KNOWN,
        ClearStorage(),
        Visit("/later"),
        IDS,
        intended=tells(2),
    ),
    scenario("Who clears both is somebody new", KNOWN, ClearStorage(), ClearCookies(), Visit("/later"), IDS),
    scenario(
        "Cleared in the middle of a page",
        KNOWN,
        ClearStorage(),
        ClearCookies(),
        "await analytics.track('On')",
        IDS,
        intended=tells(2),
    ),
    scenario(
        "The anonymousId is made on first read",
        "return analytics.user().anonymousId() === analytics.user().anonymousId()",
    ),
    scenario(
        "An anonymousId that is set stays",
        "return analytics.setAnonymousId('mine')",
        "await analytics.track('On')",
        IDS,
    ),
    scenario(
        "An anonymousId that is set before the library is up comes first",
        Visit(early="analytics.setAnonymousId('early')"),
        IDS,
    ),
    scenario(
        "Null takes the anonymousId away", "return analytics.setAnonymousId(null)", "await analytics.track('On')", IDS
    ),
    scenario("An empty anonymousId counts as none", "analytics.setAnonymousId('')", IDS),
    scenario("A number as anonymousId", "return analytics.user().anonymousId(7)", IDS),
    scenario(
        "An anonymousId in the options of one call is the visitor's from then on",
        "await analytics.track('One', {}, {anonymousId: 'server-made'})",
        "await analytics.track('Two')",
        IDS,
    ),
    scenario("user() sets an id", "return analytics.user().id('u7')", "await analytics.track('On')", IDS),
    scenario("user() forgets an id", KNOWN, "return analytics.user().id(null)", "await analytics.track('On')", IDS),
    scenario("user() replaces traits", KNOWN, "return analytics.user().traits({only: 1})", IDS),
    scenario("user() empties traits", KNOWN, "return analytics.user().traits(null)", IDS),
    scenario("user().identify keeps without an event", "analytics.user().identify('u3', {a: 1})", IDS),
    scenario("user().load() and save()", KNOWN, "return [analytics.user().load().id(), analytics.user().save()]"),
    scenario(
        "A group is kept and sent", "await analytics.group('g1', {name: 'Grove'})", "await analytics.track('On')", GROUP
    ),
    scenario("A group by number", "await analytics.group(7)", GROUP),
    scenario(
        "Traits of the same group are merged",
        "await analytics.group('g1', {a: 1}); await analytics.group('g1', {b: 2})",
        GROUP,
    ),
    scenario(
        "Another group drops the traits",
        "await analytics.group('g1', {a: 1}); await analytics.group('g2', {b: 2})",
        GROUP,
        IDS,
    ),
    scenario("Traits of a group without an id", "await analytics.group({a: 1})", GROUP),
    scenario(
        "group() sets",
        "analytics.group().id('g9'); analytics.group().traits({x: 1})",
        GROUP,
        "return String(analytics.group().anonymousId())",
        intended={".told[2]": "group-anonymous-id"},
    ),
    scenario("Reset forgets the group", "await analytics.group('g1', {a: 1})", "analytics.reset()", GROUP),
    scenario(
        "An older library's quoted cookie",
        Find(cookies=('ajs_user_id="old"; path=/',)),
        Visit(),
        IDS,
        intended=tells(0),
    ),
    scenario(
        "An older library's JSON cookies",
        Find(cookies=("ajs_user_id=%22old%22; path=/", "ajs_anonymous_id=%22anon%22; path=/")),
        Visit(),
        IDS,
        intended=tells(0),
    ),
    scenario(
        "An older library's number",
        Find(cookies=("ajs_user_id=123; path=/",), storage={"ajs_user_id": "123"}),
        Visit(),
        IDS,
    ),
    scenario(
        "The oldest library's user cookie",
        Find(cookies=("ajs_user=%7B%22id%22%3A%22old%22%2C%22traits%22%3A%7B%22a%22%3A1%7D%7D; path=/",)),
        Visit(),
        IDS,
        GROUP,
        intended=LEGACY_GROUP,
    ),
    scenario("The oldest library's user cookie as text", Find(cookies=("ajs_user=old; path=/",)), Visit(), IDS),
    scenario("The anonymousId of _sio", Find(cookies=("_sio=anon----user; path=/",)), Visit(), IDS),
    scenario(
        "Broken JSON in localStorage is text",
        Find(storage={"ajs_user_id": "{broken", "ajs_user_traits": "{broken"}),
        Visit(),
        IDS,
        intended=tells(0),
    ),
    scenario(
        "A cookie that can't be decoded counts as none",
        Find(cookies=("ajs_user_id=%E0%A4%A; path=/",)),
        Visit(),
        IDS,
        intended=tells(0) | {f".states[{number}].cookies.ajs_user_id": "strays" for number in (1, 2)},
    ),
    scenario(
        "Stores that disagree about the anonymousId: the cookie wins",
        Find(cookies=("ajs_anonymous_id=from-cookie; path=/",), storage={"ajs_anonymous_id": '"from-storage"'}),
        Visit(),
        IDS,
        intended=tells(0),
    ),
    scenario(
        "Stores that disagree about the userId: localStorage wins",
        Find(cookies=("ajs_user_id=from-cookie; path=/",), storage={"ajs_user_id": '"from-storage"'}),
        Visit(),
        IDS,
        intended=tells(0),
    ),
    scenario(
        "Two tabs share a visitor",
        KNOWN,
        Visit("/second", tab=1),
        Run(IDS, tab=1),
        Run("await analytics.identify('u2')", tab=1),
        IDS,
        "await analytics.track('On')",
    ),
    scenario(
        "A tab that resets",
        KNOWN,
        Visit("/second", tab=1),
        Run("analytics.reset()", tab=1),
        "await analytics.track('On')",
        IDS,
        intended=dict.fromkeys((".events[3].body", ".states[4]", ".states[5]", ".told[3]"), "logout"),
    ),
)
