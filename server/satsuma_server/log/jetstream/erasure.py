"""Erases single events from the stream: their bytes are overwritten on every server.

A message can't be changed. So an event of somebody else that has to lose an identifier is stored again without it, at
the end, and then the old one is erased: it gets another seq, and followers get it again, who know it by its messageId.
"""

from __future__ import annotations

from satsuma_server.errors import UnavailableError
from satsuma_server.log import Erased, EventMatcher

from .connection import NO_MESSAGE, NO_SUCH_SEQ, Connection, RefusalError
from .messages import decode_event, decode_letter, encode_event
from .reader import Message, Reader

EVENTS_A_LOOK = 1_000
BYTES_A_LOOK = 8 << 20


async def erase(connection: Connection, reader: Reader, matcher: EventMatcher) -> Erased:
    """Erase what a matcher selects, of what is in the stream when it begins. Raises `UnavailableError`."""
    erased = Erased()
    try:
        newest = await connection.newest(connection.subjects.events)
        erased.last = newest["seq"] if newest else 0
        after = 0
        while after < erased.last and (
            found := await reader.scan(connection.subjects.events, after, EVENTS_A_LOOK, BYTES_A_LOOK)
        ):
            after = found[-1].seq
            for message in found:
                if message.seq <= erased.last and matcher.may_concern(message.payload):
                    await _examine(connection, matcher, message, erased)
        await _drop_refused(connection, reader, matcher, erased)
    except RefusalError as refusal:
        raise UnavailableError(f"the log can't erase: {refusal}") from None
    return erased


async def _examine(connection: Connection, matcher: EventMatcher, message: Message, erased: Erased) -> None:
    event = decode_event(message.seq, message.payload)
    kept = matcher.redact(event.source, event.body)
    if kept == event.body:
        return
    if kept:
        # Stored before the old one is erased. The id keeps a repeated erasure from storing it once more.
        once = {"Nats-Msg-Id": f"instead-of-{message.seq}"}
        await connection.publish(message.subject, encode_event(event.source, kept), once)
        erased.redacted += 1
    else:
        erased.events += 1
    await _delete(connection, message.seq)


async def _drop_refused(connection: Connection, reader: Reader, matcher: EventMatcher, erased: Erased) -> None:
    after = 0
    while found := await reader.scan(connection.subjects.refused, after, EVENTS_A_LOOK, BYTES_A_LOOK):
        after = found[-1].seq
        for message in found:
            letter = decode_letter(message.seq, message.payload)
            if matcher.names(letter.raw) or matcher.names(letter.reason.encode()):
                await _delete(connection, message.seq)
                erased.dead_letters += 1


async def _delete(connection: Connection, seq: int) -> None:
    """Delete a message, and have its bytes overwritten."""
    try:
        await connection.ask(f"STREAM.MSG.DELETE.{connection.options.stream}", {"seq": seq, "no_erase": False})
    except RefusalError as refusal:
        if refusal.code not in (NO_MESSAGE, NO_SUCH_SEQ):
            raise
