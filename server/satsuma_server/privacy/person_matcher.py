"""Which events are a person's: the same answer for erasing what is kept and for keeping out what comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from satsuma_server.identity.extraction import IdentifierExtractor
from satsuma_server.identity.identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from satsuma_server.identity.rules import Rules
from satsuma_server.log import Stored

FIELDS = {USER_ID: "userId", ANONYMOUS_ID: "anonymousId"}


class PersonMatcher:
    """Judges events by whom they are of.

    An event is a person's when its own identifier is, or when it is an alias that names one as the other id. An event
    of somebody else that carries one too, as the anonymousId of a device that was shared, stays without it.
    """

    def __init__(self, rules: Rules, holds: Callable[[Key], bool]) -> None:
        """Take the rules and what tells whether an identifier is the person's."""
        self._sighter = IdentifierExtractor(rules)
        self._holds = holds

    def redact(self, source: str, body: bytes) -> bytes:
        """Return an event as it may be kept; empty where it may not."""
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
    """The judge for the log, which looks closely only where the person's identifiers are found as text."""

    def __init__(self, rules: Rules, keys: Iterable[Key]) -> None:
        self.keys = frozenset(keys)
        super().__init__(rules, self.keys.__contains__)
        self._needles = {needle for key in self.keys for needle in _needles(rules, key)}
        values = "|".join(re.escape(text) for text in sorted({text for key in self.keys for text in _spellings(key)}))
        # Within other words and numbers it is another's: 42 is not in 1421.
        self._named = re.compile(rf"(?<![\w-])(?:{values})(?![\w-])".encode(), re.IGNORECASE)

    def may_concern(self, block: bytes) -> bool:
        """Tell whether a block has any of the identifiers' values in it."""
        folded = block.lower()
        return any(needle in folded for needle in self._needles)

    def names(self, text: bytes) -> bool:
        """Tell whether a text that need not be an event names the person."""
        return self._named.search(text) is not None


def named_by(previous: Key) -> list[Key]:
    """Return what an alias may mean by the other id."""
    return [previous, *(previous._replace(type=type) for type in FIELDS)]


def _needles(rules: Rules, key: Key) -> list[bytes]:
    if "\ufffd" in key.value:
        return [b""]  # It may have been spelled in another way.
    text = msgspec.json.encode(key.value)
    kind = rules.kinds.get(key.type)
    # What is configured may be a number in the event.
    exact = key.type == PREVIOUS_ID or (kind is not None and not kind.paths)
    return [(text if exact else text[1:-1]).lower()]


def _spellings(key: Key) -> set[str]:
    return {key.value, msgspec.json.encode(key.value).decode()[1:-1]}


def _without(body: bytes, types: Iterable[str]) -> bytes:
    event = msgspec.json.decode(body)
    for type in types:
        event[FIELDS[type]] = None
    return msgspec.json.encode(event)
