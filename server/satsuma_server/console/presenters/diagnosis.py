"""Explains what the SDK reports in an event: ids that it healed, and problems on the way to the collector.

Source: ``context.satsuma``, as `satsuma.diagnostics` writes it. Anybody can write anything there, so only a small
amount is shown, and only what has the right form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from satsuma.diagnostics import CONTEXT_KEY
from satsuma.storage import Loss, StoreKind
from satsuma.strays import Fate

from .lint import Advice, Level
from .template_filters import plural, short

MOST_HEALED = 6
MOST_REASONS = 8
LARGEST = 10**9
LONGEST_KEY = 200

COOKIE, LOCAL = StoreKind.COOKIE.value, StoreKind.LOCAL.value
IDS = {"ajs_anonymous_id": "anonymousId", "ajs_user_id": "userId", "ajs_group_id": "groupId"}
CAUSES = {
    COOKIE: "Cookies were cleared, had expired, or could not be read.",
    LOCAL: "localStorage was cleared, or the cookie is another subdomain's, which has a localStorage of its own.",
}
REASONS = {
    "queue full": "more waited than a page keeps",
    "too large": "larger than an event may be",
    "invalid": "nothing that a collector takes",
    "attempts exhausted": "tried too often",
}


class Healing(NamedTuple):
    """One id that was restored in one store: `place` is the name of the store, and `loss` is one of `Loss`."""

    key: str
    place: str
    loss: str

    @property
    def id(self) -> str:
        """The name of the id in events, or the site's own name for it, where it has one."""
        return IDS.get(self.key, short(self.key))


def diagnosed(event: Mapping[str, Any]) -> list[Advice]:
    """Return what an event's ``context.satsuma`` says, in words."""
    told = _mapping(_mapping(event.get("context")).get(CONTEXT_KEY))
    delivery = _mapping(told.get("delivery"))
    identity = [*_healed(healings(told.get("healed"))), *_strayed(told.get("strays"))]
    return [*identity, *_failed(delivery), *_late(delivery), *_dropped(delivery)]


def healings(found: object) -> list[Healing]:
    """Return the valid members of ``healed``, without duplicates."""
    texts = [one for one in found[:MOST_HEALED] if isinstance(one, str)] if isinstance(found, list) else []
    parts = [text.rsplit(":", 2) for text in texts if len(text) <= LONGEST_KEY]
    return list(
        dict.fromkeys(
            Healing(*one) for one in parts if len(one) == 3 and one[1] in CAUSES and one[2] in (Loss.GONE, Loss.OTHER)
        )
    )


def _healed(found: list[Healing]) -> Iterable[Advice]:
    lost = {(one.key, one.place) for one in found}
    for one in found:
        source = "the cookie" if one.place == LOCAL else "localStorage"
        if {(one.key, COOKIE), (one.key, LOCAL)} <= lost:
            source = "what the open page still knew"
        if one.loss == Loss.OTHER:
            yield Advice(
                Level.HINT,
                f"The {one.id} in {_place(one)} was another",
                f"It was replaced from {source}. Something else writes it too: another library, a server, a tester.",
            )
            continue
        where = f"The {one.id}'s cookie was gone" if one.place == COOKIE else f"localStorage had lost the {one.id}"
        yield Advice(Level.NOTE, where, f"Healed from {source}, so that it is the same visitor. {CAUSES[one.place]}")


def _strayed(found: object) -> Iterable[Advice]:
    texts = [one for one in found[:MOST_HEALED] if isinstance(one, str)] if isinstance(found, list) else []
    for key, _, fate in (text.rpartition(":") for text in dict.fromkeys(texts) if len(text) <= LONGEST_KEY):
        if fate == Fate.REMOVED:
            yield Advice(
                Level.HINT,
                f"There was another cookie {short(key)}",
                "It was of another domain or path, and was removed, so that nobody gets somebody else's id. Something "
                "else sets it: a server that names no Domain, another library, older options.",
            )
        elif fate == Fate.STAYS:
            yield Advice(
                Level.WRONG,
                f"There is another cookie {short(key)}",
                "It is of another domain or path and could not be removed: the visitor may be taken for somebody else.",
            )


def _place(one: Healing) -> str:
    return "the cookie" if one.place == COOKIE else LOCAL


def _failed(delivery: Mapping[str, Any]) -> Iterable[Advice]:
    if count := _count(delivery.get("failed")):
        yield Advice(
            Level.NOTE,
            f"Before this, {plural(count, 'request')} failed",
            "The network was gone, or the collector was busy. What they held was kept, and sent once more.",
        )


def _late(delivery: Mapping[str, Any]) -> Iterable[Advice]:
    if count := _count(delivery.get("late")):
        yield Advice(
            Level.NOTE,
            f"{plural(count, 'event')} of an earlier page came along",
            "They had waited in localStorage for more than a minute until a page sent them.",
        )


def _dropped(delivery: Mapping[str, Any]) -> Iterable[Advice]:
    dropped = list(_mapping(delivery.get("dropped")).items())[:MOST_REASONS]
    counts = [(str(reason), count) for reason, given in dropped if (count := _count(given))]
    if total := sum(count for _, count in counts):
        yield Advice(
            Level.WRONG,
            f"Before this, {plural(total, 'event')} {'was' if total == 1 else 'were'} lost",
            "The page gave up: "
            + ", ".join(f"{plural(count, 'time')} {_why(reason)}" for reason, count in counts)
            + ".",
        )


def _why(reason: str) -> str:
    if reason in REASONS:
        return REASONS[reason]
    status = reason.removeprefix("refused ")
    known = reason.startswith("refused ") and status.isascii() and status.isdigit() and len(status) == 3
    return f"the collector answered {status}" if known else "for a reason of its own"


def _count(value: object) -> int:
    """Return a value that is a valid count; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
