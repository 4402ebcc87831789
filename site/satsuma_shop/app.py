"""The shop as an ASGI app."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from satsuma.platforms.server import Client
from satsuma_server import snippet
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from .lab import Lab
from .members import Members
from .mistakes import Mistakes
from .name_pages import NamePages
from .notebook import Notebook
from .pages import Grove
from .qa import Qa
from .rendering import HERE, Renderer
from .safety import Safety
from .served_cookies import ServedCookies
from .users import ShopError, Users
from .visit import Visit
from .weather import WayToCollector

NOT_FOUND = "There is no such page in the grove."


def create_app(
    collector_url: str, token: str, write_key: str = "demo", data: Path = Path(".demo"), *, qa: bool = True
) -> Starlette:
    """Return a shop that embeds the snippet of a collector.

    Args:
        collector_url: origin of the collector.
        token: the collector's token, for the tester's drawer. It never leaves the shop's server.
        write_key: write key of the shop's source.
        data: folder of the shop's own database.
        qa: whether to add the drawer, the lab and their routes. These show the data of all visitors to everybody.
    """
    users = Users(data)
    way = WayToCollector(collector_url)

    def make_snippet(options: Mapping[str, Any], key: str = write_key) -> str:
        # The snippet uses the page's own origin, where `weather` forwards everything to the collector.
        return snippet(key, "", options=options)

    render = Renderer(make_snippet, qa=qa, console=f"{collector_url}/console")
    tester = Qa(users, render, collector_url, token)
    client = Client(write_key, collector_url)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await tester.close()
        await way.close()
        users.close()
        client.close()

    routes: list[BaseRoute] = [
        *Grove(users, render).routes(),
        *Members(users, render, Mistakes(possible=qa)).routes(),
        *Notebook(render, collector_url, write_key).routes(),
        *way.routes(failing=qa),
        *([*tester.routes(), *Lab(render).routes(), *NamePages(render).routes()] if qa else []),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]

    async def not_found(request: Request, error: Exception) -> Response:
        return render.shop(request, Visit(request, users), "sorry.html", status=404, told=NOT_FOUND)

    async def refused(request: Request, error: Exception) -> Response:
        return render.shop(request, Visit(request, users), "sorry.html", status=400, told=str(error))

    sessions = Middleware(SessionMiddleware, secret_key=_secret(data), session_cookie="grove", same_site="lax")
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Safety), *([Middleware(ServedCookies, client=client)] if qa else []), sessions],
        exception_handlers={404: not_found, ShopError: refused},
    )


def _secret(data: Path) -> str:
    """Return the key that signs sessions. It is kept in a file, so that a restart logs nobody out."""
    file = data / "shop.secret"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(os.urandom(32).hex())
    return file.read_text()
