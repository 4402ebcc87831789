"""Where an identity is kept: which stores, which attributes, which domain, and what happens when a store fails."""

from parity.story import Find, Visit, scenario, tells

from .identity import IDS, KNOWN

NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }});"
)
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
NO_COOKIES = "Object.defineProperty(document, 'cookie', {get: () => '', set() {}});"
FORBIDDEN_COOKIES = """Object.defineProperty(document, 'cookie', {
    get() { throw new DOMException('no', 'SecurityError'); },
    set() { throw new DOMException('no', 'SecurityError'); }});"""

SCENARIOS = (
    scenario("Only cookies", KNOWN, IDS, load={"storage": {"stores": ["cookie"]}}),
    scenario("Only localStorage", KNOWN, IDS, load={"storage": {"stores": ["localStorage"]}}),
    scenario("Only memory", KNOWN, IDS, Visit("/later"), IDS, load={"storage": {"stores": ["memory"]}}),
    scenario(
        "Cookies before localStorage",
        Find(cookies=("ajs_user_id=from-cookie; path=/",), storage={"ajs_user_id": '"from-storage"'}),
        Visit(),
        IDS,
        intended=tells(0),
        load={"storage": {"stores": ["cookie", "localStorage", "memory"]}},
    ),
    scenario("Stores that nobody knows", KNOWN, IDS, load={"storage": {"stores": ["cupboard"]}}),
    scenario(
        "Nothing is kept where the page forbids it",
        KNOWN,
        IDS,
        Visit("/later"),
        IDS,
        load={"disableClientPersistence": True},
    ),
    scenario("A user that is not kept", KNOWN, IDS, load={"user": {"persist": False}}),
    scenario(
        "A user that is switched off",
        KNOWN,
        "await analytics.track('On')",
        IDS,
        intended={".events": "nobody"},
        load={"user": {"disable": True}},
    ),
    scenario("A user without localStorage", KNOWN, IDS, load={"user": {"localStorageFallbackDisabled": True}}),
    scenario(
        "Keys of the user's own",
        KNOWN,
        IDS,
        load={"user": {"cookie": {"key": "my_id"}, "localStorage": {"key": "my_traits"}}},
    ),
    scenario(
        "Keys of the group's own",
        "await analytics.group('g1', {a: 1})",
        load={"group": {"cookie": {"key": "my_group"}, "localStorage": {"key": "my_company"}}},
    ),
    scenario("Cookies that live 30 days", KNOWN, load={"cookie": {"maxage": 30}}),
    scenario("Cookies of one path", KNOWN, IDS, load={"cookie": {"path": "/shop"}}),
    scenario("Strict cookies", KNOWN, load={"cookie": {"sameSite": "Strict"}}),
    scenario("Secure cookies", Visit(host="localhost"), KNOWN, load={"cookie": {"secure": True}}),
    scenario("Cookies of one host", KNOWN, load={"cookie": {"domain": "www.shop.test"}}),
    scenario("Cookies of a domain that takes none", KNOWN, IDS, load={"cookie": {"domain": "elsewhere.test"}}),
    scenario(
        "Sub-domains share a visitor",
        KNOWN,
        Visit(host="shop.test"),
        IDS,
        Visit(host="deep.blog.shop.test"),
        IDS,
        intended=tells(2, 3),
    ),
    scenario("Other sites share nothing", KNOWN, Visit(host="www.other.test"), IDS),
    scenario(
        "A public suffix takes no cookies",
        Visit(host="www.shop.co.uk"),
        KNOWN,
        Visit(host="shop.co.uk"),
        IDS,
        intended=tells(2),
    ),
    scenario("localhost", Visit(host="localhost"), KNOWN, IDS),
    scenario("An address in place of a name", Visit(host="127.0.0.1"), KNOWN, IDS),
    scenario("localStorage that may not be used", KNOWN, IDS, "await analytics.track('On')", broken=NO_STORAGE),
    scenario(
        "localStorage that is full",
        KNOWN,
        IDS,
        "await analytics.track('On')",
        broken=FULL,
        reference_fails="does not start",
    ),
    scenario("Cookies that are switched off", KNOWN, IDS, Visit("/later"), IDS, broken=NO_COOKIES),
    scenario(
        "Cookies that may not be used",
        KNOWN,
        IDS,
        broken=FORBIDDEN_COOKIES,
        reference_fails="tries again for ever, and sends nothing",
    ),
    scenario("Neither cookies nor localStorage", KNOWN, IDS, broken=NO_STORAGE + NO_COOKIES),
    scenario(
        "The page's own use of storage",
        "analytics.storage.set('cart', {lemons: 3}); return analytics.storage.get('cart')",
        "analytics.storage.clear('cart'); return analytics.storage.get('cart')",
    ),
)
