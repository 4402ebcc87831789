"""What went wrong around a visitor and was got over, told to whoever looks for the cause: by the next event.

Not of analytics.js. An event has it in ``context.satsuma``, and only where there is something to tell: ``healed`` names
what a store had lost and has again, ``delivery`` counts what made trouble on the way. Each is told once, by an event
that is just made: one that waits already stays as it is, however often it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .storage import Loss, StoreKind

CONTEXT_KEY = "satsuma"

Counts = Mapping[str, int]
"""What made trouble so far, by its name; what was dropped begins with `DROPPED`, and the reason follows."""

DROPPED = "dropped: "


class Diagnostics:
    """What no event has told yet.

    Attributes:
        forgetful: a kind of store that keeps nothing in truth, so that nothing in it can be healed; None for none.
    """

    def __init__(self, given: Callable[[object], bool] = lambda value: False) -> None:
        """Start with nothing to tell.

        Args:
            given: tells of an id whether a server has handed it to the page: localStorage follows cookies then, which
                is no loss.
        """
        self._given = given
        self._healed: dict[tuple[str, StoreKind], Loss] = {}
        self._told: Counts = {}
        self.forgetful: StoreKind | None = None

    def healed(self, key: str, place: StoreKind, loss: Loss, value: object) -> None:
        """Take note that a store has a value again.

        Args:
            key: the cookie's or the item's name.
            place: the store.
            loss: what had become of the value there.
            value: what is there now.
        """
        if not (place is StoreKind.LOCAL and self._given(value)):
            # The first loss is the one that somebody looks for.
            self._healed.setdefault((key, place), loss)

    def tell(self, context: dict[str, Any], counts: Counts) -> None:
        """Write what is new since the last time into an event's context.

        Args:
            counts: what made trouble since the page began.
        """
        told: dict[str, Any] = {}
        healed = [f"{key}:{place}:{loss}" for (key, place), loss in self._healed.items() if place != self.forgetful]
        self._healed.clear()
        if healed:
            told["healed"] = healed
        if delivery := self._since(counts):
            told["delivery"] = delivery
        if told:
            own = context.get(CONTEXT_KEY)
            context[CONTEXT_KEY] = {**(own if isinstance(own, Mapping) else {}), **told}

    def _since(self, counts: Counts) -> dict[str, Any]:
        fresh = {name: count - self._told.get(name, 0) for name, count in counts.items()}
        self._told = dict(counts)
        delivery: dict[str, Any] = {name: n for name, n in fresh.items() if n and not name.startswith(DROPPED)}
        dropped = {name.removeprefix(DROPPED): n for name, n in fresh.items() if n and name.startswith(DROPPED)}
        return {**delivery, "dropped": dropped} if dropped else delivery
