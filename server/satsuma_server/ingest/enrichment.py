"""Adds to an event what the collector knows: times, ids, the visitor's address.

Source: the tracking API's four timestamps. ``timestamp = receivedAt - (sentAt - originalTimestamp)`` corrects a
visitor's wrong clock, since the difference of two times of one clock is right even where the clock is wrong.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from satsuma.arguments import id_text
from satsuma.clock import iso_time

from satsuma_server.masking import mask_address
from satsuma_server.times import AHEAD, parse_time
from satsuma_server.verification import FIELD, SENDER_IP

from .fast_path import FastEvent
from .signatures import take_signature

Event = dict[str, Any]


IDS_AT_ONCE = 256

CANONICAL = len("2020-04-23T22:38:48.550Z")
SIGNS = "-T::."
"""Every third character of a time in the usual form, from its second hyphen on."""

IDS = ("userId", "anonymousId", "groupId", "previousId")


@dataclass(slots=True)
class Arrival:
    """What all events of one request have in common.

    Attributes:
        at: when the request was received, in milliseconds since 1970.
        ip: the visitor's IP address; None where it isn't known.
        user_agent: the request's User-Agent header.
        sent_at: ``sentAt`` of the batch, unchanged.
        context, integrations: those of the batch.
        verify: returns how far an event can be trusted, given its userId, anonymousId and signature. None where all
            events are trusted.
        signature: the signature of the batch.
        mask_ip: whether the address that an event gives itself is masked, as `ip` is.
        keep_timestamp: whether timestamps in the past are kept unchanged, which an import of history needs.
        received_at: `at` as text.
        sent_at_ms: `sent_at` in milliseconds since 1970; None where it is not a time.
    """

    at: float
    ip: str | None = None
    user_agent: str | None = None
    sent_at: Any = None
    context: Mapping[str, Any] | None = None
    integrations: Mapping[str, Any] | None = None
    mask_ip: bool = False
    keep_timestamp: bool = False
    verify: Callable[[str | None, str | None, object], str] | None = None
    signature: object = None
    received_at: str = field(init=False)
    sent_at_ms: float | None = field(init=False)

    def __post_init__(self) -> None:
        self.received_at = iso_time(self.at)
        self.sent_at_ms = parse_time(self.sent_at)


def enrich(event: Event, arrival: Arrival, signature: object = None) -> Event:
    """Return the event as the log keeps it. Its signature must have been removed before."""
    for name in IDS:
        value = event.get(name)
        if value is not None and type(value) is not str:
            event[name] = id_text(value)
    event["userId"] = event.get("userId") or None
    event["anonymousId"] = event.get("anonymousId") or None
    event["messageId"] = event.get("messageId") or _new_id()
    event["context"] = context = _context(event.get("context"), arrival)
    if event["type"] == "identify" and not event.get("traits") and isinstance(context.get("traits"), dict):
        # RudderStack's libraries put the traits of an identify there, and nowhere else.
        event["traits"] = dict(context["traits"])
    _note_sender(context, event["userId"], event["anonymousId"], signature, arrival)
    if arrival.integrations:
        event["integrations"] = {**arrival.integrations, **(event.get("integrations") or {})}
    times = _times(event.get("timestamp"), event.get("originalTimestamp"), event.get("sentAt"), arrival)
    event["originalTimestamp"], event["sentAt"], event["timestamp"] = times
    event["receivedAt"] = arrival.received_at
    return event


def enrich_fast(event: FastEvent, arrival: Arrival) -> FastEvent:
    """Do the same as `enrich` for a complete `FastEvent`."""
    event.userId = event.userId or None
    event.anonymousId = event.anonymousId or None
    event.messageId = event.messageId or _new_id()
    signature = take_signature(event.context)
    event.context = context = _context(event.context or None, arrival)
    _note_sender(context, event.userId, event.anonymousId, signature, arrival)
    if arrival.integrations:
        event.integrations = {**arrival.integrations, **(event.integrations or {})}
    times = _times(event.timestamp, event.originalTimestamp, event.sentAt, arrival)
    event.originalTimestamp, event.sentAt, event.timestamp = times
    event.receivedAt = arrival.received_at
    return event


def _new_id() -> str:
    """Return a messageId of 128 random bits. Random bits for many ids are read from the system at once."""
    try:
        return _new_ids.popleft()
    except IndexError:
        digits = os.urandom(16 * IDS_AT_ONCE).hex()
        _new_ids.extend(f"satsuma-{digits[at : at + 32]}" for at in range(0, len(digits), 32))
        return _new_id()


_new_ids: deque[str] = deque()
# A forked child must not use the same random bits as its parent.
os.register_at_fork(after_in_child=_new_ids.clear)


def _context(given: Event | None, arrival: Arrival) -> Event:
    context = {**arrival.context, **(given or {})} if arrival.context else given or {}
    if arrival.mask_ip and "ip" in context:
        # Servers give the visitor's address, since theirs is that of the connection.
        given_ip = context["ip"]
        context["ip"] = mask_address(given_ip) if isinstance(given_ip, str) else None
    if arrival.ip is not None:
        context.setdefault("ip", arrival.ip)
    if arrival.user_agent is not None:
        context.setdefault("userAgent", arrival.user_agent)
    return context


def _note_sender(
    context: Event, user_id: str | None, anonymous_id: str | None, signature: object, arrival: Arrival
) -> None:
    """Note what the event's ids are worth or, where they are taken at their word, who says so."""
    if arrival.verify is not None:
        context[FIELD] = arrival.verify(user_id, anonymous_id, signature or arrival.signature)
    elif user_id and context.get("ip") != arrival.ip and arrival.ip is not None:
        context[SENDER_IP] = arrival.ip


def _times(timestamp: object, original: object, sent: object, arrival: Arrival) -> tuple[str, str, str]:
    """Return an event's originalTimestamp, sentAt and timestamp, computed from the times that it has."""
    given, made = timestamp, parse_time(timestamp)
    if made is None:
        given, made = original, parse_time(original)
    sent_at = parse_time(sent)
    if sent_at is None:
        sent, sent_at = arrival.sent_at, arrival.sent_at_ms
    if made is None:
        given, made = (sent, sent_at) if sent_at is not None else (arrival.received_at, arrival.at)
    made_text = _text(given, made)
    if sent_at is None:
        # It is not known how wrong the visitor's clock is, but an event can't be sent before it happens.
        sent_text = arrival.received_at
        timestamp_text = made_text if made < arrival.at else arrival.received_at
    else:
        # A clock that was set back between call and sending would give a time in the future; one that is in the year
        # 9999 would give a time before the year 1.
        age = min(max(0.0, sent_at - made), arrival.at)
        sent_text = _text(sent, sent_at)
        timestamp_text = iso_time(arrival.at - age) if age else arrival.received_at
    if arrival.keep_timestamp:
        # A time in the future can't be right, and would take precedence over all later values.
        timestamp_text = made_text if made <= arrival.at + AHEAD else arrival.received_at
    return made_text, sent_text, timestamp_text


def _text(given: object, milliseconds: float) -> str:
    """Return a time as text. A text that is already in this form stays unchanged."""
    if type(given) is str and len(given) == CANONICAL and given[7:20:3] == SIGNS and given[-1] == "Z":
        return given
    return iso_time(milliseconds)
