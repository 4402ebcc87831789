"""Asks one destination to delete people, one after the other, beside its events.

A request is about a person whose events have left the log, so nothing of that person can be sent after it but what
comes anew. It waits as long as a request may take, so that events under way have arrived before it. It holds up no
event, and is retried and set aside by the rules of a `Lane`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote

import msgspec

from satsuma_server.backoff import Backoff
from satsuma_server.run_to_completion import run_to_completion

from . import DeletedPerson, DestinationClient, Fate, Message, Outcome
from .deletion_store import DeletionStore
from .lane import Lane, Patience
from .secrets import HIDDEN

A_ROUND = 100
"""How many people are read at once."""

SHORTEST = 3
"""Shorter identifiers are not hidden in answers: they would be found everywhere."""

logger = logging.getLogger("satsuma.destinations")


@dataclass(slots=True)
class _Asked:
    """A person whom the destination is being asked to delete, in one request or several.

    Attributes:
        left: how many of the requests have not ended.
        last: what the newest acknowledgement was.
        failed: the answer to one that was set aside.
    """

    id: int
    person: DeletedPerson
    left: int
    tries: int = 0
    last: Outcome = field(default_factory=lambda: Outcome(Fate.DELIVERED))
    failed: Outcome | None = None


class Deletions:
    """The people whom one destination is to delete.

    Attributes:
        problem: why the request under way was not acknowledged yet.
    """

    def __init__(
        self,
        name: str,
        client: DestinationClient,
        store: DeletionStore,
        patience: Patience,
        grace_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the destination's name and client, and how long a request waits before it is first sent."""
        self.problem: str | None = None
        self._name = name
        self._client = client
        self._store = store
        self._patience = patience
        self._grace = grace_seconds
        self._clock = clock
        self._proof = float("-inf")
        self._wake = asyncio.Event()

    def can_forget(self, person: DeletedPerson) -> bool:
        """Tell whether the destination can be asked to delete a person."""
        return bool(self._client.forget(person))

    def wake(self) -> None:
        """Have it look for requests at once."""
        self._wake.set()

    async def run(self) -> None:
        """Send requests until cancelled."""
        backoff = Backoff()
        while True:
            self._wake.clear()
            try:
                found = await asyncio.to_thread(self._store.waiting, self._name, A_ROUND)
                await self._round(found)
            except Exception as error:
                # For example a full disk. Nothing is lost, since the requests stay.
                logger.error(
                    "a deletion can't be sent on", extra={"destination": self._name, "reason": repr(error)[:300]}
                )
                self.problem = f"{type(error).__name__}: {error}"[:300]
                await backoff.wait()
                continue
            backoff.reset()
            if not found:
                await self._wake.wait()

    async def _round(self, found: Sequence[tuple[int, DeletedPerson]]) -> None:
        """Have people deleted, of whom nothing is under way any more."""
        if found and not any(map(self._is_due, found)):
            await asyncio.sleep(max(0.0, found[0][1].at / 1000 + self._grace - time.time()))
            return
        parts: dict[str, _Asked] = {}
        lane = Lane(await self._messages(found, parts), 1, 1, self._patience)
        while batch := lane.batch():
            await asyncio.sleep(max(0.0, lane.not_before - self._clock()))
            await self._try(lane, batch[0], parts)
            if lane.needs_others:
                # Only other requests show whether it is the service that fails.
                more = await asyncio.to_thread(self._store.waiting, self._name, A_ROUND)
                lane.add(await self._messages(more, parts))

    async def _messages(self, found: Sequence[tuple[int, DeletedPerson]], parts: dict[str, _Asked]) -> list[Message]:
        """Return the messages about people who are due and not in `parts` yet, and add these there."""
        messages = []
        known = {asked.id for asked in parts.values()}
        for id, person in filter(self._is_due, found):
            if id in known:
                continue
            made = _messages(self._client, person)
            asked = _Asked(id, person, len(made))
            parts |= dict.fromkeys((one.key for one in made), asked)
            messages += made
            if not made:
                asked.failed = Outcome(Fate.REFUSED, "it can't be asked to delete anybody any more: see its settings")
                await self._end(asked)
        return messages

    def _is_due(self, found: tuple[int, DeletedPerson]) -> bool:
        return found[1].at / 1000 + self._grace <= time.time()

    async def _try(self, lane: Lane, message: Message, parts: Mapping[str, _Asked]) -> None:
        asked = parts[message.key]
        outcome = _without(asked.person, await self._send(message))
        asked.tries += 1
        now = self._clock()
        if outcome.fate is Fate.DELIVERED:
            self._proof = now
            asked.last = outcome
        settled = lane.settle([message], outcome, now, self._proof)
        self.problem = outcome.reason if settled.is_retried else None
        for dead in settled.dead:
            parts[dead.message.key].failed = dead.outcome
        for one in (*settled.delivered, *(dead.message for dead in settled.dead)):
            parts[one.key].left -= 1
            if not parts[one.key].left:
                await self._end(parts[one.key])

    async def _end(self, asked: _Asked) -> None:
        outcome = asked.failed or asked.last
        is_done = asked.failed is None
        await run_to_completion(partial(self._store.end, self._name, asked.id, asked.tries, outcome, is_done=is_done))
        told = {"destination": self._name, "key": asked.person.key, "status": outcome.status}
        if is_done:
            logger.info("a destination has taken the request to delete a person", extra=told)
        else:
            logger.error("a destination does not delete a person", extra={**told, "reason": outcome.reason})

    async def _send(self, message: Message) -> Outcome:
        try:
            return await self._client.send([message])
        except Exception as error:
            return Outcome(Fate.LATER, f"{type(error).__name__}: {error}"[:300])


def _messages(client: DestinationClient, person: DeletedPerson) -> list[Message]:
    found = client.forget(person)
    return [
        Message(0, f"{person.key}:{one.part}" if one.part else person.key, one, len(msgspec.json.encode(one.body)))
        for one in found
    ]


def _without(person: DeletedPerson, outcome: Outcome) -> Outcome:
    """Return an outcome that names none of the person's identifiers."""
    hidden = {form for id in person.ids if len(id) >= SHORTEST for form in (id, _in_json(id), quote(id, safe=""))}

    def hide(text: str) -> str:
        for form in sorted(hidden, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text

    refused = {place: hide(reason) for place, reason in outcome.refused.items()}
    return replace(outcome, reason=hide(outcome.reason), answer=hide(outcome.answer), refused=refused)


def _in_json(text: str) -> str:
    return msgspec.json.encode(text)[1:-1].decode()
