"""A site whose page brings plugins in Python along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flows.reference_library import PAGE
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route


@contextmanager
def serving_plugins(collector: Collector, write_key: str, modules: Mapping[str, str | None]) -> Iterator[str]:
    """Serve the page; give its URL.

    Args:
        collector: what the page posts to.
        write_key: the page's.
        modules: text of each plugin by its path; None for one that the page asks for and that isn't there.
    """
    head = snippet(write_key, collector.url, options={"pythonPlugins": list(modules)})
    html = PAGE.format(title="Plugins", snippet=head, body="")

    async def answer(request: Request) -> Response:
        path = request.url.path
        if path.endswith(".py"):
            text = modules.get(path)
            return PlainTextResponse(text or "", 404 if text is None else 200)
        return HTMLResponse(html)

    with serving(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        yield url
