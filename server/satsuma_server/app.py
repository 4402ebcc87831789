"""The collector as an ASGI app, to run alone or to mount in a site's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route

from .assets.routes import Assets
from .ingest.routes import Ingest
from .log.sqlite import SqliteLog
from .metrics import Metrics
from .reading import Reading
from .settings import Settings

PREFLIGHT_SECONDS = 86_400


def create_app(settings: Settings) -> Starlette:
    """Return a collector that keeps its log in ``settings.data``.

    The log is opened here, so that an app that mounts this one needs no lifespan of ours to take events; it is
    closed at the end of the lifespan.

    Raises:
        UnavailableError: the log can't be opened.
    """
    log = SqliteLog(settings.data, dedupe_hours=settings.dedupe_hours, max_pending=settings.max_pending)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await log.close()

    assets = Assets(settings)
    routes = [
        *assets.routes(),
        Route("/metrics", metrics.endpoint),
        Mount("/v1", routes=[*Ingest(settings, log, metrics).routes(), *Reading(settings, log).routes()]),
    ]
    cors = Middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], max_age=PREFLIGHT_SECONDS
    )
    app = Starlette(routes=routes, lifespan=lifespan, middleware=[cors])
    app.state.log = log
    return app
