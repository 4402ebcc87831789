"""The shop as an ASGI app."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from html import escape
from pathlib import Path

from satsuma_server import snippet
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from .notebook import Notebook
from .pages import HERE, Pages
from .qa import Qa
from .users import ShopError, Users


def create_app(collector_url: str, token: str, write_key: str = "demo", data: Path = Path(".demo")) -> Starlette:
    """Return a shop that embeds the snippet of a collector.

    Args:
        collector_url: origin of the collector.
        token: the collector's, for the tester's panel; it never leaves the shop's server.
        write_key: the source that the shop is.
        data: folder of the shop's own database.
    """
    users = Users(data)
    qa = Qa(collector_url, token)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await qa.client.aclose()
        users.close()

    pages = Pages(users, partial(snippet, write_key, collector_url))
    static = Mount("/static", StaticFiles(directory=HERE / "static"))
    sessions = Middleware(SessionMiddleware, secret_key=_secret(data), session_cookie="grove", same_site="lax")
    routes = [*pages.routes(), *qa.routes(), *Notebook(collector_url, write_key).routes(), static]
    handlers = {404: _not_found, ShopError: _refused}
    return Starlette(routes=routes, lifespan=lifespan, middleware=[sessions], exception_handlers=handlers)


def _secret(data: Path) -> str:
    """Return the key that signs sessions, kept so that a restart logs nobody out."""
    file = data / "shop.secret"
    if not file.exists():
        file.write_text(os.urandom(32).hex())
        file.chmod(0o600)
    return file.read_text()


async def _not_found(request: Request, error: Exception) -> Response:
    return HTMLResponse(
        "<!doctype html><title>Not found</title><p>No such page. <a href='/'>Back to the grove</a>", 404
    )


async def _refused(request: Request, error: Exception) -> Response:
    return HTMLResponse(
        f"<!doctype html><title>Sorry</title><p>{escape(str(error))} <a href='/'>Back to the grove</a>", 400
    )
