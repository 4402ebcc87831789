"""Decides which events belong to a person, both for erasing stored events and for suppressing new ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from satsuma_server.identity.extraction import IdentifierExtractor
from satsuma_server.identity.identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from satsuma_server.identity.rules import Rules
from satsuma_server.log import Stored

FIELDS = {USER_ID: "userId", ANONYMOUS_ID: "anonymousId"}


class _Ids(msgspec.Struct):
    userId: Any = None  # noqa: N815
    anonymousId: Any = None  # noqa: N815


class PersonMatcher:
    """Decides whether events belong to a person.

    An event belongs to a person when its identifier of highest priority does, or when it is an alias whose other id
    does. An event of somebody else that also has an identifier of the person, such as the anonymousId of a shared
    device, is kept without that identifier.
    """

    def __init__(self, rules: Rules, holds: Callable[[Key], bool]) -> None:
        """Take the rules, and a function that tells whether an identifier belongs to the person."""
        self._sighter = IdentifierExtractor(rules)
        self._holds = holds

    def redact(self, source: str, body: bytes) -> bytes:
        """Return an event as it may be kept; empty where it may not be kept."""
        sighting = self._sighter.read(Stored(0, source, body))
        if sighting is None or not sighting.keys:
            return body
        own, *others = sighting.keys
        previous = sighting.previous
        if self._holds(own) or (previous and any(self._holds(one) for one in named_by(previous))):
            return b""
        taken = [key.type for key in others if key.type in FIELDS and self._holds(key)]
        return _without(body, taken) if taken else body


class ErasureMatcher(PersonMatcher):
    """A matcher for erasing from the log. It decodes only events in whose text the person's identifiers are found."""

    def __init__(self, rules: Rules, keys: Iterable[Key]) -> None:
        self.keys = frozenset(keys)
        super().__init__(rules, self.keys.__contains__)
        self._needles = {needle for key in self.keys for needle in _needles(rules, key)}
        values = "|".join(re.escape(text) for text in sorted({text for key in self.keys for text in _spellings(key)}))
        # A value inside another word or number doesn't count: 42 is not found in 1421.
        self._named = re.compile(rf"(?<![\w-])(?:{values})(?![\w-])".encode(), re.IGNORECASE)

    def may_concern(self, block: bytes) -> bool:
        """Tell whether a block has the value of any of the identifiers."""
        folded = block.lower()
        return any(needle in folded for needle in self._needles)

    def names(self, text: bytes) -> bool:
        """Tell whether a text, which may not be a valid event, names the person."""
        return self._named.search(text) is not None


def ids_in(raw: bytes, space: str) -> list[Key]:
    """Return the userId and the anonymousId of what may not be a valid event, as far as it has them."""
    try:
        ids = msgspec.json.decode(raw, type=_Ids)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return []
    told = ((USER_ID, ids.userId), (ANONYMOUS_ID, ids.anonymousId))
    return [Key(type, id, space) for type, id in told if isinstance(id, str)]


def named_by(previous: Key) -> list[Key]:
    """Return the identifiers that an alias may mean by its other id."""
    return [previous, *(previous._replace(type=type) for type in FIELDS)]


def _needles(rules: Rules, key: Key) -> list[bytes]:
    if "\ufffd" in key.value:
        return [b""]  # It may be spelled in another way in events, so every block has to be decoded.
    text = msgspec.json.encode(key.value)
    kind = rules.kinds.get(key.type)
    # A configured identifier may be a number in the event.
    exact = key.type == PREVIOUS_ID or (kind is not None and not kind.paths)
    return [(text if exact else text[1:-1]).lower()]


def _spellings(key: Key) -> set[str]:
    return {key.value, msgspec.json.encode(key.value).decode()[1:-1]}


def _without(body: bytes, types: Iterable[str]) -> bytes:
    event = msgspec.json.decode(body)
    for type in types:
        event[FIELDS[type]] = None
    return msgspec.json.encode(event)
