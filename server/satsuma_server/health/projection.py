"""Health as a projection: it audits the log at intervals, in the second process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from starlette.routing import BaseRoute

from satsuma_server.audit import Report
from satsuma_server.errors import CollectorError
from satsuma_server.log import ReadableLog
from satsuma_server.settings import Settings

from .child import audit_in_child, remove_copies
from .reports import Reports, Score

logger = logging.getLogger("satsuma.health")


class Health:
    """Keeps the newest report of a collector's events.

    Attributes:
        is_running: whether an audit runs now.
        problem: why the last audit failed; empty where it did not.
    """

    def __init__(self, settings: Settings, log: ReadableLog) -> None:
        """Take the settings and the log; open the reports."""
        self._settings = settings
        self._log = log
        self._reports = Reports(settings.data)
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # What was deleted while an audit ran that may have read it before.
        self._forgotten: set[str] = set()
        self.is_running = False
        self.problem = ""

    def routes(self) -> Sequence[BaseRoute]:
        """Return no routes: the console shows the reports."""
        return ()

    async def start(self) -> None:
        """Begin to audit at intervals."""
        await asyncio.to_thread(remove_copies, self._settings.data)
        self._task = asyncio.create_task(self._keep_up(), name="satsuma-health")

    async def stop(self) -> None:
        """Stop; an audit that runs is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._reports.close()

    @property
    def report(self) -> Report | None:
        """The newest report; None before the first audit."""
        return self._reports.newest

    @property
    def newer_events(self) -> int:
        """How many events the log has that came after the report."""
        return max(0, self._log.last - self._reports.last)

    def scores(self, most: int) -> list[Score]:
        """Return the newest scores, the oldest of them first."""
        return self._reports.scores(most)

    def ask(self) -> None:
        """Ask for an audit. It begins at once, unless one runs."""
        if not self.is_running:
            self.is_running = True
            self._wanted.set()

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        """Remove the examples that name a person; return how many there were."""
        people = {*user_ids, *anonymous_ids}
        if self.is_running:
            self._forgotten |= people
        return await asyncio.to_thread(self._reports.forget, people)

    async def expire(self, before: float) -> int:
        """Remove a report that is older than a time, in milliseconds since 1970; see `privacy.retention.Expiring`."""
        return await asyncio.to_thread(self._reports.expire, before)

    async def _keep_up(self) -> None:
        while True:
            await self._turn()
            if self.newer_events or self._wanted.is_set():
                await self._audit()

    async def _turn(self) -> None:
        """Wait until it is time for an audit, or until somebody asks for one."""
        minutes = self._settings.health.every_minutes
        try:
            async with asyncio.timeout(60 * minutes if minutes else None):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _audit(self) -> None:
        self.is_running = True
        self._wanted.clear()
        try:
            last = self._log.last
            report = await audit_in_child(self._settings)
            await asyncio.to_thread(self._reports.keep, report, last)
            if self._forgotten:
                await asyncio.to_thread(self._reports.forget, frozenset(self._forgotten))
            self.problem = ""
        except (CollectorError, OSError, ValueError) as error:
            self.problem = str(error)
            logger.error("the audit failed", extra={"reason": self.problem})
        finally:
            self._forgotten.clear()
            self.is_running = False
