"""A frame that is sandboxed without allow-same-origin: it has no cookies and no localStorage, and says so once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

FRAME = """<!doctype html><title>Outer</title><link rel="icon" href="data:,">
<iframe sandbox="allow-scripts" src="/in"></iframe>"""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page with a sandboxed frame that has the snippet."""
    inner = PAGE.format(title="Sandboxed", snippet=snippet("sandboxed", collector.url), body="")

    async def outer(_: Request) -> Response:
        return HTMLResponse(FRAME)

    async def framed(_: Request) -> Response:
        return HTMLResponse(inner)

    with serving(Starlette(routes=[Route("/", outer), Route("/in", framed)])) as url:
        yield url


def test_a_sandboxed_frame_is_tracked_with_one_warning(visitor: Visitor, stored: Callable[..., dict[str, Any]]) -> None:
    lines: list[str] = []
    visitor.page.on("console", lambda line: lines.append(line.text))
    visitor.page.goto(visitor.base_url)
    page = stored("page")
    frame = visitor.page.frames[1]
    frame.evaluate("() => analytics.identify('u1', {plan: 'premium'})")
    frame.evaluate("() => analytics.track('Signed Up')")
    event = stored("track", "Signed Up")
    # The frame remembers who it is, while it is there.
    assert (event["userId"], event["anonymousId"]) == ("u1", page["anonymousId"])
    assert len(lines) == 1, lines
    assert "sandboxed" in lines[0]
    assert visitor.errors == []
