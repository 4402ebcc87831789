"""Finds the events that a consumer can't process, sets them aside as dead letters, and hands over all others.

A consumer that stopped at an event that it can't process would stop for ever, even after a restart, and anybody could
cause that by sending one such event. A consumer that skipped events because the disk is full would lose them. So the
kind of error decides: after an outage of the consumer's database or disk the events wait; after any other error they
are handed over again in ever smaller parts, until the event that causes it is found.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Sequence

from satsuma.backoff import backoff

from satsuma_server.errors import CollectorError

from . import ReadableLog, Stored

TRIES = 3
"""How often a single event is tried. Something else may have used up the memory for a moment."""

FIRST_WAIT, LONGEST_WAIT = 0.2, 1.0
"""Seconds before the second try, and at most before any further one."""

OUTAGES = (CollectorError, OSError)
"""Errors that mean that no event at all can be processed now."""

LONGEST_REASON = 300

logger = logging.getLogger("satsuma.follower")


class Sieve:
    """Stands between the log and one consumer, and filters out the events that the consumer can't process."""

    def __init__(
        self,
        log: ReadableLog,
        name: str,
        take: Callable[[Sequence[Stored]], Awaitable[None]],
        skip: Callable[[Stored], Awaitable[None]] | None = None,
    ) -> None:
        """Take the log, the consumer and its name.

        Args:
            log: keeps events that are set aside as dead letters.
            name: the consumer's name, for messages.
            take: processes events in order, all of them or none. It may be given events again that it has processed.
            skip: is told of each event that is set aside, before it gets the events that follow.
        """
        self._log = log
        self._name = name
        self._take = take
        self._skip = skip

    async def take(self, events: Sequence[Stored]) -> None:
        """Hand events to the consumer.

        Raises:
            Exception: one of `OUTAGES`. Some events may have been processed, and all may be handed over again.
        """
        try:
            await self._take(events)
            return
        except OUTAGES:
            raise
        except Exception as error:
            reason = _told(error)
        # After the handler has ended: until then the exception keeps everything in its frames alive.
        if len(events) == 1:
            await self._try_again(events[0], reason)
            return
        gc.collect()
        logger.warning("%s can't take all events at once", self._name, extra={"count": len(events), "reason": reason})
        half = len(events) // 2
        await self.take(events[:half])
        await self.take(events[half:])

    async def _try_again(self, event: Stored, reason: str) -> None:
        for failures in range(1, TRIES):
            await asyncio.sleep(backoff(failures, FIRST_WAIT, LONGEST_WAIT))
            gc.collect()
            try:
                await self._take([event])
                return
            except OUTAGES:
                raise
            except Exception as error:
                reason = _told(error)
        logger.error("%s can't take an event; it is set aside", self._name, extra={"seq": event.seq, "reason": reason})
        told = f"{self._name} can't take event {event.seq}, which stays in the log: {reason}"
        await self._log.set_aside(event, told)
        if self._skip is not None:
            await self._skip(event)


def _told(error: Exception) -> str:
    text = str(error).partition("\n")[0][:LONGEST_REASON]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
