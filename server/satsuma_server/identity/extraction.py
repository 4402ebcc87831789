"""Extracts identifiers, traits and links from one event."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import msgspec
from satsuma.arguments import id_text
from satsuma.validation import EVENT_TYPES, MAX_ID_LENGTH

from satsuma_server.log import Stored
from satsuma_server.times import AHEAD, parse_time
from satsuma_server.verification import Verification

from .identifiers import ANONYMOUS_ID, PREVIOUS_ID, USER_ID, Key
from .links import Rule
from .rules import IdentifierType, Rules

LONGEST_NAME = 256
"""The most characters of a trait's name. Traits with longer names are only in the log."""

MOST_TRAITS_AN_EVENT = 500
"""The most traits of one event that are kept. Others are only in the log."""

BYTES_A_TRAIT = 100
LONGEST_BLOCKED = 64

CLAIMS = (Verification.CLAIMED, Verification.PUBLIC)
KNOWN = frozenset(Verification)
RULES: dict[Verification | None, Rule] = {Verification.SERVER: Rule.SERVER, Verification.SIGNED: Rule.SIGNED}

logger = logging.getLogger("satsuma.profiles")


class _Context(msgspec.Struct):
    verification: Any = None
    senderIp: Any = None  # noqa: N815
    ip: Any = None

    @property
    def address(self) -> str | None:
        """Where the event came from, whatever it says itself."""
        address = self.senderIp or self.ip
        return address if isinstance(address, str) else None


class _Event(msgspec.Struct):
    type: str = ""
    messageId: str = ""  # noqa: N815
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    previousId: str | None = None  # noqa: N815
    timestamp: str = ""
    receivedAt: str = ""  # noqa: N815
    traits: msgspec.Raw = msgspec.Raw(b"null")
    context: _Context | None = None


@dataclass(slots=True)
class ExtractedIdentifiers:
    """What the graph needs of one event.

    Attributes:
        keys: its identifiers, the one of highest priority first. The event belongs to that one.
        previous: the other id that an alias names.
        traits: the traits of an identify, each as JSON; ``null`` for one that is removed.
        at: ``timestamp`` in whole milliseconds since 1970.
        month: the month of ``receivedAt``.
        fingerprint: a hash of source and messageId, by which a copy that arrives late is recognized.
        blocked: identifiers that were ignored because they name nobody, such as ``user_id:null``.
        verification: how far the ids can be trusted; None where they are trusted.
        address: the IP address that sent the event; None where it is not known or doesn't matter.
        hour: the hour of ``receivedAt``, such as ``2026-11-24T12``.
    """

    seq: int
    source: str
    type: str
    message_id: str
    keys: tuple[Key, ...]
    previous: Key | None
    traits: dict[str, str]
    at: int
    month: str
    fingerprint: int
    blocked: tuple[str, ...]
    verification: Verification | None = None
    address: str | None = None
    hour: str = ""

    @property
    def rule(self) -> Rule:
        """The rule by which the event's identifiers are linked."""
        return RULES.get(self.verification, Rule.SAME_EVENT)

    @property
    def claim(self) -> tuple[Key, Key | None] | None:
        """The userId that is only claimed, and the anonymousId; None where no userId is only claimed."""
        if self.verification not in CLAIMS:
            return None
        by_type = {key.type: key for key in self.keys}
        return (by_type[USER_ID], by_type.get(ANONYMOUS_ID)) if USER_ID in by_type else None

    def without_claim(self) -> ExtractedIdentifiers:
        """Return the event without its userId, as one of its anonymousId alone."""
        keys = tuple(key for key in self.keys if key.type != USER_ID)
        return replace(self, keys=keys, previous=None, traits={})

    @property
    def size(self) -> int:
        """Roughly how many bytes its rows will have. Each trait has a row, which includes the messageId."""
        values = sum(len(name) + len(value) for name, value in self.traits.items())
        return 1_000 + values + len(self.traits) * (BYTES_A_TRAIT + len(self.message_id))


