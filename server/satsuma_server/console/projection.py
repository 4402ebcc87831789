"""The console as a projection: it follows the log and serves its screens, in the second process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from satsuma_server.destinations.routes import Changeable
from satsuma_server.errors import CollectorError
from satsuma_server.health import Health
from satsuma_server.log import ReadableLog, Stored
from satsuma_server.log.follower import Follower
from satsuma_server.profiles import ProfileReader
from satsuma_server.settings import Settings
from satsuma_server.warehouse import Warehouse

from .assets import ConsoleAssets
from .forwarded_headers import PREFIX
from .presenters.refusals import Refusals
from .presenters.warehouse_rows import Rows
from .recent_events import MOST_EVENTS, RecentEvents
from .session import Sessions
from .store import CURSOR, Store
from .views.charts import Charts
from .views.destinations import DestinationsScreen
from .views.health import HealthScreen
from .views.live import Live
from .views.login import Login
from .views.page import Gate, Pages
from .views.people import People
from .views.plan import Plan
from .views.refused import Refused
from .views.sources import Sources
from .views.warehouse import Tables
from .volume import count

A_READ_BYTES = 8 << 20
"""The most bytes of events that are read at once at the start."""


class Console:
    """Follows the log, and shows its events to people."""

    def __init__(
        self,
        settings: Settings,
        log: ReadableLog,
        *,
        profiles: ProfileReader | None = None,
        warehouse: Warehouse | None = None,
        health: Health | None = None,
        destinations: Changeable | None = None,
    ) -> None:
        """Take the settings, the log, and the other projections whose data is shown."""
        self._settings = settings
        self._log = log
        self._store = Store(settings.data)
        self._window = RecentEvents(log)
        self._refusals = Refusals(log, self._window)
        self._follower = Follower(log, CURSOR, self._take)
        sessions = Sessions(settings.tokens, settings.token, self._store)
        assets = ConsoleAssets()
        pages = Pages(sessions, assets)
        screens = [
            *Login(settings, pages, sessions).routes(),
            *Live(
                settings, pages, self._window, self._refusals, Rows(settings, warehouse), settings.profiles.per_source
            ).routes(),
            *Refused(pages, self._refusals).routes(),
            *Plan(pages, settings.data).routes(),
            *Sources(settings, pages, self._store).routes(),
            *Charts(pages, self._store, profiles).routes(),
            *(HealthScreen(pages, health, settings.profiles.per_source).routes() if health else ()),
            *(People(pages, profiles, self._spaces).routes() if profiles else ()),
            *(Tables(pages, warehouse).routes() if warehouse else ()),
            *(DestinationsScreen(pages, destinations).routes() if destinations else ()),
            assets.route(PREFIX),
        ]
        self._pages = pages
        app = Starlette(routes=screens, exception_handlers={CollectorError: self._refuse, 404: self._missing})
        self._gate = Gate(app, sessions, pages, settings)

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the gate, which all other routes are behind."""
        return [Route(PREFIX, self._gate), Route(f"{PREFIX}/{{path:text}}", self._gate)]

    async def start(self) -> None:
        """Read the newest events, then follow."""
        await self._fill()
        await self._refusals.start()
        # The file itself knows best up to which event it has counted: it may be older than the cursor in the log.
        await self._log.save_cursor(CURSOR, await asyncio.to_thread(self._store.counted))
        self._follower.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._follower.stop()
        await self._refusals.stop()
        self._window.wake()
        self._store.close()

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        """Remove a person's events, which were erased from the log, from memory; return how many there were."""
        return self._window.forget({*user_ids, *anonymous_ids})

    async def expire(self, before: float) -> int:
        """Remove events from memory that the log doesn't have any more; see `privacy.retention.Expiring`."""
        first = await self._log.read(0, 1)
        return self._window.drop(first[0].seq if first else self._window.last + 1)

    def _spaces(self) -> list[str]:
        return [*self._store.sources()] if self._settings.profiles.per_source else [""]

    async def _fill(self) -> None:
        after = max(0, self._log.last - MOST_EVENTS)
        while events := await self._log.read(after, 2_000, A_READ_BYTES):
            self._window.add(events)
            after = events[-1].seq

    async def _take(self, events: Sequence[Stored]) -> None:
        self._window.add(events)
        await count(self._store, events)

    async def _refuse(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, CollectorError)
        return self._pages.problem(request, error)

    async def _missing(self, request: Request, error: Exception) -> Response:
        reason = "The console has no such page."
        return self._pages.show(request, "problem.html", 404, title="Nothing here", reason=reason)
