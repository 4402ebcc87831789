"""Tells the log how far each destination is, so that a worker on another machine goes on there.

A destination's state is in a file of the data folder, which another machine doesn't have. What is told may be a second
old, so after a change of machines the newest events are delivered once more, under the same messageId.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from starlette.routing import BaseRoute

from satsuma_server.errors import UnavailableError
from satsuma_server.log import POSITION, ReadableLog
from satsuma_server.run_to_completion import run_to_completion
from satsuma_server.settings import Settings

from .figures import DestinationFigures
from .store import Store

TELL_SECONDS = 1.0


class Positions:
    """A projection that starts before the destinations. It has something to do on a log that machines share."""

    def __init__(self, settings: Settings, log: ReadableLog) -> None:
        self._settings = settings
        self._log = log
        self._names = [one.name for one in settings.destinations]
        self._told: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    async def start(self) -> None:
        lease = self._log.lease
        if lease is None or not self._names:
            return
        if lease.from_another:
            known = await self._log.cursors()
            told = {name: known[POSITION + name] for name in self._names if POSITION + name in known}
            await run_to_completion(lambda: self._move(told))
        self._task = asyncio.create_task(self._tell_on(), name="satsuma-positions")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            with contextlib.suppress(UnavailableError):
                await self._tell()

    def _move(self, told: dict[str, int]) -> None:
        store = Store(self._settings.data)
        try:
            for name, seq in told.items():
                store.add(name, seq)
                store.move(name, seq)
        finally:
            store.close()

    async def _tell_on(self) -> None:
        while True:
            with contextlib.suppress(UnavailableError):
                await self._tell()
            await asyncio.sleep(TELL_SECONDS)

    async def _tell(self) -> None:
        figures = DestinationFigures(self._settings.data.absolute(), self._names, lambda: 0)
        for name, seq, *_ in await asyncio.to_thread(figures.rows):
            if self._told.get(name) != seq:
                await self._log.save_cursor(POSITION + name, seq)
                self._told[name] = seq
