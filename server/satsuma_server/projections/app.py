"""The second process as an ASGI app, put together from its projections."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from satsuma_server.errors import UnavailableError
from satsuma_server.http.responses import HANDLERS
from satsuma_server.log import ReadableLog
from satsuma_server.privacy import Forgetful
from satsuma_server.privacy.people import People
from satsuma_server.privacy.retention import Kept, Retention
from satsuma_server.profiles.projection import Profiles
from satsuma_server.settings import Settings

from . import Projection


def make_projections(settings: Settings, log: ReadableLog) -> list[Projection]:
    """Return the projections, in the order in which they start."""
    # Imported here, because each of them imports large libraries.
    from satsuma_server.console import Console
    from satsuma_server.destinations.positions import Positions
    from satsuma_server.destinations.projection import Destinations
    from satsuma_server.health import Health
    from satsuma_server.profiles.tables import ProfileTables
    from satsuma_server.warehouse.projection import WarehouseProjection

    profiles = Profiles(settings, log)
    warehouse = WarehouseProjection(settings, log)
    tables = ProfileTables(settings, profiles, warehouse)
    health = Health(settings, log)
    positions = Positions(settings, log)
    destinations = Destinations(settings, log)
    console = Console(settings, log, profiles=profiles, warehouse=warehouse, health=health, destinations=destinations)
    # `tables` comes before the warehouse: when a person is deleted, the warehouse rewrites its file last, so that
    # nothing of their rows is left.
    people = People(settings, profiles, _All(tables, warehouse, console, health), destinations)
    retention = Retention(
        [
            Kept("destinations", settings.retention_days, destinations),
            Kept("health", settings.retention_days, health),
            Kept("console", settings.retention_days, console),
            Kept("profiles", settings.profiles_retention_days, tables),
            Kept("warehouse", settings.warehouse_retention_days, warehouse),
        ]
    )
    return [profiles, people, warehouse, tables, positions, destinations, console, health, retention]


class _All:
    """All projections that have to forget people, as one."""

    def __init__(self, *forgetful: Forgetful) -> None:
        self._forgetful = forgetful

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        users, devices = list(user_ids), list(anonymous_ids)
        return sum([await one.forget(users, devices, source) for one in self._forgetful])


def create_worker(
    settings: Settings,
    log: ReadableLog,
    parts: Callable[[Settings, ReadableLog], list[Projection]] = make_projections,
) -> Starlette:
    """Return the app. It follows `log` during its lifespan, and answers requests from what it has built."""
    made = parts(settings, log)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(log.close)
            with contextlib.suppress(UnavailableError):
                await log.ready()  # Otherwise each part waits for it by itself.
            if log.lease is not None:
                # Given up last, when nothing is written any more.
                stack.push_async_callback(log.lease.release)
                await log.lease.take()
            for part in made:
                await part.start()
                stack.push_async_callback(part.stop)
            yield

    routes = [Route("/v1/worker", _ready), *(route for part in made for route in part.routes())]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=HANDLERS)
    app.state.parts = made
    app.state.lease = log.lease
    return app


async def _ready(request: Request) -> Response:
    return JSONResponse({"status": "ready"})
