"""A site without any library: what visitors can do doesn't depend on one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from satsuma_server.testing import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PAGE = "<!doctype html><title>A page</title><link rel='icon' href='data:,'>"


async def page(request: Request) -> Response:
    answer = HTMLResponse(PAGE)
    answer.set_cookie("visited", "1", max_age=86_400 * 10, httponly=True)
    return answer


@pytest.fixture
def site() -> Iterator[str]:
    """A page at every path, on a host that takes cookies for its domain."""
    with serving(Starlette(routes=[Route("/{path:path}", page)])) as url:
        yield f"http://www.shop.test:{url.rpartition(':')[2]}"
