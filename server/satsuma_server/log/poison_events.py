"""Hands events over in ever smaller parts where they can't be taken at once, and sets aside those that can't at all.

A follower that stopped at an event that it can't take would stop for ever, also after a restart, and whoever wants that
needs to send one such event. A follower that passed events over because a disk is full would lose them. So it makes a
difference what has failed: where something is wrong with the place that events go to, they wait.
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
"""How often a single event is tried: memory may be short because of something else that goes on."""

FIRST_WAIT, LONGEST_WAIT = 0.2, 1.0
"""Seconds before the second try, and at most before any further one."""

OUTAGES = (CollectorError, OSError)
"""What says that events can't go in now, whatever they are."""

LONGEST_REASON = 300

logger = logging.getLogger("satsuma.follower")


class Sieve:
    """What stands before one consumer of the log."""

    def __init__(
        self,
        log: ReadableLog,
        name: str,
        take: Callable[[Sequence[Stored]], Awaitable[None]],
        skip: Callable[[Stored], Awaitable[None]] | None = None,
    ) -> None:
        """Take the log, the consumer and its name.

        Args:
            log: keeps what is set aside as a dead letter.
            name: of the consumer, for people.
            take: gets events in order; takes all of them or none, and may be given some again that it has.
            skip: hears of an event that it won't get any more, before those that follow it.
        """
        self._log = log
        self._name = name
        self._take = take
        self._skip = skip

    async def take(self, events: Sequence[Stored]) -> None:
        """Hand events over.

        Raises:
            Exception: one of `OUTAGES`; part of the events may have been taken, and all may be handed over again.
        """
        try:
            await self._take(events)
            return
        except OUTAGES:
            raise
        except Exception as error:
            reason = _told(error)
        # Outside of the handler: an exception holds on to all that its frames do.
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
