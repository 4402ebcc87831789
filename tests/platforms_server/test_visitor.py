"""The visitor of a request, over ASGI and WSGI: cookies in, calls, cookies out, and nobody sees another's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from satsuma.platforms.server import AnalyticsMiddleware, Client, Visitor, Visitors, WSGIAnalyticsMiddleware
from satsuma.platforms.server.cookies import RequestCookies, highest_domain
from satsuma.platforms.server.visitor import private
from wire import Wire

NAVIGATION = {"sec-fetch-dest": "document", "host": "www.shop.test", "accept": "text/html"}
FETCH = {"sec-fetch-dest": "empty", "host": "www.shop.test", "referer": "https://www.shop.test/basket?x=1"}
KNOWN = {"cookie": "ajs_anonymous_id=a1; ajs_user_id=u1; ajs_group_id=g1"}
URL = "https://www.shop.test/checkout?step=2"


Come = Callable[..., Visitor]


@pytest.fixture
def come(client: Client) -> Come:
    """A function that makes a request's visitor."""

    def make(headers: dict[str, str], **options: Any) -> Visitor:
        return Visitors(client, **options).visitor("GET", URL, headers, "203.0.113.9")

    return make


def cookies(visitor: Visitor) -> dict[str, Any]:
    """Return what the answer sets, by name."""
    parsed: SimpleCookie = SimpleCookie()
    for header in visitor.set_cookies():
        parsed.load(header)
    return dict(parsed)


def sent(client: Client, wire: Wire) -> list[dict[str, Any]]:
    assert client.flush()
    return wire.kept


def test_a_navigation_mints_and_the_cookie_is_the_sdks(come: Come, client: Client, wire: Wire) -> None:
    visitor = come(NAVIGATION)
    visitor.track("Seen")
    [event] = sent(client, wire)
    made = cookies(visitor)["ajs_anonymous_id"]
    assert made.value == event["anonymousId"] == visitor.anonymous_id
    attributes = {name: made[name] for name in ("max-age", "path", "domain", "samesite", "secure", "httponly")}
    assert attributes == {
        "max-age": str(365 * 86_400),
        "path": "/",
        "domain": "shop.test",
        "samesite": "Lax",
        "secure": "",
        "httponly": "",
    }


@pytest.mark.parametrize("calls", [[], ["track"], ["track", "identify"]])
def test_an_id_made_for_want_of_one_is_marked_as_such(come: Come, calls: list[str]) -> None:
    visitor = come(NAVIGATION)
    for call in calls:
        getattr(visitor, call)("x")
    assert cookies(visitor)["satsuma_handover"].value.endswith("%22offered%22]")


@pytest.mark.parametrize("call", ["reset", "identify"])
def test_an_id_made_for_somebody_new_is_not(come: Come, call: str) -> None:
    visitor = come({**NAVIGATION, **KNOWN})
    getattr(visitor, call)(*(["u2"] if call == "identify" else []))
    assert "offered" not in cookies(visitor)["satsuma_handover"].value


@pytest.mark.parametrize(
    ("headers", "options", "mints"),
    [
        (NAVIGATION, {}, True),
        ({"accept": "text/html,*/*", "host": "h"}, {}, True),
        (FETCH, {}, False),
        ({**NAVIGATION, "sec-purpose": "prefetch;prerender"}, {}, False),
        ({**NAVIGATION, "sec-fetch-dest": "iframe"}, {}, False),
        (FETCH, {"mint": "always"}, True),
        (NAVIGATION, {"mint": "never"}, False),
        ({**NAVIGATION, "sec-gpc": "1"}, {}, True),
        ({**NAVIGATION, "sec-gpc": "1"}, {"options": {"respectGlobalPrivacyControl": True}}, False),
        ({**NAVIGATION, "dnt": "1"}, {"options": {"respectDoNotTrack": True}}, False),
        (NAVIGATION, {"options": {"consent": "required"}}, False),
        (NAVIGATION, {"options": {"disableClientPersistence": True}}, False),
        ({**NAVIGATION, **KNOWN}, {}, False),
    ],
)
def test_who_gets_an_anonymous_id(come: Come, headers: dict[str, str], options: dict[str, Any], mints: bool) -> None:
    assert ("ajs_anonymous_id" in cookies(come(headers, **options))) is mints


