"""Divides messages into lanes, so that all messages about one person are in the same lane, in the order of the log.

Who is the same person is not known for certain, since one event may link two people that had nothing in common before.
So those who share any id within the same messages count as one here. The next messages are divided anew after all of
these are done.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import Message


def place(names: Sequence[str], lanes: Sequence[set[str]], otherwise: int) -> int | None:
    """Return the place of the lane that further messages about these people belong to.

    Args:
        names: ids of people.
        lanes: the ids of people in each lane.
        otherwise: what is returned where no lane has any of them.

    Returns:
        None where several lanes have some of them, so that no place keeps the order.
    """
    found = [number for number, lane in enumerate(lanes) if not lane.isdisjoint(names)]
    return None if len(found) > 1 else found[0] if found else otherwise


def divide(messages: Sequence[Message], count: int) -> list[list[Message]]:
    """Return at most `count` lanes, which are about equally long. None is empty."""
    parents: dict[str, str] = {}

    def find(name: str) -> str:
        while (parent := parents.setdefault(name, name)) != name:
            parents[name] = name = parents[parent]
        return name

    def first(message: Message) -> str:
        # An event without ids is nobody's, but its own messages stay together.
        return message.names[0] if message.names else f"\0{message.seq}"

    for message in messages:
        for name in message.names[1:]:
            parents[find(name)] = find(message.names[0])
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(find(first(message)), []).append(message)
    lanes: list[list[Message]] = [[] for _ in range(min(count, len(groups)))]
    for group in sorted(groups.values(), key=len, reverse=True):
        min(lanes, key=len).extend(group)
    return [sorted(lane, key=lambda message: message.seq) for lane in lanes]
