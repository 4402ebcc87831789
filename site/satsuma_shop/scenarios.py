"""Flows of the specification, which the lab plays in real pages and checks.

A step is data, so that a page can show it before it is played. What it does is a list of verbs with their arguments,
which ``static/lab/device.js`` and ``static/qa/driver.js`` carry out. ``static/lab/checks.js`` checks what is expected.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LAPTOP, PHONE, BLOG = "laptop", "phone", "blog.laptop"

type Do = tuple[Any, ...]
"""A verb and its arguments."""

type Stored = tuple[str, str]
"""An event's name and whose it must be: ``anonymous``, ``known`` or ``any``."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow.

    Attributes:
        title: what the visitor does.
        why: what follows from it, and why.
        do: the actions, in order.
        anonymous_id, user_id: what must happen to the ids: ``new``, ``same``, ``none`` or ``laptop``, which means the
            id on that device. Empty where the step doesn't check them.
        stored: the events of this step, in the order in which they must be stored.
        people: how many people all events of the flow must make until then; 0 where the step doesn't check it.
        shown: what the page must show at the end.
        healed: whether cookie and localStorage must agree, with the cookie valid for a whole year.
    """

    device: str
    title: str
    why: str
    do: tuple[Do, ...]
    anonymous_id: str = ""
    user_id: str = ""
    stored: tuple[Stored, ...] = ()
    people: int = 0
    healed: bool = False
    shown: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """Return the step as data for the lab's script."""
        return {name: value for name, value in asdict(self).items() if name != "why"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One flow.

    Attributes:
        quote: the words of the specification; empty where it says nothing of it.
    """

    id: str
    title: str
    summary: str
    quote: str
    steps: tuple[Step, ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that take part, in order."""
        return tuple(dict.fromkeys(step.device for step in self.steps))


PETER = {"name": "Peter Gibbons", "email": "peter.{run}@initech.example", "password": "red-stapler"}
LOGIN = {"email": PETER["email"], "password": PETER["password"]}
SIGNED_UP: tuple[Stored, ...] = (("page", "anonymous"), ("identify", "known"), ("Signed Up", "known"))


def _visit(device: str, path: str, title: str, why: str, **more: Any) -> Step:
    return Step(device, title, why, (("open", path),), **more)


def _first_visit(why: str = "No store knows an id, so the SDK makes an anonymousId and keeps it in both.") -> Step:
    return _visit(
        LAPTOP, "/", "Open the shop for the very first time", why,
        anonymous_id="new", user_id="none", stored=(("page", "anonymous"),), people=1,
    )  # fmt: skip


def _register(why: str, path: str = "/register", title: str = "Sign up", **more: Any) -> Step:
    do: tuple[Do, ...] = (("open", path), ("fill", "register", PETER))
    given = {"anonymous_id": "same", "user_id": "new", "stored": SIGNED_UP, "people": 1, **more}
    return Step(LAPTOP, title, why, do, **given)


SOFT = Scenario(
    "soft-to-full", "From a newsletter to an account",
    "Traits first, a userId later: one anonymousId from the first page on.",
    "You’ll notice the Identify call contains no userId. These traits will be associated to the anonymousId that is "
    "available in the user’s cookie and localStorage.",
    (
        _first_visit(),
        Step(
            LAPTOP, "Subscribe to the newsletter",
            "Somebody who reads a newsletter has no account. identify carries traits only, and userId stays null.",
            (("open", "/newsletter"),
             ("fill", "newsletter", {"first_name": "Joe", "last_name": "Visitor", "email": "joe.{run}@thissite.com"})),
            anonymous_id="same", user_id="none",
            stored=(("identify", "anonymous"), ("Newsletter Subscribed", "anonymous")), people=1,
        ),
        _register("The shop’s database gives a userId. identify and Signed Up carry both ids, in that order."),
        _visit(LAPTOP, "/products/yuzu", "Go on looking around",
               "Every call from now on carries both ids, so all that came before belongs to the same person.",
               anonymous_id="same", user_id="same", stored=(("page", "known"), ("Product Viewed", "known")), people=1),
    ),
)  # fmt: skip

MULTI_DAY = Scenario(
    "multi-day", "Days apart, one device",
    "An advertisement on Monday, an account on Wednesday.",
    "Say they come back two days later from the same device, sign up, and are assigned a userId from your database.",
    (
        _first_visit("A click on an advertisement brings a stranger, who gets an anonymousId."),
        _visit(LAPTOP, "/products/satsuma", "Look at a satsuma", "Each page carries the same anonymousId.",
               anonymous_id="same", user_id="none",
               stored=(("page", "anonymous"), ("Product Viewed", "anonymous")), people=1),
        Step(LAPTOP, "Close the page, and let two days go by",
             "Nobody waits two days here: the cookies are made two days older instead, as they would be by then.",
             (("age", 2), ("close",)), anonymous_id="same", user_id="none"),
        _visit(LAPTOP, "/", "Come back",
               "The cookie is still there, so this is the same visitor; and its year begins anew.",
               anonymous_id="same", user_id="none", stored=(("page", "anonymous"),), people=1, healed=True),
        _register("The userId meets the old anonymousId: Monday’s pages belong to the new account."),
    ),
)  # fmt: skip

_PHONE_APP = _visit(
    PHONE, "/app", "Open the app on a phone",
    "Another device has cookies and localStorage of its own, and so another anonymousId.",
    anonymous_id="new", user_id="none", stored=(("page", "anonymous"), ("screen Home", "anonymous")), people=2,
)  # fmt: skip
_PHONE_BASKET = Step(
    PHONE, "Look into the basket", "Screens of the app carry the phone’s anonymousId.",
    (("click", "[data-screen=Basket]"),),
    anonymous_id="same", user_id="none", stored=(("screen Basket", "anonymous"),), people=2,
)  # fmt: skip

ONE_LOGIN = Scenario(
    "one-login", "Two devices, one login",
    "Whoever doesn’t log in on the phone stays a stranger there.",
    "However, because they do not log in on the mobile application, Segment cannot tie the mobile activity to this "
    "specific user.",
    (
        _first_visit(),
        _PHONE_APP,
        _register("The laptop’s visitor is known now. The phone heard nothing of it.", people=2),
        Step(PHONE, "Go on in the app, without logging in",
             "Nothing ties the phone to the account: two people, as far as anybody can tell.",
             _PHONE_BASKET.do, anonymous_id="same", user_id="none", stored=_PHONE_BASKET.stored, people=2),
    ),
)  # fmt: skip

TWO_LOGINS = Scenario(
    "two-logins", "Two devices, two logins",
    "Two anonymousIds meet one userId, and become one person.",
    "In this case, both sessions on the web and mobile app receive the user’s userId, so Segment can tie the anonymous "
    "activity on both web and mobile to this user.",
    (
        _first_visit(),
        _register("The laptop’s anonymousId belongs to the account."),
        _PHONE_APP,
        _PHONE_BASKET,
        Step(PHONE, "Log in, in the app",
             "The app’s identify carries the same userId beside the phone’s own anonymousId: now both devices, and "
             "all that was done on them before, are one person’s.",
             (("click", "[data-screen=Me]"), ("fill", "app-login", LOGIN)),
             anonymous_id="same", user_id="laptop",
             stored=(("screen Me", "anonymous"), ("identify", "known"), ("Signed In", "known")), people=1),
    ),
)  # fmt: skip

EXPIRY = Scenario(
    "expiry", "The cookie expires",
    "localStorage remembers, and gives the id back.",
    "If a user returns to your site after the cookie expires, Analytics.js looks for an old ID in the user’s "
    "localStorage, and if one is found, sets it as the user’s ID again in a new cookie.",
    (
        _first_visit(),
        _register("Both ids are in the cookie and in localStorage."),
        Step(LAPTOP, "Let the cookie expire",
             "The cookies get one second to live, and that second is waited for. Only localStorage knows the ids.",
             (("expire",),), anonymous_id="same", user_id="same"),
        _visit(LAPTOP, "/products/yuzu", "Come back",
               "The old ids are found in localStorage and set again, in a cookie that lives another year.",
               anonymous_id="same", user_id="same", stored=(("page", "known"), ("Product Viewed", "known")), people=1,
               healed=True),
    ),
)  # fmt: skip

EXPIRY_ALONE = Scenario(
    "expiry-alone", "The cookie expires, and localStorage is empty",
    "With nothing left to remember, the visitor is somebody new.",
    "If the user manually clears their cookies and local storage, they generate a new anonymousId on the next visit.",
    (
        _first_visit(),
        _register("Both ids are in the cookie and in localStorage."),
        Step(LAPTOP, "Clear localStorage, and let the cookie expire", "No store knows an id any more.",
             (("clear", "storage"), ("expire",)), anonymous_id="none", user_id="none"),
        _visit(LAPTOP, "/", "Come back",
               "A completely new anonymousId. The account stays where it is, but nothing ties this visit to it.",
               anonymous_id="new", user_id="none", stored=(("page", "anonymous"),), people=2, healed=True),
    ),
)  # fmt: skip

CLEARING = Scenario(
    "clearing", "Clearing one store, then both",
    "One store heals the other; without either there is a new visitor.",
    "If the user clears their cookies and localStorage, all of the IDs are removed and the user gets a completely new "
    "anonymousId when they next visit the page.",
    (
        _first_visit(),
        _register("Both ids are in the cookie and in localStorage."),
        Step(LAPTOP, "Clear the cookies and come back", "localStorage writes both ids into new cookies.",
             (("clear", "cookies"), ("open", "/")),
             anonymous_id="same", user_id="same", stored=(("page", "known"),), people=1, healed=True),
        Step(LAPTOP, "Clear localStorage and come back", "The cookie gives both ids back. Only the traits are gone.",
             (("clear", "storage"), ("open", "/cart")),
             anonymous_id="same", user_id="same", stored=(("page", "known"),), people=1, healed=True),
        Step(LAPTOP, "Clear both and come back", "All ids are removed: a completely new anonymousId.",
             (("clear", "both"), ("open", "/")),
             anonymous_id="new", user_id="none", stored=(("page", "anonymous"),), people=2, healed=True),
    ),
)  # fmt: skip

RESET = Scenario(
    "reset", "Logging out resets",
    "The next visit, even of the same person, begins with a new anonymousId.",
    "If you call reset during a user’s browser session, it removes both their userId and anonymousId, which means the "
    "user generates a new anonymousId on the next visit.",
    (
        _first_visit(),
        _register("Both ids are in the cookie and in localStorage."),
        Step(LAPTOP, "Log out", "Signed Out still tells who it was; then reset removes both ids from every store.",
             (("click", "[data-logout] button"),),
             anonymous_id="none", user_id="none", stored=(("Signed Out", "known"),), people=1),
        _visit(LAPTOP, "/products/kumquat", "Look at a kumquat", "Nobody is known, so a new anonymousId is made.",
               anonymous_id="new", user_id="none",
               stored=(("page", "anonymous"), ("Product Viewed", "anonymous")), people=2),
        Step(LAPTOP, "Log in again",
             "The same userId meets the new anonymousId: one person again, with two anonymousIds.",
             (("open", "/login"), ("fill", "login", LOGIN)),
             anonymous_id="same", user_id="new", stored=(("identify", "known"), ("Signed In", "known")), people=1),
    ),
)  # fmt: skip

ANOTHER = Scenario(
    "another-user", "Somebody else logs in",
    "Two people at one machine: nothing of the one sticks to the other.",
    "If you call analytics.identify() with a userId that is different from the currently cached userId, this can "
    "overwrite the existing one and cause attribution problems.",
    (
        _first_visit(),
        _register("Peter is known, with his traits."),
        Step(LAPTOP, "Milton signs up, though Peter never logged out",
             "Another userId takes Peter’s place. The anonymousId was Peter’s, so Milton gets a new one, and none of "
             "Peter’s traits: two people.",
             (("open", "/register"),
              ("fill", "register", {**PETER, "name": "Milton Waddams", "email": "milton.{run}@initech.example"})),
             anonymous_id="new", user_id="new", stored=(("identify", "known"), ("Signed Up", "known")), people=2,
             healed=True),
    ),
)  # fmt: skip

HASTY = Scenario(
    "redirect", "A page that redirects at once",
    "The most common way to lose sign-ups, and why none is lost here.",
    "This is usually caused by the page redirecting or reloading before the tracking calls get a chance to run.",
    (
        _first_visit(),
        _register("The page makes its calls and is left in the same moment, long before Python is up. A beacon carries "
                  "them, and the collector makes events of them with the same code.",
                  path="/hasty", title="Sign up on a page that redirects at once",
                  stored=(("identify", "known"), ("Signed Up", "known"))),
        _visit(LAPTOP, "/products/pomelo", "Go on looking around",
               "The next page knows who it is: nothing was lost, and nothing is stored twice.",
               anonymous_id="same", user_id="same", stored=(("page", "known"), ("Product Viewed", "known")), people=1),
    ),
)  # fmt: skip

ALIAS = Scenario(
    "alias", "Alias before identify",
    "For destinations that want the two ids linked by hand.",
    "Remember that for destinations that require aliasing, you must make the Alias call before you make the Identify "
    "call for that user.",
    (
        _first_visit(),
        Step(LAPTOP, "The page calls alias(\"user-{run}\")",
             "The event says that what was known by the anonymousId is known by the userId from now on. In the "
             "browser nothing changes yet.",
             (("call", "alias", "user-{run}"),),
             anonymous_id="same", user_id="none", stored=(("alias", "known"),), people=1),
        Step(LAPTOP, "The page calls identify(\"user-{run}\")",
             "Now cookie and localStorage know the userId too, and every later call carries it.",
             (("call", "identify", "user-{run}", {"plan": "grove"}),),
             anonymous_id="same", user_id="new", stored=(("identify", "known"),), people=1),
        _visit(LAPTOP, "/products/bergamot", "Go on looking around", "One person, in every destination.",
               anonymous_id="same", user_id="same", stored=(("page", "known"), ("Product Viewed", "known")), people=1),
    ),
)  # fmt: skip

MILTON = {**PETER, "name": "Milton Waddams", "email": "milton.{run}@initech.example"}

SUB_DOMAINS = Scenario(
    "sub-domains", "Log out here, go on there",
    "A shop and its blog, on two sub-domains: whoever logs out of the one is logged out of both.",
    "If you call reset during a user’s browser session, it removes both their userId and anonymousId, which means the "
    "user generates a new anonymousId on the next visit.",
    (
        _first_visit(),
        _register("Both ids are in the cookie, which all sub-domains share, and in this one’s localStorage."),
        _visit(BLOG, "/products/yuzu", "Read the blog, on another sub-domain",
               "The shared cookie tells the blog who it is, and the blog’s own localStorage remembers it from now on.",
               anonymous_id="laptop", user_id="laptop",
               stored=(("page", "known"), ("Product Viewed", "known")), people=1),
        Step(LAPTOP, "Log out of the shop",
             "reset removes the ids from the cookie and from the shop’s localStorage. It can’t reach the blog’s, which "
             "still holds Peter’s; but the cookie satsuma_generation has a higher number now.",
             (("click", "[data-logout] button"),),
             anonymous_id="none", user_id="none", stored=(("Signed Out", "known"),), people=1),
        _visit(BLOG, "/products/kumquat", "Go on reading the blog",
               "The blog’s localStorage has a lower number than the cookie: it is outdated, and must not bring Peter "
               "back. A stranger reads on.",
               anonymous_id="new", user_id="none",
               stored=(("page", "anonymous"), ("Product Viewed", "anonymous")), people=2, healed=True),
        Step(LAPTOP, "Milton signs up at the shop", "The stranger was Milton: the anonymousId of the blog becomes his.",
             (("open", "/register"), ("fill", "register", MILTON)),
             anonymous_id="same", user_id="new", stored=(("identify", "known"), ("Signed Up", "known")), people=2),
        _visit(BLOG, "/products/pomelo", "Milton reads the blog",
               "He is Milton here too, and nothing of it is Peter’s.",
               anonymous_id="laptop", user_id="laptop",
               stored=(("page", "known"), ("Product Viewed", "known")), people=2, healed=True),
    ),
)  # fmt: skip

SECOND_COOKIE = Scenario(
    "second-cookie", "A second cookie of the same name",
    "The browser shows both as if they were one; after a logout there is neither.",
    "If you call reset during a user’s browser session, it removes both their userId and anonymousId, which means the "
    "user generates a new anonymousId on the next visit.",
    (
        _first_visit(),
        _register("Both ids are in cookies of the domain, where every sub-domain sees them."),
        Step(LAPTOP, "A server sets the same cookies once more",
             "It names no Domain, so the browser keeps them beside ours. Nobody notices, since both say the same.",
             (("double",),), anonymous_id="same", user_id="same", shown="2 cookies ajs_user_id"),
        Step(LAPTOP, "Log out",
             "Whoever removes only their own cookie leaves the other one, and Peter is back on the next page. So "
             "reset removes what has the name from every domain and path that can hold it.",
             (("click", "[data-logout] button"),),
             anonymous_id="none", user_id="none", stored=(("Signed Out", "known"),), people=1,
             shown="0 cookies ajs_user_id"),
        Step(LAPTOP, "Milton signs up",
             "A new anonymousId, which was never Peter’s.",
             (("open", "/register"), ("fill", "register", MILTON)),
             anonymous_id="new", user_id="new", stored=(("identify", "known"), ("Signed Up", "known")), people=2,
             healed=True, shown="1 cookie ajs_anonymous_id"),
    ),
)  # fmt: skip

NAMES = Scenario(
    "names", "The name analytics is taken",
    "By an element, by another library, by a second source: nothing breaks, and nothing is lost.",
    "",
    (
        _visit(LAPTOP, "/qa/names/element", "Open a page with an element that has the id analytics",
               "A browser makes a global of every id. The snippet does not take the element for a library, and the "
               "page’s calls arrive.",
               anonymous_id="new", user_id="none", stored=(("page", "anonymous"),), people=1,
               shown="analytics: Satsuma"),
        Step(LAPTOP, "Open a page where another library has the name",
             "What the page tells analytics is the other library’s business. Satsuma is called grove here "
             "(globalAnalyticsKey), and the two leave each other alone.",
             (("open", "/qa/names/library"), ("call on", "analytics", "track", "For The Other"),
              ("call on", "grove", "track", "Fruit Weighed")),
             anonymous_id="same", user_id="none", stored=(("page", "anonymous"), ("Fruit Weighed", "anonymous")),
             people=1, shown="The other library heard: For The Other"),
        Step(LAPTOP, "Open a page with two sources, and identify in the first",
             "Two snippets with two write keys: analytics, and a second one that is called orchard.",
             (("open", "/qa/names/two"), ("call on", "analytics", "identify", "{run}-user")),
             anonymous_id="same", user_id="new", stored=(("identify", "known"),), people=1,
             shown="orchard: Satsuma"),
        Step(LAPTOP, "Track in the second",
             "It goes to the other source, and carries both ids: two sources, one visitor.",
             (("call on", "orchard", "track", "Basket Weighed"),),
             anonymous_id="same", user_id="same", stored=(("Basket Weighed", "known"),), people=1, healed=True),
    ),
)  # fmt: skip

SAFARI = Scenario(
    "safari", "Eight days later in Safari",
    "What scripts have written is gone after a week; what a server has set stays.",
    "",
    (
        _first_visit(),
        _register("Both ids are in the cookie and in localStorage. A script has written both."),
        Step(LAPTOP, "Close the page, and let eight days go by in Safari",
             "Safari’s tracking prevention lets cookies that a script has written live for seven days. After seven "
             "days without a visit it empties localStorage. Neither is left.",
             (("safari", 8), ("close",)), anonymous_id="none", user_id="none"),
        _visit(LAPTOP, "/", "Come back",
               "No store knows an id. One visitor is counted as two, until the same account logs in again.",
               anonymous_id="new", user_id="none", stored=(("page", "anonymous"),), people=2),
        Step(PHONE, "Open the shop on a phone, where its server sets the cookies",
             "AnalyticsMiddleware with refresh=True makes the anonymousId as the page is opened. The SDK takes it from "
             "the cookie, and leaves the cookie as it is.",
             (("cookie", "grove_server", "yes"), ("open", "/")),
             anonymous_id="new", user_id="none", stored=(("page", "anonymous"),), people=3),
        Step(PHONE, "Sign up, and look at a yuzu",
             "The page’s identify writes the cookie of the userId. The next page’s answer sets it once more: from now "
             "on it is the server’s.",
             (("open", "/register"), ("fill", "register", MILTON), ("open", "/products/yuzu")),
             anonymous_id="same", user_id="new",
             stored=(("identify", "known"), ("Signed Up", "known"), ("Product Viewed", "known")), people=3),
        Step(PHONE, "Close the page, and let eight days go by in Safari",
             "localStorage is empty. The server’s cookies are eight days older, and stay.",
             (("safari", 8), ("close",)), anonymous_id="same", user_id="same"),
        _visit(PHONE, "/", "Come back",
               "The cookies tell who it is, and localStorage gets both ids back: the same visitor.",
               anonymous_id="same", user_id="same", stored=(("page", "known"),), people=3, healed=True),
    ),
)  # fmt: skip

SCENARIOS = (
    *(SOFT, MULTI_DAY, ONE_LOGIN, TWO_LOGINS, EXPIRY, EXPIRY_ALONE, CLEARING, RESET, ANOTHER, HASTY, ALIAS),
    *(SUB_DOMAINS, SECOND_COOKIE, NAMES, SAFARI),
)
BY_ID = {scenario.id: scenario for scenario in SCENARIOS}