def test_without_a_lasting_id_events_have_one_of_the_request(come: Come, client: Client, wire: Wire) -> None:
    visitor = come(FETCH)
    visitor.track("A")
    visitor.track("B")
    assert visitor.anonymous_id is None
    first, second = sent(client, wire)
    assert first["anonymousId"] == second["anonymousId"] is not None
    assert cookies(visitor) == {}


def test_a_known_user_without_an_anonymous_id_gets_no_second(come: Come, client: Client, wire: Wire) -> None:
    come({**FETCH, "cookie": "ajs_user_id=u1"}).track("A")
    [event] = sent(client, wire)
    assert (event["userId"], event["anonymousId"]) == ("u1", None)


def test_context_is_the_requests(come: Come, client: Client, wire: Wire) -> None:
    headers = {"user-agent": "Mozilla/5.0", "accept-language": "cs-CZ,cs;q=0.9", "referer": "https://search.test/"}
    come({**NAVIGATION, **KNOWN, **headers}).page("Shop", "Checkout", {"n": 1}, context={"app": "x"})
    come({**FETCH, **KNOWN}).track("Added", message_id="m1", timestamp=0)
    page, track = sent(client, wire)
    assert page["context"]["page"] == {
        "path": "/checkout",
        "referrer": "https://search.test/",
        "search": "?step=2",
        "title": "",
        "url": URL,
    }
    assert (page["name"], page["category"], page["properties"]["n"]) == ("Checkout", "Shop", 1)
    told = {name: page["context"][name] for name in ("ip", "userAgent", "locale", "app")}
    assert told == {"ip": "203.0.113.9", "userAgent": "Mozilla/5.0", "locale": "cs-CZ", "app": "x"}
    assert track["context"]["page"]["url"] == "https://www.shop.test/basket?x=1", "the page that asks"
    assert (track["messageId"], track["timestamp"]) == ("m1", "1970-01-01T00:00:00.000Z")


def test_login_sets_the_user_id_and_keeps_the_anonymous_id(come: Come, client: Client, wire: Wire) -> None:
    visitor = come({**FETCH, "cookie": "ajs_anonymous_id=a1"})
    visitor.identify("ú1", {"plan": "pips"})
    visitor.track("Signed In")
    identify, track = sent(client, wire)
    assert identify["traits"] == {"plan": "pips"}
    assert {(event["userId"], event["anonymousId"]) for event in (identify, track)} == {("ú1", "a1")}
    made = cookies(visitor)
    assert made["ajs_user_id"].value == "%C3%BA1"
    assert "ajs_anonymous_id" not in made


def test_logout_removes_the_ids_and_makes_a_new_one(come: Come, client: Client, wire: Wire) -> None:
    visitor = come({**FETCH, **KNOWN})
    visitor.reset()
    visitor.track("After")
    [event] = sent(client, wire)
    made = cookies(visitor)
    assert (event["userId"], event["anonymousId"]) == (None, made["ajs_anonymous_id"].value)
    assert event["anonymousId"] != "a1"
    assert {name: made[name]["max-age"] for name in ("ajs_user_id", "ajs_group_id")} == dict.fromkeys(
        ("ajs_user_id", "ajs_group_id"), "0"
    )


def test_another_user_begins_a_new_anonymous_id(come: Come) -> None:
    visitor = come({**FETCH, **KNOWN})
    visitor.identify("u2")
    assert visitor.user_id == "u2"
    assert visitor.anonymous_id not in (None, "a1")
    assert {"ajs_anonymous_id", "ajs_user_id"} <= set(cookies(visitor))


