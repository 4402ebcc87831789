"""What the log's messages hold: an event, a refused event, and the index of a batch."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np

from satsuma_server.log import DeadLetter, Refused, Stored

LONGEST_RAW = 16 * 1024
"""The most bytes that are kept of a refused event. At most 1,000 of each lane are kept, so they take 128 MB."""

_HEAD = struct.Struct("<BId")
_VERSION = 1

_source = msgspec.json.Decoder(str)
_letter = msgspec.json.Decoder(tuple[str, str, float])


class Index(NamedTuple):
    """What the first message of a batch tells of the others.

    Attributes:
        events: how many events follow it directly in the stream.
        at: when the newest of them was received, in milliseconds since 1970.
        keys: 64-bit keys of their messageIds and contents.
    """

    events: int
    at: float
    keys: list[int]

    def encode(self) -> bytes:
        return _HEAD.pack(_VERSION, self.events, self.at) + np.array(self.keys, dtype="<i8").tobytes()

    @classmethod
    def decode(cls, payload: bytes) -> Index:
        """Read one. Raises `ValueError` for what a newer version wrote."""
        version, events, at = _HEAD.unpack_from(payload)
        if version != _VERSION:
            raise ValueError(f"the log's index is of version {version}: all collectors need the same version")
        return cls(events, at, np.frombuffer(payload, dtype="<i8", offset=_HEAD.size).tolist())


def keyed(secret: bytes) -> Callable[[Iterable[tuple[str, ...]]], list[int]]:
    """Return a function that makes keys of messageIds and contents, the same in all processes that know the secret.

    Without it nobody can construct two ids that collide, or tell from a key what somebody's id was.
    """

    def keys_of(messages: Iterable[tuple[str, ...]]) -> list[int]:
        digests = b"".join(blake2b(encode(message), digest_size=8, key=secret).digest() for message in messages)
        keys: list[int] = np.frombuffer(digests, dtype="<i8").tolist()
        return keys

    encode = msgspec.json.Encoder().encode
    return keys_of


def encode_event(source: str, body: bytes) -> bytes:
    """Return a message: the source as JSON, which has no line break, and the event in the second line."""
    return msgspec.json.encode(source) + b"\n" + body


def decode_event(seq: int, payload: bytes) -> Stored:
    source, _, body = payload.partition(b"\n")
    return Stored(seq, _source.decode(source), body)


def encode_letter(source: str, received_at: float, refused: Refused) -> bytes:
    head = msgspec.json.encode((source, refused.reason, received_at))
    return head + b"\n" + refused.raw[:LONGEST_RAW]


def decode_letter(seq: int, payload: bytes) -> DeadLetter:
    head, _, raw = payload.partition(b"\n")
    source, reason, at = _letter.decode(head)
    return DeadLetter(seq, source, reason, at, raw)
