"""Who Safari's Intelligent Tracking Prevention lets a site know again after a week, in every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flows.reference_library import PAGE
from pytest_satsuma import ExpectEvent, Visitor
from satsuma.platforms.server import AnalyticsMiddleware, Client
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

Expect = Callable[..., None]
KNOW = "() => analytics.identify('u1', {plan: 'pips'}).then(() => null)"


@pytest.fixture(params=[("chromium", False), ("chromium", True), ("firefox", False), ("webkit", True)], ids=str)
def engine_and_middleware(request: pytest.FixtureRequest) -> tuple[str, bool]:
    """An engine, and whether the site's server sets the cookies, too."""
    pair: tuple[str, bool] = request.param
    return pair


@pytest.fixture
def satsuma_engine(engine_and_middleware: tuple[str, bool]) -> str:
    return engine_and_middleware[0]


@pytest.fixture
def has_middleware(engine_and_middleware: tuple[str, bool]) -> bool:
    return engine_and_middleware[1]


@pytest.fixture
def site(collector: Collector, has_middleware: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A site of one page."""
    html = PAGE.format(title="Served", snippet=snippet("site", collector.url), body="")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    async def page(request: Request) -> Response:
        return HTMLResponse(html)

    async def robots(request: Request) -> Response:
        return PlainTextResponse("")

    routes = [Route("/", page), Route("/robots.txt", robots)]
    with Client("server", collector.url, batch_wait=0.05) as client:
        middleware = [Middleware(AnalyticsMiddleware, client=client, refresh=True)] if has_middleware else []
        with serving(Starlette(routes=routes, middleware=middleware)) as url:
            yield url


def test_who_is_away_for_eight_days_is_known_by_cookies_of_a_server_alone(
    visitor: Visitor, has_middleware: bool, expect_event: ExpectEvent, expect_new_visitor: Expect
) -> None:
    visitor.under_itp()
    visitor.visit("/")
    visitor.evaluate(KNOW)
    before = visitor.identity
    visitor.after(days=6, itp=True)
    visitor.visit("/")
    assert (visitor.identity.user_id, visitor.identity.anonymous_id) == ("u1", before.anonymous_id)
    visitor.after(days=8, itp=True)
    assert visitor.identity.storage_anonymous_id is None
    visitor.visit("/")
    if has_middleware:
        assert (visitor.identity.user_id, visitor.identity.anonymous_id) == ("u1", before.anonymous_id)
    else:
        expect_new_visitor(before, visitor)
