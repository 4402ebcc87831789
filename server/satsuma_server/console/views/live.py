"""The screen Live: the feed of events, and the page of a single event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX, url_of
from satsuma_server.console.presenters.diagnosis import diagnosed
from satsuma_server.console.presenters.feed_filter import KINDS, REFUSED, Filter
from satsuma_server.console.presenters.lint import of_event
from satsuma_server.console.presenters.refusals import Refusals
from satsuma_server.console.presenters.timing import Journey
from satsuma_server.console.presenters.verification import mark_of, verification_advice
from satsuma_server.console.presenters.warehouse_rows import Rows
from satsuma_server.console.recent_events import RecentEvents
from satsuma_server.log import DeadLetter
from satsuma_server.settings import Settings

from .page import Pages
from .plan import violations_of

PAGE = 100
"""How many events a page of the feed begins with. The browser keeps twice as many, then removes the oldest."""

A_TICK = 50
"""The most events that are sent to one browser at a time. Nobody could read more."""

TICK_SECONDS = 0.3
LOOK_AHEAD = 2_000
"""A browser that is further behind than so many events is told that some were skipped."""

MOST_FEEDS = 30
SEND_SECONDS = 20
"""How long a browser may take to receive one message before its feed is closed. Browsers connect again by
themselves."""


@dataclass(slots=True)
class _Place:
    """The position of one feed. Nothing else is kept for a connected browser."""

    seq: int
    refused: int

    @classmethod
    def of(cls, text: str) -> _Place | None:
        parts = text.split(".")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
            return None
        return cls(int(parts[0]), int(parts[1]))

    def __str__(self) -> str:
        return f"{self.seq}.{self.refused}"


class Live:
    """Shows events as they arrive."""

    def __init__(
        self,
        settings: Settings,
        pages: Pages,
        window: RecentEvents,
        refusals: Refusals,
        rows: Rows,
        apart: bool = False,
    ) -> None:
        """Take what is shown. `apart` is true where each source has people of its own."""
        self._settings = settings
        self._pages = pages
        self._window = window
        self._refusals = refusals
        self._rows = rows
        self._apart = apart
        self._feeds = 0

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [
            Route(f"{PREFIX}/live", self._show),
            Route(f"{PREFIX}/live/stream", self._stream),
            Route(f"{PREFIX}/events/{{seq:int}}", self._event),
        ]

    async def _show(self, request: Request) -> Response:
        wanted = Filter.of(request.query_params)
        before = _whole(request.query_params.get("before"))
        place = _Place(self._window.last, self._refusals.last)
        found = await self._window.page(wanted, before, PAGE)
        items: list[Any] = list(found.entries)
        if before is None:
            items = (
                _by_time(items, self._refused(wanted, 0))[:PAGE] if wanted.type != REFUSED else self._refused(wanted, 0)
            )
        return self._pages.show(
            request,
            "live.html",
            wanted=wanted,
            kinds=KINDS,
            items=items,
            older=found.before if wanted.type != REFUSED else None,
            before=before,
            place=place,
            sources=self._window.sources(),
            names=self._window.names(),
            origin=url_of(request, self._settings),
        )

    def _refused(self, wanted: Filter, after: int, most: int = PAGE) -> list[DeadLetter]:
        """Return refused events that meet a filter's conditions, newest first."""
        letters = reversed(self._refusals.after(after, most))
        return [one for one in letters if wanted.takes_refused(one.source, one.reason, one.raw)]

    async def _event(self, request: Request) -> Response:
        entry = await self._window.get(request.path_params["seq"])
        if entry is None:
            return self._pages.show(
                request,
                "problem.html",
                404,
                title="This event is no longer kept",
                reason="The log has no event of this number: it was removed after the time that events are kept, or "
                "there never was one.",
            )
        event = entry.event
        tables, missing = await self._rows.of(entry)
        return self._pages.show(
            request,
            "event.html",
            entry=entry,
            event=event,
            tables=tables,
            missing=missing,
            journey=Journey.of(event),
            space=entry.source if self._apart else "",
            mark=mark_of(event),
            advice=[*violations_of(event), *diagnosed(event), *of_event(event), *verification_advice(event)],
        )

    async def _stream(self, request: Request) -> Response:
        wanted = Filter.of(request.query_params)
        place = _Place.of(request.headers.get("last-event-id") or request.query_params.get("after", ""))
        if self._feeds >= MOST_FEEDS:
            return PlainTextResponse("too many live feeds are open: close some tabs", 503)
        events = self._events(request, wanted, place or _Place(self._window.last, self._refusals.last))
        return EventSourceResponse(events, send_timeout=SEND_SECONDS, ping=15)

    async def _events(self, request: Request, wanted: Filter, place: _Place) -> AsyncIterator[ServerSentEvent]:
        self._feeds += 1
        try:
            # This is sent at once, so that the page knows that it is connected.
            yield ServerSentEvent(event="hello", data="", id=str(place), retry=1000)
            while True:
                if not self._pages.is_open(request):
                    return
                items, skipped = self._more(wanted, place)
                if skipped:
                    yield ServerSentEvent(event="skipped", data=str(skipped), id=str(place))
                if items:
                    html = self._pages.block(request, "_feed.html", "rows", items)
                    yield ServerSentEvent(event="rows", data=str(html), id=str(place))
                # One message for everything that arrives meanwhile. Nothing is queued for a slow browser: it gets the
                # newest events when it is ready again.
                await asyncio.sleep(TICK_SECONDS)
                while place.seq >= self._window.last and place.refused >= self._refusals.last:
                    await self._window.wait()
        finally:
            self._feeds -= 1

    def _more(self, wanted: Filter, place: _Place) -> tuple[list[Any], int]:
        """Return what to show next, newest first, and how many events are skipped; move the position forward."""
        behind = max(0, self._window.last - place.seq - LOOK_AHEAD)
        entries = [entry for entry in self._window.after(place.seq, LOOK_AHEAD) if wanted.takes(entry)]
        items = _by_time(list(reversed(entries)), self._refused(wanted, place.refused, A_TICK))
        place.seq, place.refused = self._window.last, self._refusals.last
        return items[:A_TICK], behind + max(0, len(items) - A_TICK)


def _by_time(entries: list[Any], letters: list[DeadLetter]) -> list[Any]:
    """Return events and refused events together, newest first."""
    if not letters:
        return entries
    return sorted([*entries, *letters], key=lambda one: -(one.received_at if isinstance(one, DeadLetter) else one.at))


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None
