"""An acceptor's app: answers events and the browser's files itself, and passes everything else on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from satsuma_server.app import CollectorApp, cors
from satsuma_server.assets.routes import Assets
from satsuma_server.http.metrics import Metrics
from satsuma_server.http.responses import HANDLERS
from satsuma_server.ingest.body import MAX_BODY_BYTES
from satsuma_server.ingest.endpoint import Ingest, TrackingRoute
from satsuma_server.plans.enforcement import Enforcement
from satsuma_server.settings import Settings

from . import HTTP_SOCKET, WRITER_SOCKET
from .forward import Forward
from .link import LinkedGuesses, LinkedLimits, NobodySuppressed, WriterLink


def create_acceptor(settings: Settings, folder: Path) -> Starlette:
    """Return the app of one acceptor.

    Args:
        settings: the collector's settings. Bodies and events of an acceptor may take its share of `max_pending_bytes`.
        folder: the folder with the writer's sockets.

    Raises:
        PlanError: a tracking plan can't be used.
    """
    settings = replace(settings, max_pending_bytes=max(MAX_BODY_BYTES, settings.max_pending_bytes // settings.workers))
    metrics = Metrics()
    link = WriterLink(folder / WRITER_SOCKET, metrics, settings.max_pending_bytes)
    plans = Enforcement(settings, link) if settings.has_plan else None
    ingest = Ingest(settings, link, metrics, NobodySuppressed(), LinkedLimits(link, settings), plans)
    assets, forward = Assets(settings), Forward(folder / HTTP_SOCKET)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await link.start()
        yield
        await link.stop()
        await forward.close()

    settings_route = assets.settings_route()
    app = CollectorApp(
        TrackingRoute(ingest),
        LinkedGuesses(link, settings),
        routes=[
            Route(f"/v1{settings_route.path}", settings_route.endpoint),
            *assets.routes(),
            Route("/{rest:text}", forward),
        ],
        lifespan=lifespan,
        middleware=[cors(settings)],
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    app.state.leave = forward.leave
    return app
