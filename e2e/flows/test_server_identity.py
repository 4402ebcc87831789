"""One visitor for server and browser: a Starlette site with the middleware, our snippet, a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE, stock_site
from pytest_satsuma import Visitor
from satsuma.platforms.server import AnalyticsMiddleware, Client
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

Stored = Callable[..., dict[str, Any]]
Event = dict[str, Any]


async def page(request: Request) -> Response:
    request.state.analytics.track("Page Served")
    return HTMLResponse(request.app.state.html)


async def plain(request: Request) -> Response:
    return HTMLResponse("<!doctype html><title>plain</title><link rel='icon' href='data:,'>")


async def login(request: Request) -> Response:
    user_id = request.query_params["user"]
    request.state.analytics.identify(user_id, {"email": f"{user_id}@example.com"})
    return RedirectResponse("/") if request.method == "GET" else JSONResponse({})


async def logout(request: Request) -> Response:
    request.state.analytics.track("Signed Out")
    request.state.analytics.reset()
    return RedirectResponse("/") if request.method == "GET" else JSONResponse({})


async def ping(request: Request) -> Response:
    request.state.analytics.track("Pinged")
    return JSONResponse({"anonymousId": request.state.analytics.anonymous_id})


@pytest.fixture
def client(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Client("server", collector.url, batch_wait=0.05) as made:
        yield made


@pytest.fixture
def site(client: Client, collector: Collector) -> Iterator[str]:
    both = ["GET", "POST"]
    app = Starlette(
        routes=[
            Route("/", page),
            Route("/plain", plain),
            Route("/login", login, methods=both),
            Route("/logout", logout, methods=both),
            Route("/ping", ping, methods=both),
        ],
        middleware=[Middleware(AnalyticsMiddleware, client=client)],
    )
    app.state.html = PAGE.format(title="Served", snippet=snippet("site", collector.url), body="")
    with serving(app) as url:
        yield named(url)


def named(url: str) -> str:
    """Return a URL of this machine by a name that has a domain above it."""
    return url.replace("127.0.0.1", "www.served.test")


def ids(event: Event) -> tuple[str | None, str | None]:
    return event["userId"], event["anonymousId"]


def identity_cookies(visitor: Visitor) -> list[dict[str, Any]]:
    """Return the cookies of the identity, with their lifetime in days."""
    found = [dict(cookie) for cookie in visitor.context.cookies() if cookie["name"].startswith("ajs_")]
    now = visitor.evaluate("() => Date.now() / 1000")
    for cookie in found:
        cookie["days"] = round((cookie.pop("expires") - now) / 86_400)
    return sorted(found, key=lambda cookie: cookie["name"])


def test_the_browser_goes_on_with_the_id_that_the_server_made(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    served, seen = stored("track", "Page Served"), stored("page")
    assert ids(served) == ids(seen) == (None, visitor.identity.storage_anonymous_id)
    visitor.visit("/")
    assert ids(stored("page", count=2)) == ids(stored("track", "Page Served", count=2)) == ids(seen)
    assert len(identity_cookies(visitor)) == 1


def test_what_the_server_tells_of_the_visitor_is_what_the_browser_tells(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/?utm_source=letter")
    served, seen = stored("track", "Page Served")["context"], stored("page")["context"]
    assert served["page"] == {**seen["page"], "title": ""}
    for name in ("userAgent", "locale", "ip", "campaign"):
        assert served[name] == seen[name]
    assert served["library"]["name"] == "satsuma-python"


def test_the_servers_cookies_are_the_sdks_field_by_field(
    visitor: Visitor, new_device: Callable[[], Visitor], collector: Collector, stored: Stored
) -> None:
    visitor.page.goto(f"{visitor.base_url}/plain")
    visitor.evaluate("() => fetch('/login?user=97980cfea0067', {method: 'POST'}).then((r) => r.json())")
    from_server = identity_cookies(visitor)

    browser_only = new_device()
    html = PAGE.format(title="Ours", snippet=snippet("site", collector.url), body="")
    with serving(stock_site(html)) as url:
        browser_only.visit(named(url))
        browser_only.evaluate("() => analytics.identify('97980cfea0067').then(() => null)")
        from_browser = identity_cookies(browser_only)

    assert [cookie["name"] for cookie in from_server] == ["ajs_anonymous_id", "ajs_user_id"]
    assert from_server[0].pop("value") != from_browser[0].pop("value")
    assert from_server == from_browser


def test_who_logs_in_at_the_server_is_known_to_the_browser(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    first = stored("page")
    visitor.visit("/login?user=u1")
    identify, seen = stored("identify"), stored("page", count=2)
    assert identify["traits"] == {"email": "u1@example.com"}
    assert ids(identify) == ids(seen) == ("u1", first["anonymousId"])
    assert visitor.identity.storage_user_id == visitor.identity.cookie_user_id == "u1"


def test_a_logout_at_the_server_holds_beside_other_cookies_of_the_same_names(visitor: Visitor) -> None:
    visitor.visit("/login?user=ann")
    ann = visitor.identity.cookie_anonymous_id
    set_cookie = "cookie => { document.cookie = cookie; }"
    for place in ("", "; path=/logout", "; domain=www.served.test"):
        visitor.evaluate(set_cookie, f"ajs_anonymous_id=stray-of-ann{place}")
    visitor.evaluate(set_cookie, "ajs_user_id=ann")
    visitor.evaluate("() => fetch('/logout', {method: 'POST'}).then((r) => r.json())")
    cookies = identity_cookies(visitor)
    [anonymous_id] = [cookie["value"] for cookie in cookies]
    assert [cookie["name"] for cookie in cookies] == ["ajs_anonymous_id"]
    assert anonymous_id not in (ann, "stray-of-ann")
    assert visitor.evaluate("() => analytics.user().anonymousId()") == anonymous_id


def test_an_open_page_follows_login_and_logout(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    anonymous_id = stored("page")["anonymousId"]
    visitor.evaluate("() => fetch('/login?user=u1', {method: 'POST'}).then(() => analytics.track('In')).then(() => 0)")
    assert ids(stored("track", "In")) == ("u1", anonymous_id)
    visitor.evaluate("() => fetch('/logout', {method: 'POST'}).then(() => analytics.track('Out')).then(() => 0)")
    out = stored("track", "Out")
    assert out["userId"] is None
    assert out["anonymousId"] not in (None, anonymous_id)


def test_who_logs_out_at_the_server_is_somebody_new_in_the_browser(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/login?user=u1")
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    before = visitor.identity
    visitor.visit("/logout")
    assert ids(stored("track", "Signed Out")) == ("u1", before.anonymous_id)
    seen = stored("page", count=2)
    assert seen["userId"] is None
    assert seen["anonymousId"] not in (None, before.anonymous_id)
    after = visitor.identity
    assert after.cookie_anonymous_id == after.storage_anonymous_id == seen["anonymousId"]
    assert after.user_id is None
    assert not after.traits


def test_another_user_at_the_same_browser_has_nothing_of_the_first(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/login?user=u1")
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    before = visitor.identity.anonymous_id
    visitor.visit("/login?user=u2")
    seen = stored("page", count=2)
    assert seen["userId"] == "u2"
    assert seen["anonymousId"] not in (None, before)
    assert visitor.identity.traits in (None, {})


def test_requests_of_one_page_make_no_second_id(visitor: Visitor, collector: Collector) -> None:
    visitor.page.goto(f"{visitor.base_url}/plain")
    visitor.cookies.clear()
    answers = visitor.evaluate("() => Promise.all([1, 2, 3, 4].map(() => fetch('/ping').then((r) => r.json())))")
    assert {answer["anonymousId"] for answer in answers} == {None}
    assert visitor.context.cookies() == []
    visitor.page.reload()
    answers = visitor.evaluate("() => Promise.all([1, 2, 3, 4].map(() => fetch('/ping').then((r) => r.json())))")
    assert {answer["anonymousId"] for answer in answers} == {visitor.cookies.all()["ajs_anonymous_id"].value}


def test_an_id_that_the_browser_still_remembers_is_not_overwritten(visitor: Visitor, stored: Stored) -> None:
    """«A new anonymousId on a server library … could overwrite the user's existing anonymousId.»"""
    visitor.visit("/login?user=u1")
    before = visitor.identity
    visitor.cookies.clear()
    visitor.visit("/")
    assert ids(stored("page", count=2)) == ("u1", before.anonymous_id)
    assert visitor.identity == before