class IdentifierExtractor:
    """Extracts identifiers from events by the rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._event = msgspec.json.Decoder(_Event)
        self._traits = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)

    def read(self, stored: Stored) -> ExtractedIdentifiers | None:
        """Extract what is needed of an event; None for one without identifiers, or one that isn't valid."""
        try:
            event = self._event.decode(stored.body)
            if event.type not in EVENT_TYPES:
                return None
            return self._read(stored, event)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            # The collector accepts no such event, but a log from elsewhere may have one, which must not stop a
            # follower.
            logger.error("an event of the log can't be read", extra={"seq": stored.seq, "reason": type(error).__name__})
            return None

    def _read(self, stored: Stored, event: _Event) -> ExtractedIdentifiers | None:
        space = stored.source if self._rules.per_source else ""
        blocked: list[str] = []
        keys: dict[Key, int] = {}
        verification = _verification(event)
        for kind, value in self._values(stored.body, event, verification):
            if kind.is_blocked(value):
                blocked.append(f"{kind.type}:{value.strip().casefold()[:LONGEST_BLOCKED]}")
            else:
                keys[Key(kind.type, kind.clean(value), space)] = kind.priority
        if not keys:
            return None if not blocked else _nobody(stored, event, blocked)
        return ExtractedIdentifiers(
            seq=stored.seq,
            source=stored.source,
            type=event.type,
            message_id=event.messageId,
            keys=tuple(sorted(keys, key=keys.__getitem__)),
            previous=self._previous(event, space, blocked, verification),
            traits=self._new_traits(event.traits) if _tells_traits(event, verification) else {},
            at=_moment(event),
            month=event.receivedAt[:7],
            fingerprint=fingerprint(stored.source, event.messageId),
            blocked=tuple(blocked),
            verification=verification,
            address=event.context.address if event.context else None,
            hour=event.receivedAt[:13],
        )

    def _values(
        self, body: bytes, event: _Event, verification: Verification | None
    ) -> Iterator[tuple[IdentifierType, str]]:
        kinds = self._rules.kinds
        if event.userId is not None:
            yield kinds[USER_ID], event.userId
        if event.anonymousId is not None:
            yield kinds[ANONYMOUS_ID], event.anonymousId
        # An email address or a device that a page names is only a claim, even where the userId is signed.
        if self._rules.configured and verification in (None, Verification.SERVER):
            whole = msgspec.json.decode(body)
            for kind in self._rules.configured:
                for path in kind.paths:
                    value = _follow(whole, path)
                    if value is not None:
                        yield kind, value

    def _previous(self, event: _Event, space: str, blocked: list[str], verification: Verification | None) -> Key | None:
        # The tracking API requires both ids for an alias.
        if event.type != "alias" or event.previousId is None or event.userId is None:
            return None
        # A signature proves the new id. The previous id may be anybody's, unless it is the page's own anonymousId.
        own = event.previousId == event.anonymousId
        if verification not in (None, Verification.SERVER) and not (own and verification is Verification.SIGNED):
            return None
        kind = self._rules.kinds[USER_ID]
        if kind.is_blocked(event.previousId):
            blocked.append(f"{PREVIOUS_ID}:{event.previousId.strip().casefold()[:LONGEST_BLOCKED]}")
            return None
        return Key(PREVIOUS_ID, kind.clean(event.previousId), space)

    def _new_traits(self, raw: msgspec.Raw) -> dict[str, str]:
        traits = self._traits.decode(raw) or {}
        named = ((name, value) for name, value in traits.items() if len(name) <= LONGEST_NAME)
        return {
            name.replace("\0", "\ufffd"): bytes(value).decode() for name, value in islice(named, MOST_TRAITS_AN_EVENT)
        }


def _verification(event: _Event) -> Verification | None:
    noted = event.context.verification if event.context else None
    return Verification(noted) if isinstance(noted, str) and noted in KNOWN else None


def _tells_traits(event: _Event, verification: Verification | None) -> bool:
    return event.type == "identify" and verification is not Verification.PUBLIC


def _moment(event: _Event) -> int:
    """Return when an event happened, but not later than it was received, so that it doesn't win over all later
    events."""
    at, received_at = parse_time(event.timestamp) or 0, parse_time(event.receivedAt)
    return round(at if received_at is None or at <= received_at + AHEAD else received_at)


def fingerprint(source: str, message_id: str) -> int:
    """Return a 64-bit hash of source and messageId, which is the same in every process."""
    digest = hashlib.blake2b(f"{source}\0{message_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _nobody(stored: Stored, event: _Event, blocked: list[str]) -> ExtractedIdentifiers:
    return ExtractedIdentifiers(
        stored.seq, stored.source, event.type, event.messageId, (), None, {}, 0, "", 0, tuple(blocked)
    )


def _follow(value: Any, path: tuple[str, ...]) -> str | None:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    if value is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = id_text(value)
    return text if len(text) <= MAX_ID_LENGTH else None
