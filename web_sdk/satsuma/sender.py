"""Carries out what `Delivery` decides, through a `Platform`; in the pipeline it is the destination ``Segment.io``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from .delivery import Delivery, Event, Request
from .pipeline import DELIVERY_NAME, Context, PluginKind
from .platform import Platform


class Sender:
    """The destination that posts to the collector."""

    name = DELIVERY_NAME
    kind = PluginKind.DESTINATION

    def __init__(
        self,
        delivery: Delivery,
        platform: Platform,
        metadata: Mapping[str, Any] | None = None,
        failed: Sequence[str] = (),
    ) -> None:
        """Take the queue and the platform that carries out its requests.

        Args:
            metadata: ``_metadata`` of every event; None for none.
            failed: names of the plugins that did not load, as they become known.
        """
        self._metadata = metadata
        self._unloaded = failed
        self._delivery = delivery
        self._platform = platform
        self._cancel_timer: Callable[[], None] | None = None

    async def _send(self, context: Context) -> Context:
        settled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._delivery.add(self._described(context.event), self._platform.now(), partial(_settle, settled))
        self.pump()
        context.delivered = await settled
        return context

    track = identify = page = screen = group = alias = _send

    def _described(self, event: Event) -> Event:
        """Return the event with what analytics.js tells of the destinations beside it."""
        metadata = dict(self._metadata or {})
        if self._unloaded:
            metadata["failedInitializations"] = list(self._unloaded)
        return {**event, "_metadata": metadata} if metadata else event

    def pump(self) -> None:
        """Start the requests that are due, and come back when the next ones are."""
        for request in self._delivery.requests(self._platform.now()):
            self._platform.send(request, partial(self._answered, request), partial(self._failed, request))
        self._schedule()

    def flush(self) -> None:
        """Send what waits for company."""
        self._delivery.flush()
        self.pump()

    def online(self, value: bool) -> None:
        """Say that the network is there or gone."""
        self._delivery.online(value)
        self.pump()

    def leave(self) -> None:
        """Hand over everything that waits, by requests that outlive the page."""
        now = self._platform.now()
        for request in self._delivery.leave(now):
            if self._platform.send_last(request):
                self._delivery.answered(request.id, 200, now)
            else:
                self._delivery.failed(request.id, now)

    def _answered(self, request: Request, status: int, retry_after: float | None) -> None:
        self._delivery.answered(request.id, status, self._platform.now(), retry_after)
        self.pump()

    def _failed(self, request: Request) -> None:
        self._delivery.failed(request.id, self._platform.now())
        self.pump()

    def _schedule(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None
        due = self._delivery.next_due()
        if due is not None:
            # At least a moment, so that a clock that stands still can't make this a busy loop.
            self._cancel_timer = self._platform.call_later(max(due - self._platform.now(), 20), self.pump)


def _settle(settled: asyncio.Future[bool], delivered: bool) -> None:
    if not settled.done():
        settled.set_result(delivered)
