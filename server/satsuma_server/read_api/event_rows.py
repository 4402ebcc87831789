"""Stored events as rows of NDJSON, each with what the collector alone knows of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import msgspec

from satsuma_server.log import Stored

logger = logging.getLogger("satsuma.read_api")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def rows(events: Iterable[Stored]) -> Iterator[bytes]:
    """Yield each event as a line with its ``writeKey`` and ``seq``; one that can't be read is passed over, and logged.

    Both members are the collector's own. Whatever the event says of itself by these names is left out, since an event
    is written by whoever has sent it.
    """
    for event in events:
        try:
            members = _members.decode(event.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            logger.error("an event of the log can't be read", extra={"seq": event.seq})
            continue
        members.pop("writeKey", None)
        members.pop("seq", None)
        yield _encode({**members, "writeKey": event.source, "seq": event.seq}) + b"\n"
