"""Decodes a request's body into events, and finds the raw text of each."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
from satsuma.errors import EventError
from satsuma.validation import MAX_BATCH_BYTES, MAX_EVENT_BYTES

from satsuma_server.errors import BadRequestError

from . import json_members as members
from .fast_path import FastEvent, read_fast

SHORT_FORMS = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}
"""The paths that analytics.js posts to."""

BATCHES = ("batch", "import")

MAX_DEPTH = 64
"""How many levels an event may have. Every program that reads the log later, in any language, must be able to read
it."""

MAX_SHARED_BYTES = 4 << 20
"""The most bytes that a batch's context and integrations may take once every event of the batch has a copy."""

MAX_BATCH_EVENTS = 10_000
"""The most events of one batch. A member that is no event at all may have two bytes, and takes much more memory
here."""


Event = FastEvent | dict[str, Any] | EventError
"""The result of decoding. A `FastEvent` may still be incomplete; an exception stands for an event that can't be
decoded."""


@dataclass(slots=True)
class Decoded:
    """The events of one request.

    Attributes:
        body: the body as it was received.
        write_key: the write key in the body; None where there is none.
        events: the events in order.
        sent_at: ``sentAt`` of the batch, for events without one of their own.
        context, integrations: those of the batch, which the event's own take precedence over.
        raws: the text of each event; None until a text of a batch that was decoded as a whole is needed.
    """

    body: bytes
    write_key: str | None
    events: Sequence[Event]
    sent_at: Any = None
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None
    raws: Sequence[bytes] | None = None

    def raw(self, index: int) -> bytes:
        """Return the text of an event. It is searched for only when it is needed, which is rare."""
        if self.raws is None:
            self.raws = [bytes(raw) for raw in _batches.decode(self.body).batch or ()]
        return self.raws[index]


class _Batch[E](msgspec.Struct):
    batch: list[E] | None = None
    writeKey: Any = None  # noqa: N815
    sentAt: Any = None  # noqa: N815
    context: msgspec.Raw = msgspec.Raw(b"null")
    integrations: msgspec.Raw = msgspec.Raw(b"null")


_batches = msgspec.json.Decoder(_Batch[msgspec.Raw])
_usual_batches = msgspec.json.Decoder(_Batch[FastEvent])
_usual_events = msgspec.json.Decoder(FastEvent)
_values = msgspec.json.Decoder()

encode = msgspec.json.Encoder().encode
"""Encodes an event as JSON in UTF-8."""


def decode(body: bytes, kind: str) -> Decoded:
    """Read the body of a call of `kind` (one of the event types, or of `BATCHES`).

    Raises:
        BadRequestError: the body isn't JSON with the right structure, or a batch is too large.
    """
    return _decode_batch(body) if kind in BATCHES else _decode_single(body, kind)


def _decode_single(body: bytes, kind: str) -> Decoded:
    event: Event = read_fast(body, _usual_events) or decode_event(body)
    if isinstance(event, EventError):
        raise BadRequestError(event.reason, path=event.path, index=0)
    if isinstance(event, FastEvent):
        event.type = kind  # type: ignore[assignment]
    else:
        event["type"] = kind
    return Decoded(body, _write_key(event), [event], raws=[body])


def _write_key(event: Event) -> str | None:
    key = event.writeKey if isinstance(event, FastEvent) else event.get("writeKey") if isinstance(event, dict) else None
    return key if isinstance(key, str) else None


def _decode_batch(body: bytes) -> Decoded:
    if len(body) > MAX_BATCH_BYTES:
        raise BadRequestError(f"is {len(body)} bytes, the limit is {MAX_BATCH_BYTES}", path=".batch")
    usual = read_fast(body, _usual_batches)
    if usual is None and (repaired := members.well_formed(body)) != body:
        return _decode_batch(repaired)
    batch: _Batch[Any] = usual or _split(body)
    if batch.batch is None:
        raise BadRequestError('is missing: send {"batch": [events]}', path=".batch")
    count = len(batch.batch)
    if count > MAX_BATCH_EVENTS:
        raise BadRequestError(f"has {count} events, the limit is {MAX_BATCH_EVENTS}", path=".batch")
    events, raws = batch.batch, None
    if usual is None:
        raws = [bytes(raw) for raw in events]
        events = [read_fast(raw, _usual_events) or decode_event(raw) for raw in raws]
    key = batch.writeKey if isinstance(batch.writeKey, str) else None
    if key is None:
        key = next((found for event in events if (found := _write_key(event))), None)
    context = _shared(bytes(batch.context), ".context", count)
    integrations = _shared(bytes(batch.integrations), ".integrations", count)
    return Decoded(body, key, events, batch.sentAt, context, integrations, raws)


