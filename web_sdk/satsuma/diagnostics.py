"""What went wrong around a visitor and was got over, told to whoever looks for the cause: by the next event.

Not of analytics.js. An event has it in ``context.satsuma``, and only where there is something to tell: ``healed`` names
what a store had lost and has again, ``strays`` cookies of the same names on other domains or paths, ``delivery`` counts
what made trouble on the way. Each is told once, by an event that is just made: one that waits already stays as it is,
however often it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .storage import Loss, StoreKind
from .strays import Fate

CONTEXT_KEY = "satsuma"

Counts = Mapping[str, int]
"""How often something has happened since the page began, by its name."""


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
        self._strayed: dict[str, Fate] = {}
        self._told: Counts = {}
        self._told_lost: Counts = {}
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

    def strayed(self, name: str, fate: Fate) -> None:
        """Take note of a stray cookie, and of what has become of it."""
        self._strayed[name] = fate

    def tell(self, context: dict[str, Any], troubles: Counts, lost: Counts) -> None:
        """Write what is new since the last time into an event's context.

        Args:
            troubles: what made trouble on the way.
            lost: events that were dropped, by reason.
        """
        told: dict[str, Any] = {}
        healed = [f"{key}:{place}:{loss}" for (key, place), loss in self._healed.items() if place != self.forgetful]
        self._healed.clear()
        if healed:
            told["healed"] = healed
        if self._strayed:
            told["strays"] = [f"{name}:{fate}" for name, fate in self._strayed.items()]
            self._strayed.clear()
        delivery: dict[str, Any] = _since(troubles, self._told)
        if dropped := _since(lost, self._told_lost):
            delivery["dropped"] = dropped
        self._told, self._told_lost = dict(troubles), dict(lost)
        if delivery:
            told["delivery"] = delivery
        if told:
            own = context.get(CONTEXT_KEY)
            context[CONTEXT_KEY] = {**(own if isinstance(own, Mapping) else {}), **told}


def _since(counts: Counts, told: Counts) -> dict[str, int]:
    """Return what has come since, by name; nothing of what has stayed as it was."""
    fresh = {name: count - told.get(name, 0) for name, count in counts.items()}
    return {name: count for name, count in fresh.items() if count}