def test_a_group_is_set_and_an_alias_told(come: Come, client: Client, wire: Wire) -> None:
    visitor = come({**NAVIGATION, **KNOWN})
    visitor.group("g2", {"employees": 4})
    visitor.alias("u9")
    visitor.screen(name="Basket")
    group, alias, screen = sent(client, wire)
    assert (group["groupId"], group["traits"], visitor.group_id) == ("g2", {"employees": 4}, "g2")
    assert (alias["userId"], alias["previousId"]) == ("u9", "u1")
    assert screen["name"] == "Basket"
    assert cookies(visitor)["ajs_group_id"].value == "g2"


@pytest.mark.parametrize(("headers", "renewed"), [(NAVIGATION, 3), (FETCH, 0)])
def test_cookies_are_renewed_only_where_a_page_is_opened(come: Come, headers: dict[str, str], renewed: int) -> None:
    made = cookies(come({**headers, **KNOWN}, refresh=True))
    told = made.pop("satsuma_refreshed", None)
    assert [cookie["max-age"] for cookie in made.values()] == [str(365 * 86_400)] * renewed
    assert (told is not None and told["max-age"]) == (renewed > 0 and str(86_400)), "the page is told of it for a day"


def test_an_answer_that_changes_nothing_sets_nothing(come: Come) -> None:
    visitor = come({**NAVIGATION, **KNOWN})
    visitor.track("Seen")
    visitor.identify("u1", {"plan": "pips"})
    assert set(cookies(visitor)) <= {"satsuma_handover"}


def test_calls_wait_for_consent_and_are_dropped_without_it(come: Come, client: Client, wire: Wire) -> None:
    required = {"options": {"consent": "required"}}
    yes, no = come(NAVIGATION, **required), come({**NAVIGATION, **KNOWN}, **required)
    for visitor in (yes, no):
        visitor.identify("u7")
        visitor.track("Waits")
    yes.consent()
    no.consent(False)
    events = sent(client, wire)
    assert [event["type"] for event in events] == ["identify", "track"]
    assert {"ajs_anonymous_id", "ajs_user_id"} <= set(cookies(yes))
    removed = {name: made["max-age"] for name, made in cookies(no).items()}
    assert removed == dict.fromkeys(("ajs_anonymous_id", "ajs_user_id", "ajs_group_id"), "0")


def test_after_the_answer_has_begun_changes_are_told_of(come: Come, client: Client) -> None:
    errors: list[Exception] = []
    client._complaints._on_error = lambda error, _: errors.append(error)
    visitor = come({**NAVIGATION, **KNOWN})
    visitor.set_cookies()
    visitor.reset()
    assert "cookie" in str(errors[0])


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("shop.test", "shop.test"),
        ("www.shop.test", "shop.test"),
        ("a.b.shop.test", "shop.test"),
        ("www.shop.co.uk", "shop.co.uk"),
        ("shop.com.au", "shop.com.au"),
        ("localhost", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
    ],
)
def test_the_domain_is_the_highest_that_takes_a_cookie(host: str, domain: str | None) -> None:
    assert highest_domain(host) == domain


@pytest.mark.parametrize(("domain", "told"), [("eu.shop.test", "eu.shop.test"), ("", "")])
def test_the_domain_can_be_named(come: Come, domain: str, told: str) -> None:
    visitor = come(NAVIGATION, options={"cookie": {"domain": domain, "secure": True, "sameSite": "Strict"}})
    made = cookies(visitor)["ajs_anonymous_id"]
    assert (made["domain"], made["secure"], made["samesite"]) == (told, True, "Strict")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("public, max-age=60", "private, max-age=60"),
        ("S-MaxAge=60", "private"),
        ("no-store", None),
        ("private", None),
    ],
)
def test_what_sets_cookies_is_kept_by_no_shared_cache(given: str, told: str | None) -> None:
    assert private(given) == told


@given(
    st.text(st.characters(max_codepoint=255)),
    st.lists(st.sampled_from(["identify", "track", "reset", "group", "consent"])),
)
def test_whatever_a_request_holds_no_call_raises_and_no_header_breaks(cookie: str, calls: list[str]) -> None:
    wire = Wire()
    client = Client("demo", "http://collector.test", transport=wire)
    visitor = Visitors(client, refresh=True).visitor("GET", f"http://[{cookie}", {**NAVIGATION, "cookie": cookie}, None)
    for call in calls:
        getattr(visitor, call)(*([] if call in ("reset", "consent") else [cookie or "x"]))
    for header in visitor.set_cookies():
        assert header.isascii()
        assert header.isprintable()
    client._worker.close(0)
    assert RequestCookies(cookie).changes == {}


