"""Reads messages of the stream from whichever replica answers, and misses none that was acknowledged."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import nats.errors

from satsuma_server.errors import UnavailableError

from .connection import ANSWER_SECONDS, Connection, RefusalError

MESSAGES_A_REQUEST = 2_000
BYTES_A_REQUEST = 4 << 20
OVERHEAD = 64 << 10
"""Bytes that a request may be answered with beyond those that are wanted, since subjects and headers count too."""

TRIES = 100
WAIT_SECONDS = 0.05
"""How often, and after which time, a replica that is behind the leader is asked again."""

PICKED_AT_ONCE = 50

logger = logging.getLogger("satsuma.log")


class Message(NamedTuple):
    """One message of the stream.

    Attributes:
        batch: the id of the batch that it came with; empty without one.
    """

    seq: int
    subject: str
    payload: bytes
    batch: str


class Reader:
    """Reads the stream of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def scan(
        self, subject: str, after: int, limit: int, most_bytes: int | None = None, since: str | None = None
    ) -> list[Message]:
        """Return messages of a subject above a seq, in order, as many as there are within the bounds.

        Replicas that follow may be a moment behind, so where one has no more, the leader is asked whether it has.

        Args:
            most_bytes: bytes after which no more are asked for; the answer may have a few more.
            since: a time as ISO 8601; messages from before it are left out.

        Raises:
            UnavailableError: the servers don't answer, or a replica stays behind.
        """
        found: list[Message] = []
        size = tries = 0
        while len(found) < limit and (most_bytes is None or size < most_bytes):
            room = BYTES_A_REQUEST if most_bytes is None else min(BYTES_A_REQUEST, most_bytes - size + OVERHEAD)
            part, has_more = await self._ask(subject, after, min(limit - len(found), MESSAGES_A_REQUEST), room, since)
            if part:
                found += part
                after, since, tries = part[-1].seq, None, 0
                size += sum(len(message.payload) for message in part)
            elif since is not None:
                break
            if not has_more and len(found) < limit:
                if await self._leader_has_no_more(subject, after):
                    break
                tries += 1
                if tries > TRIES:
                    raise UnavailableError("a server of the log is behind the others: try again in a moment")
                await asyncio.sleep(WAIT_SECONDS)
        return found

    async def pick(self, seqs: Sequence[int]) -> list[Message]:
        """Return the messages with these seqs, as far as they exist. Raises `UnavailableError`."""
        found: list[Message] = []
        for at in range(0, len(seqs), PICKED_AT_ONCE):
            part = await asyncio.gather(*(self._one(seq) for seq in seqs[at : at + PICKED_AT_ONCE]))
            found += [message for message in part if message is not None]
        return found

    async def _one(self, seq: int) -> Message | None:
        part = await self.scan(f"{self._connection.options.stream}.>", seq - 1, 1)
        return part[0] if part and part[0].seq == seq else None

    async def _leader_has_no_more(self, subject: str, after: int) -> bool:
        try:
            return await self._connection.next(subject, after) is None
        except RefusalError as refusal:
            raise UnavailableError(f"the log can't be read: {refusal}") from None

    async def _ask(
        self, subject: str, after: int, count: int, room: int, since: str | None
    ) -> tuple[list[Message], bool]:
        """Return what one replica has, and whether it has more."""
        where: dict[str, Any] = {"start_time": since} if since else {"seq": after + 1}
        body = json.dumps({**where, "next_by_subj": subject, "batch": count, "max_bytes": room}).encode()
        client = await self._connection.client()
        inbox = client.new_inbox()
        part: list[Message] = []
        try:
            replies = await client.subscribe(inbox)
            try:
                await client.publish(f"$JS.API.DIRECT.GET.{self._connection.options.stream}", body, reply=inbox)
                while True:
                    reply = await replies.next_msg(timeout=ANSWER_SECONDS)
                    headers: Mapping[str, str] = reply.headers or {}
                    if (status := headers.get("Status")) is not None:
                        return part, status == "204" and headers.get("Nats-Num-Pending", "0") != "0"
                    # A reply may be lost on its way; the server tells which one it sent before this one.
                    if part and headers.get("Nats-Last-Sequence") != str(part[-1].seq):
                        return part, True
                    part.append(_message(headers, reply.data))
            finally:
                await replies.unsubscribe()
        except (TimeoutError, OSError, nats.errors.Error) as error:
            if part:
                return part, True
            raise UnavailableError(f"the log's servers don't answer: {str(error) or type(error).__name__}") from error


def _message(headers: Mapping[str, str], payload: bytes) -> Message:
    return Message(int(headers["Nats-Sequence"]), headers["Nats-Subject"], payload, headers.get("Nats-Batch-Id", ""))
