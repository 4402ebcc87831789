"""Bytes become events, each with its raw text."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
from satsuma.checks import MAX_BATCH_BYTES, MAX_EVENT_BYTES
from satsuma.errors import EventError

from satsuma_server.errors import BadRequestError

from .usual import Usual, read_usual

SHORT_FORMS = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}
"""The paths that analytics.js posts to."""

BATCHES = ("batch", "import")

MAX_DEPTH = 64
"""How deep an event may nest: whatever reads the log later, in whatever language, has to read it too."""

MAX_SHARED_BYTES = 4 << 20
"""Most that a batch's context and integrations may come to once each of its events has them."""

MAX_BATCH_EVENTS = 10_000
"""Most events of one batch: what is no event at all takes two bytes there, and much more here."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The events of one request.

    Attributes:
        write_key: as the body tells it, None where it doesn't.
        events: raw text and decoded event of each; the exception where it can't be decoded or is too large. What is
            `Usual` may yet lack something.
        sent_at: the batch's, for events without one of their own.
        context, integrations: the batch's, under each event's own.
    """

    write_key: str | None
    events: list[tuple[bytes, Usual | dict[str, Any] | EventError]]
    sent_at: Any = None
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    writeKey: Any = None  # noqa: N815
    sentAt: Any = None  # noqa: N815
    context: msgspec.Raw = msgspec.Raw(b"null")
    integrations: msgspec.Raw = msgspec.Raw(b"null")


_batches = msgspec.json.Decoder(_Batch)
_values = msgspec.json.Decoder()

encode = msgspec.json.Encoder().encode
"""Returns an event as JSON in UTF-8."""


def decode(body: bytes, kind: str) -> Decoded:
    """Read the body of a call of `kind` (one of the event types, or of `BATCHES`).

    Raises:
        BadRequestError: the body isn't JSON of the right shape, or a batch is too large.
    """
    return _decode_batch(body) if kind in BATCHES else _decode_single(body, kind)


def _decode_single(body: bytes, kind: str) -> Decoded:
    usual = read_usual(body)
    if usual is not None:
        usual.type = kind  # type: ignore[assignment]
        return Decoded(_write_key(usual), [(body, usual)])
    event = decode_event(body)
    if isinstance(event, EventError):
        raise BadRequestError(event.reason, path=event.path, index=0)
    event["type"] = kind
    return Decoded(_write_key(event), [(body, event)])


def _write_key(event: Usual | dict[str, Any] | EventError) -> str | None:
    key = event.writeKey if isinstance(event, Usual) else event.get("writeKey") if isinstance(event, dict) else None
    return key if isinstance(key, str) else None


def _decode_batch(body: bytes) -> Decoded:
    if len(body) > MAX_BATCH_BYTES:
        raise BadRequestError(f"is {len(body)} bytes, the limit is {MAX_BATCH_BYTES}", path=".batch")
    try:
        batch = _batches.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequestError(f"the body is not a batch in JSON: {error}") from error
    if batch.batch is None:
        raise BadRequestError('is missing: send {"batch": [events]}', path=".batch")
    if len(batch.batch) > MAX_BATCH_EVENTS:
        raise BadRequestError(f"has {len(batch.batch)} events, the limit is {MAX_BATCH_EVENTS}", path=".batch")
    raws = map(bytes, batch.batch)
    events = [(raw, read_usual(raw) or decode_event(raw)) for raw in raws]
    key = batch.writeKey if isinstance(batch.writeKey, str) else None
    if key is None:
        key = next((found for _, event in events if (found := _write_key(event))), None)
    context = _shared(bytes(batch.context), ".context", len(events))
    return Decoded(key, events, batch.sentAt, context, _shared(bytes(batch.integrations), ".integrations", len(events)))


def _shared(raw: bytes, path: str, events: int) -> dict[str, Any] | None:
    """Return what a batch says of all its events."""
    if raw == b"null":
        return None
    if len(raw) * events > MAX_SHARED_BYTES:
        raise BadRequestError(f"is too large for a batch of {events} events: send smaller batches", path=path)
    value = decode_event(raw, "it")
    if isinstance(value, EventError):
        raise BadRequestError(f"can't be given to events: {value.reason}", path=path)
    return value


def decode_event(raw: bytes, what: str = "the event") -> dict[str, Any] | EventError:
    """Return an event of whatever fields, or what is wrong with it."""
    if len(raw) > MAX_EVENT_BYTES:
        return EventError("", f"{what} is {len(raw)} bytes, the limit is {MAX_EVENT_BYTES}")
    try:
        event = _values.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # msgspec is stricter than JSON.stringify, which escapes lone surrogates, and has no room for some numbers.
        event = _decode_leniently(raw, what)
    except RecursionError:
        return EventError("", f"{what} is nested too deeply")
    if isinstance(event, dict) and _nests_too_deep(raw, event):
        return EventError("", f"{what} is nested too deeply: the limit is {MAX_DEPTH} levels")
    if isinstance(event, EventError | dict):
        return event
    return EventError("", f"{what} is not a JSON object")


def _nests_too_deep(raw: bytes, event: dict[str, Any]) -> bool:
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
    """Decode what JavaScript would, with what no other reader of the log takes made into what all of them do.

    A lone surrogate becomes U+FFFD, as JavaScript's ``toWellFormed`` has it, and a number beyond all bounds null.
    """
    try:
        text = json.dumps(_read_leniently(raw), ensure_ascii=False)
        return _read_leniently(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except RecursionError:
        return EventError("", f"{what} is nested too deeply")
    except ValueError as error:
        return EventError("", f"{what} is not JSON: {error}")


def _read_leniently(text: str | bytes) -> Any:
    return json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_refuse)


def _whole(text: str) -> float | None:
    # More digits than every 64-bit number has are a float to JavaScript too.
    return int(text) if len(text) <= 19 else _finite(text)


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