# The adapters


async def asgi_request(app: Any, headers: dict[str, str], path: str = "/p") -> list[Any]:
    messages = []
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"q=1",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("203.0.113.9", 1),
        "server": ("shop.test", 80),
        "state": SHARED,
    }

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return messages


SHARED: dict[str, Any] = {"pool": "shared"}


def test_over_asgi_nothing_leaks_between_visitors(client: Client, wire: Wire) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        analytics = scope["state"]["analytics"]
        await asyncio.sleep(0)
        analytics.identify(scope["path"][1:])
        await asyncio.sleep(0)
        headers = [(b"cache-control", b"public, max-age=60"), (b"x-own", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": analytics.user_id.encode()})

    async def run() -> list[Any]:
        wrapped = AnalyticsMiddleware(app, client=client)
        return await asyncio.gather(*(asgi_request(wrapped, NAVIGATION, f"/u{number}") for number in range(50)))

    for number, (start, body) in enumerate(asyncio.run(run())):
        assert body["body"] == f"u{number}".encode()
        headers = start["headers"]
        assert (b"x-own", b"1") in headers
        assert (b"cache-control", b"private, max-age=60") in headers
        assert any(name == b"set-cookie" and f"ajs_user_id=u{number};".encode() in value for name, value in headers)
    events = sent(client, wire)
    assert len({event["anonymousId"] for event in events}) == 50
    assert SHARED == {"pool": "shared"}
    assert {event["context"]["page"]["url"] for event in events} == {
        f"http://www.shop.test/u{number}?q=1" for number in range(50)
    }


def test_over_asgi_what_is_no_request_passes_through(client: Client) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"type": "lifespan"}
    asyncio.run(AnalyticsMiddleware(app, client=client)(scope, None, None))  # type: ignore[arg-type]
    assert seen == [scope]


def test_what_waits_is_sent_before_an_app_says_that_it_has_ended(wire: Wire) -> None:
    order: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        client.track("u1", "Shut Down")
        await send({"type": "lifespan.shutdown.complete"})

    async def send(message: Any) -> None:
        order.extend(event["event"] for event in wire.kept)
        order.append(message["type"])

    with Client("demo", "http://collector.test", transport=wire, batch_wait=60) as client:
        asyncio.run(AnalyticsMiddleware(app, client=client)({"type": "lifespan"}, None, send))  # type: ignore[arg-type]
    assert order == ["Shut Down", "lifespan.shutdown.complete"]


def test_over_wsgi(client: Client, wire: Wire) -> None:
    told: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ["satsuma.analytics"].identify("u1")
        start_response("200 OK", [("Content-Type", "text/html"), ("Cache-Control", "public")])
        return [b"hello"]

    environ = {
        "REQUEST_METHOD": "GET",
        "wsgi.url_scheme": "https",
        "PATH_INFO": "/caf\xc3\xa9",
        "QUERY_STRING": "q=1",
        "REMOTE_ADDR": "203.0.113.9",
        "HTTP_HOST": "shop.test",
        "HTTP_ACCEPT": "text/html",
        "HTTP_COOKIE": "ajs_anonymous_id=a1",
    }
    answer = WSGIAnalyticsMiddleware(app, client=client)(environ, lambda *given: told.append(given))
    assert list(answer) == [b"hello"]
    [(status, headers)] = told
    assert status == "200 OK"
    assert ("Cache-Control", "private") in headers
    assert any(name == "Set-Cookie" and value.startswith("ajs_user_id=u1;") for name, value in headers)
    [event] = sent(client, wire)
    assert (event["userId"], event["anonymousId"], event["context"]["ip"]) == ("u1", "a1", "203.0.113.9")
    assert event["context"]["page"]["url"] == "https://shop.test/caf%C3%A9?q=1"
