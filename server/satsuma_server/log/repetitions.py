"""Tells an event that is sent again from another event under the same messageId.

A messageId is only what a sender says. Somebody who guesses one may use it first, for an event of his own, and then the
true event must not be taken for a repetition. So an event is a repetition only where its content hash is the same too.
Another event under a known messageId is kept under an id made of that one and its own content hash. Its own repetitions
get the same id, so they are recognized as well. And an event that comes with such an id, but with another content, gets
one of its own too: it would take the place of the true event in tables and profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress, repeat
from typing import NamedTuple

import msgspec
from satsuma.validation import MAX_ID_LENGTH

from . import Arrivals
from .dedupe import MessageIds, keys_of

UNKNOWN = ""
"""The content hash of events whose content was not noted: any event under their messageId counts as a repetition."""

HEX = frozenset("0123456789abcdef")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode

Message = tuple[str, str, str]
"""Source, messageId and content hash."""

KeysOf = Callable[[Iterable[tuple[str, ...]]], list[int]]


class Sorted(NamedTuple):
    """Which of the events are to be kept.

    Attributes:
        fresh: for each event, whether it is new.
        keys: what `MessageIds` has to remember once they are kept.
    """

    fresh: list[bool]
    keys: list[int]


def keys_to_remember(messages: Sequence[Message], keys_of: KeysOf = keys_of) -> list[int]:
    """Return the keys of events that are kept: each has one for its messageId and one for its content too."""
    return keys_of(message[:2] for message in messages) + keys_of(messages)


def sort_out(every: Iterable[Arrivals], seen: MessageIds, keys_of: KeysOf = keys_of) -> Sorted:
    """Tell which events are new, and give those whose messageId belongs to another event an id of their own.

    Args:
        every: the requests.
        seen: the keys of what is stored.
        keys_of: makes these keys.
    """
    places = [(one, index) for one in every for index in range(len(one.bodies))]
    messages: list[Message] = []
    for one in every:
        messages += zip(repeat(one.source), one.message_ids, one.hashes or repeat(UNKNOWN))
    renamed = [index for index, message in enumerate(messages) if _pretends(message)]
    for index in renamed:
        messages[index] = _under_own_id(messages[index])
    ids, contents = keys_of(message[:2] for message in messages), keys_of(messages)
    new_ids, fresh = seen.unseen(ids), seen.unseen(contents)
    if new_ids != fresh:
        known = [index for index, is_new in enumerate(new_ids) if fresh[index] and not is_new]
        others = _others([messages[index] for index in known], messages, seen, keys_of)
        for index, other in zip(known, others, strict=True):
            fresh[index] = other is not None
            if other is not None:
                messages[index] = other
                renamed.append(index)
    for index in renamed:
        if fresh[index]:
            _rename(*places[index], messages[index][1])
    keys = [*compress(ids, fresh), *compress(contents, fresh)]
    return Sorted(fresh, keys + keys_to_remember([messages[index] for index in renamed if fresh[index]], keys_of))


def _others(known: list[Message], messages: list[Message], seen: MessageIds, keys_of: KeysOf) -> list[Message | None]:
    """Return events whose messageId is known, under ids of their own; None for each that is a repetition."""
    # Looked up for all at once: somebody may send thousands under one messageId, and everybody waits for the commit.
    unhashed = {message[:2] for message in messages if message[2] == UNKNOWN}
    senders = [*{message[:2]: None for message in known}]
    noted = seen.unseen(keys_of((*sender, UNKNOWN) for sender in senders))
    apart = {sender for sender, is_unseen in zip(senders, noted, strict=True) if is_unseen} - unhashed
    others = [_under_own_id(message) for message in known]
    fresh = seen.unseen(keys_of(others))
    return [
        other if is_new and message[2] != UNKNOWN and message[:2] in apart else None
        for message, other, is_new in zip(known, others, fresh, strict=True)
    ]


def _pretends(message: Message) -> bool:
    """Tell whether a messageId looks as if it had been made here, of an id and another event's content."""
    _, id, content = message
    return (
        content != UNKNOWN
        and id[-len(content) - 1 : -len(content)] == "."
        and HEX.issuperset(id[-len(content) :])
        and not id.endswith(content)
    )


def _under_own_id(message: Message) -> Message:
    """Return an event under an id that is made of its messageId and its content."""
    source, id, content = message
    return source, f"{id[: MAX_ID_LENGTH - len(content) - 1]}.{content}", content


def _rename(arrivals: Arrivals, index: int, id: str) -> None:
    arrivals.message_ids[index] = id
    if not arrivals.bodies[index]:
        return  # It may not be kept.
    members = _members.decode(arrivals.bodies[index])
    arrivals.bodies[index] = _encode({**members, "messageId": id})