def _split(body: bytes) -> _Batch[msgspec.Raw]:
    """Return a batch whose events are not decoded yet."""
    try:
        return _batches.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        # Only one event may be malformed.
        try:
            return _split_by_signs(body)
        except ValueError:
            raise BadRequestError(f"the body is not a batch in JSON: {error}") from error


def _split_by_signs(body: bytes) -> _Batch[msgspec.Raw]:
    """Split a batch by brackets, commas and strings only. Raises `ValueError` where that finds no batch."""
    told = members.fields(body)
    null = b"null"
    events = told.get("batch", null)
    return _Batch(
        None if events == null else [msgspec.Raw(raw) for raw in members.items(events)],
        _value(told.get("writeKey", null)),
        _value(told.get("sentAt", null)),
        msgspec.Raw(told.get("context", null)),
        msgspec.Raw(told.get("integrations", null)),
    )


def _value(raw: bytes) -> Any:
    """Decode a value; return None where it can't be decoded."""
    try:
        return read_well_formed(raw)
    except (ValueError, RecursionError):
        return None


def _shared(raw: bytes, path: str, events: int) -> dict[str, Any] | None:
    """Return a value that a batch has for all its events."""
    if raw == b"null":
        return None
    if len(raw) * events > MAX_SHARED_BYTES:
        raise BadRequestError(f"is too large for a batch of {events} events: send smaller batches", path=path)
    value = decode_event(raw, "it")
    if isinstance(value, EventError):
        raise BadRequestError(f"can't be given to events: {value.reason}", path=path)
    return value


def decode_event(raw: bytes, what: str = "the event") -> dict[str, Any] | EventError:
    """Decode an event with any fields; return an `EventError` where that fails."""
    if len(raw) > MAX_BATCH_BYTES:
        return _too_large(raw, what)
    try:
        event = _values.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # msgspec is stricter than JSON.stringify, which escapes lone surrogates, and doesn't support some numbers.
        event = _decode_leniently(raw, what)
    except RecursionError:
        return EventError("", f"{what} is nested too deeply")
    if isinstance(event, EventError):
        return event
    if not isinstance(event, dict):
        return EventError("", f"{what} is not a JSON object")
    if nests_too_deep(raw, event):
        return EventError("", f"{what} is nested too deeply: the limit is {MAX_DEPTH} levels")
    if len(raw) > MAX_EVENT_BYTES and len(kept := encode(event)) > MAX_EVENT_BYTES:
        # Measured in the form that would be kept, so that spaces and escapes in the text don't count.
        return _too_large(kept, what)
    return event


def _too_large(text: bytes, what: str) -> EventError:
    return EventError("", f"{what} is {len(text)} bytes, the limit is {MAX_EVENT_BYTES}")


def nests_too_deep(raw: bytes, event: dict[str, Any]) -> bool:
    """Tell whether an event has more levels than `MAX_DEPTH`, given its text, too."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    level: list[Any] = [event]
    for _ in range(MAX_DEPTH):
        values = (item for holder in level for item in (holder.values() if isinstance(holder, dict) else holder))
        level = [value for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True


def _decode_leniently(raw: bytes, what: str) -> Any:
    """Decode JSON as JavaScript does, and replace what other readers of the log would not accept."""
    try:
        return read_well_formed(raw)
    except RecursionError:
        return EventError("", f"{what} is nested too deeply")
    except ValueError as error:
        return EventError("", f"{what} is not JSON: {error}")


def read_well_formed(text: str | bytes) -> Any:
    """Decode JSON, and replace what other readers would not accept. Raises the errors of `read_leniently`.

    A lone surrogate becomes U+FFFD, as by JavaScript's ``toWellFormed``, and a number that is too large becomes null.
    """
    whole = json.dumps(read_leniently(text), ensure_ascii=False)
    return read_leniently(whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def read_leniently(text: str | bytes) -> Any:
    """Decode JSON; a number that is too large becomes null, and lone surrogates stay as they are.

    Raises:
        ValueError: the text is not JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_refuse)


def _whole(text: str) -> float | None:
    # A number with more digits than any 64-bit integer is a float in JavaScript, too.
    return int(text) if len(text) <= 19 else _finite(text)


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
