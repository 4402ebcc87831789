"""Reports problems that the SDK has solved, in the next event, for people who look for causes.

analytics.js doesn't have this. The report is in ``context.satsuma`` of an event, if there is something to report:
``healed`` names what a store had lost and has again, ``strays`` names cookies of the same names on other domains or
paths, and ``delivery`` counts problems of delivery. Each is reported once, in the next new event. Events that wait
already are not changed.
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
    """The problems that no event has reported yet.

    Attributes:
        forgetful: a kind of store that keeps nothing, so that nothing in it can be healed; None for none.
    """

    def __init__(self, given: Callable[[object], bool] = lambda value: False) -> None:
        """Start without problems.

        Args:
            given: returns whether a server has declared an id. localStorage follows the cookies then, which is no loss.
        """
        self._given = given
        self._healed: dict[tuple[str, StoreKind], Loss] = {}
        self._strayed: dict[str, Fate] = {}
        self._told: Counts = {}
        self._told_lost: Counts = {}
        self.forgetful: StoreKind | None = None

    def healed(self, key: str, place: StoreKind, loss: Loss, value: object) -> None:
        """Record that a store was healed.

        Args:
            key: the name of the cookie or item.
            place: the store.
            loss: how the store had lost the value.
            value: the value that it has now.
        """
        if not (place is StoreKind.LOCAL and self._given(value)):
            # The first loss is the interesting one.
            self._healed.setdefault((key, place), loss)

    def strayed(self, name: str, fate: Fate) -> None:
        """Record a stray cookie, and what happened to it."""
        self._strayed[name] = fate

    def tell(self, context: dict[str, Any], troubles: Counts, lost: Counts) -> None:
        """Write what is new since the last report into an event's context.

        Args:
            troubles: counts of problems of delivery.
            lost: counts of events that were dropped, by reason.
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
    """Return by how much each count has grown; counts that have not grown are left out."""
    fresh = {name: count - told.get(name, 0) for name, count in counts.items()}
    return {name: count for name, count in fresh.items() if count}
