"""The console as a part of the worker: its screens, and what they share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from satsuma_server.errors import CollectorError
from satsuma_server.log import ReadableLog, Stored
from satsuma_server.log.follower import Follower
from satsuma_server.profiles import ProfileReader
from satsuma_server.settings import Settings
from satsuma_server.warehouse import Warehouse

from .access import Sessions
from .assets import ConsoleAssets
from .charts import Charts
from .live import Live
from .login import Login
from .pages import Gate, Pages
from .people import People
from .place import PREFIX
from .plan import Plan
from .refusals import Refusals
from .refused import Refused
from .rows import Rows
from .sources import Sources
from .store import Store
from .tables import Tables
from .volume import count
from .window import MOST_EVENTS, Window

A_READ_BYTES = 8 << 20
"""Of events that are read at once to begin with."""


class Console:
    """Follows the log, and shows people what becomes of it."""

    def __init__(
        self,
        settings: Settings,
        log: ReadableLog,
        *,
        profiles: ProfileReader | None = None,
        warehouse: Warehouse | None = None,
    ) -> None:
        """Take the settings, the log, and what else there is to show."""
        self._settings = settings
        self._log = log
        self._store = Store(settings.data)
        self._window = Window(log)
        self._refusals = Refusals(log, self._window)
        self._follower = Follower(log, "console", self._take)
        sessions = Sessions(settings.token, self._store)
        assets = ConsoleAssets()
        pages = Pages(sessions, assets)
        screens = [
            *Login(settings, pages, sessions).routes(),
            *Live(
                pages, self._window, self._refusals, Rows(settings, warehouse), settings.profiles.per_source
            ).routes(),
            *Refused(pages, self._refusals).routes(),
            *Plan(pages, settings.data).routes(),
            *Sources(settings, pages, self._store).routes(),
            *Charts(pages, self._store, profiles).routes(),
            *(People(pages, profiles, self._spaces).routes() if profiles else ()),
            *(Tables(pages, warehouse).routes() if warehouse else ()),
            assets.route(PREFIX),
        ]
        self._pages = pages
        app = Starlette(routes=screens, exception_handlers={CollectorError: self._refuse, 404: self._missing})
        self._gate = Gate(app, sessions)

    def routes(self) -> Sequence[BaseRoute]:
        """Return the one route that all of it is behind."""
        return [Route(PREFIX, self._gate), Route(f"{PREFIX}/{{path:path}}", self._gate)]

    async def start(self) -> None:
        """Read the newest events, then follow."""
        await self._fill()
        await self._refusals.start()
        self._follower.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._follower.stop()
        await self._refusals.stop()
        self._window.wake()
        self._store.close()

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str]) -> int:
        """Let go of a person's events, which the log has no more, and return how many there were."""
        return self._window.forget({*user_ids, *anonymous_ids})

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
