"""The screen Charts: volume, and monthly tracked users."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from satsuma.validation import EVENT_TYPES
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX
from satsuma_server.console.presenters.stacked_bars import Bars, Column
from satsuma_server.console.store import HOUR, MINUTE, Store
from satsuma_server.console.volume import rate
from satsuma_server.profiles import ProfileReader, Usage

from .page import Pages

DAY = 24 * HOUR
ALL = "all"


@dataclass(frozen=True, slots=True)
class Period:
    """A period of time, divided into columns.

    Attributes:
        label: its name for people.
        seconds: its length.
        width: seconds of one column.
        unit: seconds of the intervals whose counts are added up.
    """

    label: str
    seconds: int
    width: int
    unit: int


PERIODS = {
    "hour": Period("last hour", HOUR, MINUTE, MINUTE),
    "day": Period("last 24 hours", DAY, 30 * MINUTE, MINUTE),
    "week": Period("last 7 days", 7 * DAY, 6 * HOUR, HOUR),
    "month": Period("last 30 days", 30 * DAY, DAY, HOUR),
}


class Charts:
    """Draws charts on the server, without scripts or libraries in the browser."""

    def __init__(self, pages: Pages, store: Store, profiles: ProfileReader | None) -> None:
        self._pages = pages
        self._store = store
        self._profiles = profiles

    def routes(self) -> list[Route]:
        """Return its route."""
        return [Route(f"{PREFIX}/charts", self._show)]

    async def _show(self, request: Request) -> Response:
        name = request.query_params.get("period", "day")
        name = name if name in PERIODS else "day"
        source = request.query_params.get("source", ALL)
        usage = await self._profiles.usage() if self._profiles else ()
        sources = sorted({*self._store.sources(), *(one.source for one in usage if one.source)})
        return self._pages.show(
            request,
            "charts.html",
            periods=PERIODS,
            period=name,
            source=source,
            sources=sources,
            volume=self._volume(PERIODS[name], source),
            tracked=tracked(usage, source),
            minute=rate(self._store),
        )

    def _volume(self, period: Period, source: str) -> Bars:
        end = int(time.time()) // period.width * period.width + period.width
        begin = end - period.seconds
        counts: dict[int, Counter[str]] = {}
        for at, sender, kind, events in self._store.volume(period.unit, begin):
            if source in (ALL, sender):
                counts.setdefault((at - begin) // period.width, Counter())[kind] += events
        columns = [
            Column(
                (begin + index * period.width) * 1000, tuple(counts.get(index, Counter())[kind] for kind in EVENT_TYPES)
            )
            for index in range(period.seconds // period.width)
        ]
        return Bars(EVENT_TYPES, columns, with_day=period.width >= DAY, with_time=period.width < DAY)


def tracked(usage: Sequence[Usage], source: str = ALL) -> list[Usage]:
    """Return the tracked users of each month, the oldest first, for one source or for all together."""
    wanted = None if source == ALL else source
    return sorted((one for one in usage if one.source == wanted), key=lambda one: one.month)
