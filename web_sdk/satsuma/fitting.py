"""An event that is too large to be sent goes without what is largest in it."""

from __future__ import annotations

from typing import Any

from .codec import to_json
from .omissions import Omissions
from .send_queue import Event
from .validation import MAX_EVENT_BYTES

VITAL = frozenset(("type", "event", "messageId", "timestamp", "userId", "anonymousId", "groupId", "previousId"))
"""Without these an event would be another one; they are short, or it is refused."""

REASON = "is too large"


def fitted(event: Event, omissions: Omissions, most: int = MAX_EVENT_BYTES) -> Event:
    """Return an event of at most `most` bytes of JSON where leaving out members and items can do it.

    The event itself is not changed. Of what is too large the innermost value is left out whose absence is enough, so
    that its neighbours stay.

    Args:
        omissions: hears of what was left out.
    """
    excess = size_of(event) - most
    if excess <= 0:
        return event
    shortened = dict(event)
    for name, part in _shares(event, excess).items():
        shortened[name], saved = _shorten(event[name], part, f".{name}", omissions)
        excess -= saved
    if excess > 0:
        _shorten_object(shortened, excess, "", omissions, VITAL)
    return shortened


def _shares(event: Event, excess: int) -> dict[str, int]:
    """Return how many bytes each large object of an event gives up, where several are large.

    The largest comes down to the next one's size, then both of them to the third one's, and so on.
    """
    sizes = {name: size_of(value) for name, value in event.items() if name not in VITAL and isinstance(value, dict)}
    ordered = sorted(sizes.values(), reverse=True)
    for count, below in enumerate([*ordered[1:], 0], start=1):
        level = (sum(ordered[:count]) - excess) // count
        if level >= below:
            return {name: size - level for name, size in sizes.items() if size > level}
    return {}


def size_of(value: Any) -> int:
    """Return the bytes of a value's JSON text, roughly those of a number."""
    if isinstance(value, int | float) or value is None:
        return len(repr(value))
    return len(to_json(value).encode())


def _shorten(value: Any, excess: int, path: str, omissions: Omissions) -> tuple[Any, int]:
    """Return a shortened copy of an object or a list, and the bytes that it saves."""
    if isinstance(value, list):
        copy = list(value)
        return copy, _shorten_list(copy, excess, path, omissions)
    members = dict(value)
    return members, _shorten_object(members, excess, path, omissions)


def _shorten_object(
    members: dict[str, Any], excess: int, path: str, omissions: Omissions, kept: frozenset[str] = frozenset()
) -> int:
    freed = 0
    sizes = {name: size_of(value) for name, value in members.items() if name not in kept}
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        need = excess - freed
        if need <= 0:
            break
        value, place = members[name], f"{path}.{name}"
        # At the top of an event nothing goes whole that others could stay in.
        if (kept and isinstance(value, dict)) or _is_worth_opening(value, sizes[name], need):
            members[name], saved = _shorten(value, need, place, omissions)
            freed += saved
        else:
            omissions.add(place, REASON)
            del members[name]
            freed += sizes[name] + size_of(name) + 2  # A colon and a comma.
    # The last member that goes had no comma.
    return freed if members or not freed else freed - 1


def _shorten_list(items: list[Any], excess: int, path: str, omissions: Omissions) -> int:
    sizes = [size_of(item) for item in items]
    largest = max(range(len(items)), key=sizes.__getitem__, default=0)
    if items and sizes[largest] - len("null") >= excess:
        place = f"{path}[{largest}]"
        if _is_worth_opening(items[largest], sizes[largest], excess):
            items[largest], saved = _shorten(items[largest], excess, place, omissions)
            return saved
        omissions.add(place, REASON)
        items[largest] = None
        return sizes[largest] - len("null")
    freed = 0
    while items and freed < excess:
        items.pop()
        freed += sizes[len(items)] + 1
    if not items and freed:
        freed -= 1  # The last item that goes had no comma.
    omissions.add(f"{path}[{len(items)}]", f"and what follows: {REASON}")
    return freed


def _is_worth_opening(value: Any, size: int, need: int) -> bool:
    """Tell whether something of a value can stay where `need` bytes of it must go."""
    if isinstance(value, list):
        return size - len("[]") >= need
    if not isinstance(value, dict) or not value:
        return False
    return size > 2 * need or max(map(size_of, value.values())) >= need
