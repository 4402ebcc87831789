"""Delivers the log's events to one destination, and survives whatever that destination does.

It works in rounds: it reads some events, divides their messages into lanes, and stores its cursor after all lanes have
ended. What was in a round that a crash has ended is sent again, with the same keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from satsuma_server.backoff import Backoff
from satsuma_server.forwarding import Destination, Forwarding
from satsuma_server.log import ReadableLog, Stored
from satsuma_server.run_to_completion import run_to_completion

from . import Counts, DeletedPerson, DestinationClient, DestinationStatus, Failed, Fate, Message, Outcome, Sent
from .deletion_store import DeletionStore
from .deletions import Deletions
from .lane import Lane, Patience
from .lanes import divide, place
from .preparation import AllNew, Prepared, StoredLinks, names_of, prepare
from .store import Progress, Store
from .throttle import Throttle

ROUND_EVENTS = 1_000
ROUND_BYTES = 4 << 20
"""The most events and bytes of one round, which is also the most that is sent twice after a crash."""

OTHER_EVENTS = 100
"""How many more events a round takes in at once where all its messages are suspected of making the service fail."""

MOST_OTHER_EVENTS = 10 * ROUND_EVENTS
"""How many it takes in altogether."""

LOOK_SECONDS = 0.25
"""How often to look for new events."""

MOST_SENT = 20
"""How many of the newest requests are kept in memory, for people."""

ANYBODY = DeletedPerson("", ("user",), ("device",), 0)
"""Stands for people when a destination is asked whether it can delete them."""

GONE = "its event is not in the log any more"

logger = logging.getLogger("satsuma.destinations")


class Runner:
    """One destination at work.

    Attributes:
        sent: its newest requests.
    """

    def __init__(
        self,
        settings: Destination,
        address: str,
        client: DestinationClient,
        rules: Forwarding,
        log: ReadableLog,
        store: Store,
        deletions: DeletionStore,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self.sent: deque[Sent] = deque(maxlen=MOST_SENT)
        self._address = address
        self._client = client
        self._rules = rules
        self._log = log
        self._store = store
        self._patience = patience or Patience(settings.give_up_hours * 3_600)
        self.deletions = Deletions(settings.name, client, deletions, self._patience, settings.timeout_seconds)
        self._deletion_store = deletions
        self._clock = clock
        self._throttle = Throttle(settings.rate)
        self._proof = float("-inf")
        self._problem: str | None = None
        self._progress = Progress()
        self._links = StoredLinks(partial(store.knows, settings.name))
        self._lanes: list[Lane] = []
        self._other_events = 0
        self._bringing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin, where the destination is not paused."""
        last = 0 if self.settings.start == "beginning" else await asyncio.to_thread(lambda: self._log.last)
        await run_to_completion(partial(self._store.add, self.name, last))
        await self._go()

    async def stop(self) -> None:
        """Stop. The round under way comes again."""
        async with self._turn:
            await self._halt()

    async def close(self) -> None:
        """Stop for good."""
        await self.stop()
        await self._client.close()

    async def change(self, work: Callable[[], None] = lambda: None) -> None:
        """Stop, have the stored state changed in a thread, and begin again, where the destination is not paused."""
        async with self._turn:
            await self._halt()
            await run_to_completion(work)
            await self._begin()

    async def resume(self) -> None:
        """Let it go on, and try at once."""
        self._throttle.open()
        await self.change(partial(self._store.pause, self.name, False))

    def wake(self) -> None:
        """Have it look for work at once."""
        self._wake.set()
        self.deletions.wake()

    async def status(self) -> DestinationStatus:
        """Return how it is doing."""
        last = await asyncio.to_thread(lambda: self._log.last)
        state, kept, deletions = await asyncio.to_thread(
            lambda: (
                self._store.state(self.name),
                self._store.count_failed(self.name),
                self._deletion_store.counts(self.name),
            )
        )
        problem = self._problem or self.deletions.problem
        word = "paused" if state.paused else "waiting" if problem else "running"
        return DestinationStatus(
            name=self.name,
            type=str(self.settings.__struct_config__.tag),
            address=self._address,
            state=word,
            cursor=state.cursor,
            lag=max(0, last - state.cursor),
            counts=_sum(state.counts, self._progress.counts),
            failed_kept=kept,
            problem=problem,
            delivered_at=state.delivered_at,
            deletions=deletions if self.deletions.can_forget(ANYBODY) else None,
        )

    async def _go(self) -> None:
        async with self._turn:
            await self._begin()

    async def _begin(self) -> None:
        state = await asyncio.to_thread(self._store.state, self.name)
        if not state.paused:
            work = {"destination": self._run(), "deletions": self.deletions.run()}
            self._tasks = [asyncio.create_task(one, name=f"satsuma-{what}-{self.name}") for what, one in work.items()]

    async def _halt(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self.deletions.problem = None
        self._problem = None
        self._progress = Progress()

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                has_worked = await self._round()
            except Exception as error:
                # For example a full disk. Nothing is lost, since the cursor stays.
                logger.error("a destination can't go on", extra={"destination": self.name, "reason": repr(error)[:300]})
                self._problem = f"{type(error).__name__}: {error}"[:300]
                await backoff.wait()
                continue
            backoff.reset()
            if not has_worked:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
                self._wake.clear()

    async def _round(self) -> bool:
        """Do some work; tell whether there was any."""
        failed = await asyncio.to_thread(self._store.resending, self.name, ROUND_EVENTS)
        if failed:
            await self._send_again(failed)
            return True
        cursor = (await asyncio.to_thread(self._store.state, self.name)).cursor
        events = await self._log.read(cursor, ROUND_EVENTS, ROUND_BYTES)
        if not events:
            return False
        if self.settings.gather_seconds and len(events) < ROUND_EVENTS:
            await self._gather()
            events = await self._log.read(cursor, ROUND_EVENTS, ROUND_BYTES)
            if not events:
                return False
        self._links = StoredLinks(partial(self._store.knows, self.name))
        prepared = await asyncio.to_thread(prepare, events, self._rules, self._client, self._links)
        self._progress = Progress(cursor=events[-1].seq, links=self._links.new)
        await self._deliver(prepared)
        return True

    async def _gather(self) -> None:
        """Wait for more events."""
        await asyncio.sleep(self.settings.gather_seconds)

    async def _send_again(self, failed: Sequence[Failed]) -> None:
        events = await self._log.pick([one.seq for one in failed])
        wanted = {(one.seq, one.key): one.id for one in failed}
        prepared = await asyncio.to_thread(prepare, events, self._rules, self._client, AllNew())
        prepared.skipped = 0
        prepared.messages = [one for one in prepared.messages if (one.seq, one.key) in wanted]
        self._progress = Progress()
        still = {(one.message.seq, one.message.key) for one in prepared.dead}
        going = {(one.seq, one.key) for one in prepared.messages} | still
        gone = [id for key, id in wanted.items() if key not in going and not _is_there(key[0], events)]
        changed = [id for key, id in wanted.items() if key not in going and id not in gone]
        await run_to_completion(partial(self._store.gone, gone, GONE))
        await run_to_completion(partial(self._store.gone, changed, "by today's rules it does not go there"))
        await self._deliver(prepared, wanted)

    async def _deliver(self, prepared: Prepared, wanted: dict[tuple[int, str], int] | None = None) -> None:
        """Send messages until each is delivered or set aside, and store that."""
        progress = self._progress
        progress.counts.skipped += prepared.skipped
        progress.dead = [*prepared.dead]
        self._lanes = [self._lane(one) for one in divide(prepared.messages, self.settings.concurrency)]
        self._other_events = 0
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._drive(lane))
        # A message that failed before and fails again is no new one.
        progress.counts.failed += sum((one.message.seq, one.message.key) not in (wanted or {}) for one in progress.dead)
        if wanted:
            dead = {(one.message.seq, one.message.key) for one in progress.dead}
            sent = {(one.seq, one.key) for one in prepared.messages}
            progress.done = [id for key, id in wanted.items() if key in sent and key not in dead]
        await run_to_completion(partial(self._store.save, self.name, progress))
        self._progress = Progress()

    def _lane(self, messages: Sequence[Message]) -> Lane:
        most = min(self._client.most_messages, self.settings.batch or self._client.most_messages)
        return Lane(messages, most, self._client.most_bytes, self._patience)

    async def _drive(self, lane: Lane) -> None:
        while batch := lane.batch():
            await self._admission(lane, len(batch))
            began = self._clock()
            try:
                outcome = await self._client.send(batch)
            except Exception as error:
                outcome = Outcome(Fate.LATER, f"{type(error).__name__}: {error}"[:300])
            self._settle(lane, batch, outcome, began)
            if lane.needs_others:
                await self._bring_others(lane)

    async def _bring_others(self, asking: Lane) -> None:
        """Take newer events into this round, since only other messages show whether it is the service that fails."""
        async with self._bringing:
            progress = self._progress
            room = min(OTHER_EVENTS, MOST_OTHER_EVENTS - self._other_events)
            if progress.cursor is None or room <= 0:
                return
            events = _placeable(await self._log.read(progress.cursor, room, ROUND_BYTES), self._busy_lanes(), asking)
            if not events:
                return
            prepared = await asyncio.to_thread(prepare, events, self._rules, self._client, self._links)
            self._other_events += len(events)
            progress.cursor = events[-1].seq
            progress.counts.skipped += prepared.skipped
            progress.dead += prepared.dead
            # Lanes may have ended meanwhile. The one that asks has not: this is its own task.
            lanes = self._busy_lanes()
            people, own = [one.names for one in lanes], lanes.index(asking)
            for message in prepared.messages:
                found = place(message.names, people, own)
                number = own if found is None else found
                people[number].update(message.names)
                lanes[number].add([message])

    def _busy_lanes(self) -> list[Lane]:
        return [one for one in self._lanes if len(one)]

    async def _admission(self, lane: Lane, count: int) -> None:
        """Wait until the next request may go."""
        while (wait := lane.not_before - self._clock()) > 0 or (wait := self._throttle.take(count, self._clock())) > 0:
            await asyncio.sleep(wait)

    def _settle(self, lane: Lane, batch: Sequence[Message], outcome: Outcome, began: float) -> None:
        now = self._clock()
        if outcome.fate is Fate.LATER:
            self._problem = outcome.reason
            if outcome.retry_after:
                self._throttle.close(outcome.retry_after, now)
        else:
            self._problem = None
        if outcome.fate is Fate.DELIVERED:
            self._proof = now
        settled = lane.settle(batch, outcome, now, self._proof)
        self._progress.counts.delivered += len(settled.delivered)
        self._progress.counts.retried += settled.is_retried
        self._progress.dead += settled.dead
        self.sent.appendleft(
            Sent(
                at=int(time.time() * 1000),
                first=batch[0].seq,
                last=batch[-1].seq,
                messages=len(batch),
                fate=outcome.fate.value,
                status=outcome.status,
                reason=outcome.reason,
                answer=outcome.answer,
                milliseconds=int((now - began) * 1000),
            )
        )


def _placeable(events: Sequence[Stored], lanes: Sequence[Lane], asking: Lane) -> list[Stored]:
    """Return the events up to the first one that is about people of several lanes."""
    people, own = [one.names for one in lanes], lanes.index(asking)
    found = []
    for event in events:
        names = names_of(event)
        number = place(names, people, own)
        if number is None:
            break
        people[number].update(names)
        found.append(event)
    return found


def _is_there(seq: int, events: Sequence[Stored]) -> bool:
    return any(one.seq == seq for one in events)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        one.delivered + other.delivered,
        one.retried + other.retried,
        one.failed + other.failed,
        one.skipped + other.skipped,
    )
