"""One queue of messages that go to a destination one request after the other, and what becomes of them.

Sans-I/O: it is asked for the next request, and told how that went and when. All that are retried keep their place, so
nobody's events are delivered in another order than they came, as long as they are delivered at all.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from satsuma.backoff import backoff

from . import Fate, Message, Outcome

LONGEST_RETRY_AFTER = 3_600.0
"""The most seconds that a destination may have us wait at once."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lane tries.

    Attributes:
        give_up_seconds: after so long, what still fails is set aside.
        tries: after so many tries, a single message is suspected of making the destination fail. It is set aside once
            the destination takes any other message: then it is the message that is wrong, and not the destination.
        first_wait, longest_wait: seconds between tries.
    """

    give_up_seconds: float = 4 * 3_600
    tries: int = 10
    first_wait: float = 0.5
    longest_wait: float = 60.0


@dataclass(frozen=True, slots=True)
class Dead:
    """A message that is set aside, with the outcome of its last try."""

    message: Message
    outcome: Outcome
    tries: int


@dataclass(slots=True)
class Settled:
    """What one answer has settled.

    Attributes:
        delivered: messages that were acknowledged.
        dead: messages that are set aside.
        is_retried: whether the request goes out again, whole or in parts.
    """

    delivered: list[Message] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    is_retried: bool = False


class Lane:
    """Messages in order, of which one request at a time is under way.

    Messages at the head that were tried often enough are suspects. After each further try of the first one, the message
    behind the suspects is tried once. If that is delivered, the suspects are set aside. So nobody's events arrive in
    another order, and one message that makes the service fail does not hold up the others.

    Attributes:
        not_before: when the next request may go, by the clock that `settle` is told.
    """

    def __init__(
        self,
        messages: Iterable[Message],
        most_messages: int,
        most_bytes: int,
        patience: Patience,
        spread: Callable[[], float] = random.random,
    ) -> None:
        """Take the messages, the bounds of one request, how long to try, and what spreads the waits (0 to 1)."""
        self._waiting = deque(messages)
        self._limit = self._most = most_messages
        self._most_bytes = most_bytes
        self._patience = patience
        self._spread = spread
        self._tries = 0
        self._began: float | None = None
        self._suspects: list[Outcome] = []
        self._other_tries = 0
        self._is_trying_other = False
        self._pause = 0.0
        self.not_before = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def names(self) -> set[str]:
        """The ids of people of all messages that wait."""
        return {name for message in self._waiting for name in message.names}

    @property
    def needs_others(self) -> bool:
        """Whether all its messages are suspects, so that other messages have to show who is at fault."""
        return bool(self._suspects) and len(self._suspects) >= len(self._waiting)

    def add(self, messages: Iterable[Message]) -> None:
        """Add messages that come after all others."""
        self._waiting.extend(messages)

    def batch(self) -> list[Message]:
        """Return the messages of the next request; the same ones until they are settled. Empty at the end."""
        if self._is_trying_other:
            return [self._waiting[len(self._suspects)]]
        found: list[Message] = []
        size = 0
        for message in self._waiting:
            size += message.size
            other = found and message.payload.channel != found[0].payload.channel
            if other or len(found) == self._most or (found and size > self._most_bytes):
                break
            found.append(message)
        return found

    def settle(self, batch: Sequence[Message], outcome: Outcome, now: float, proof: float) -> Settled:
        """Take the answer to a request.

        Args:
            batch: what `batch` returned.
            outcome: the answer.
            now: the time in seconds.
            proof: when the destination last took anything, by the same clock.
        """
        if self._is_trying_other:
            return self._settle_other(batch[0], outcome, now)
        if outcome.fate is Fate.DELIVERED:
            return self._deliver(batch, outcome)
        if outcome.fate is Fate.REFUSED:
            if outcome.refused and len(outcome.refused) < len(batch):
                return self._pick_out(batch, outcome)
            return self._split(len(batch)) if len(batch) > 1 else self._drop(batch, outcome)
        return self._wait(batch, outcome, now, proof)

    def _deliver(self, batch: Sequence[Message], outcome: Outcome) -> Settled:
        settled = Settled()
        for place, message in enumerate(batch):
            reason = outcome.refused.get(place)
            if reason is None:
                settled.delivered.append(message)
            else:
                told = Outcome(Fate.REFUSED, reason, outcome.status, outcome.answer)
                settled.dead.append(Dead(message, told, self._tries + 1))
        self._go_on(len(batch))
        return settled

    def _split(self, count: int) -> Settled:
        """Send the request in two parts. That is repeated until the message that is refused is alone."""
        self._most = count // 2
        return Settled(is_retried=True)

    def _pick_out(self, batch: Sequence[Message], outcome: Outcome) -> Settled:
        """Set aside the messages that the answer names, and send the others again."""
        kept = []
        dead = []
        for place, message in enumerate(batch):
            if (reason := outcome.refused.get(place)) is None:
                kept.append(message)
            else:
                dead.append(
                    Dead(message, Outcome(Fate.REFUSED, reason, outcome.status, outcome.answer), self._tries + 1)
                )
        self._go_on(len(batch))
        self._waiting.extendleft(reversed(kept))
        return Settled(dead=dead, is_retried=True)

    def _drop(self, batch: Sequence[Message], outcome: Outcome) -> Settled:
        dead = [Dead(message, outcome, self._tries + 1) for message in batch]
        self._go_on(len(batch))
        self._most = self._limit
        return Settled(dead=dead)

    def _wait(self, batch: Sequence[Message], outcome: Outcome, now: float, proof: float) -> Settled:
        self._tries += 1
        if self._began is None:
            self._began = now
        if now - self._began >= self._patience.give_up_seconds:
            return self._drop(batch, outcome)
        wait = backoff(max(1, self._tries), self._patience.first_wait, self._patience.longest_wait)
        wait *= 0.5 + self._spread() / 2
        asked = min(outcome.retry_after or 0.0, LONGEST_RETRY_AFTER)
        self.not_before = now + max(wait, asked)
        if self._tries >= self._patience.tries:
            # Perhaps one message makes the service fail. Parts show which one, and that the service takes the others.
            if len(batch) > 1:
                self._most, self._tries = len(batch) // 2, 0
            elif proof > self._began:
                return self._drop(batch, outcome)
            else:
                self._suspect(outcome, now, is_asked_to_wait=bool(asked))
        return Settled(is_retried=True)

    def _suspect(self, outcome: Outcome, now: float, *, is_asked_to_wait: bool) -> None:
        """Suspect the first message, and have another one tried at once, where the service did not ask for a pause."""
        self._suspects[:1] = [outcome]
        self._most = 1
        if len(self._suspects) < len(self._waiting) and not is_asked_to_wait:
            self._pause, self.not_before = self.not_before - now, now
            self._is_trying_other = True

    def _settle_other(self, message: Message, outcome: Outcome, now: float) -> Settled:
        """Take the answer to the message behind the suspects."""
        self._is_trying_other = False
        self.not_before = now + self._pause
        if outcome.fate is Fate.DELIVERED and not outcome.refused:
            dead = [
                Dead(one, told, self._patience.tries) for one, told in zip(self._waiting, self._suspects, strict=False)
            ]
            self._go_on(len(self._suspects) + 1)
            self._most, self.not_before = self._limit, now
            return Settled([message], dead)
        if outcome.fate is Fate.LATER:
            self._other_tries += 1
            if self._other_tries >= self._patience.tries:
                self._suspects.append(outcome)
                self._other_tries = 0
            return Settled(is_retried=True)
        del self._waiting[len(self._suspects)]
        told = Outcome(Fate.REFUSED, outcome.refused.get(0, outcome.reason), outcome.status, outcome.answer)
        return Settled(dead=[Dead(message, told, self._other_tries + 1)])

    def _go_on(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        if self._suspects:
            self._most = self._limit
        self._tries, self._began = 0, None
        self._suspects, self._other_tries = [], 0
