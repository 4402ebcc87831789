"""Copies the streams of a log on NATS to files and back, with all sequence numbers.

NATS makes a snapshot of a stream at one moment, while it takes messages, and sends it in pieces; nats-py has no call
for it. The protocol is that of NATS's own tools (ADR 1 and the subjects ``$JS.API.STREAM.SNAPSHOT`` and ``RESTORE``).
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client

from satsuma_server.errors import BackupError, UnavailableError

from .connection import NO_STREAM, Connection, RefusalError, ask
from .options import NatsSettings

PIECE_BYTES = 128 << 10
PIECE_SECONDS = 30
"""How long the servers may take for the next piece, or to take one."""

EVENTS, STATE = "events", "state"


async def save(url: str, options: NatsSettings, folder: Path) -> None:
    """Write a snapshot of both streams into a folder.

    Raises:
        UnavailableError: the servers don't answer.
        BackupError: they refuse to make it.
        OSError: the folder can't be written.
    """
    connection = Connection(url, options)
    client = await connection.open_client()
    try:
        # The state first: a secret in it never changes, and its cursors must not be ahead of the events.
        await _save(client, connection.subjects.state_stream, folder, STATE)
        await _save(client, options.stream, folder, EVENTS)
    except RefusalError as refusal:
        raise BackupError(f"the log's servers make no snapshot: {refusal}") from None
    finally:
        await client.close()


async def load(url: str, options: NatsSettings, folder: Path) -> None:
    """Make both streams from the snapshots in a folder.

    Raises:
        UnavailableError: the servers don't answer.
        BackupError: there is such a stream already, or they don't take the snapshots.
        OSError: the folder can't be read.
    """
    connection = Connection(url, options)
    client = await connection.open_client()
    try:
        names = {STATE: connection.subjects.state_stream, EVENTS: options.stream}
        for name in names.values():
            if await _is_there(client, name):
                raise BackupError(f"the servers have a stream {name} already: give nats.stream another name")
        for kind, name in names.items():
            await _load(client, name, folder, kind)
    except RefusalError as refusal:
        raise BackupError(f"the log's servers do not take the snapshot: {refusal}") from None
    finally:
        await client.close()


async def _save(client: Client, stream: str, folder: Path, kind: str) -> None:
    inbox = client.new_inbox()
    pieces = await client.subscribe(inbox)
    wanted = {"deliver_subject": inbox, "no_consumers": True, "chunk_size": PIECE_BYTES}
    head = await ask(client, f"$JS.API.STREAM.SNAPSHOT.{stream}", json.dumps(wanted).encode())
    with (folder / f"{kind}.snapshot").open("wb") as file:
        while True:
            try:
                piece = await pieces.next_msg(PIECE_SECONDS)
            except (TimeoutError, nats.errors.Error) as error:
                raise UnavailableError(f"the snapshot of {stream} broke off: {type(error).__name__}") from error
            if not piece.data:
                break
            file.write(piece.data)
            with contextlib.suppress(nats.errors.Error):
                await piece.respond(b"")  # They send more only where this is answered.
    if (status := (piece.headers or {}).get("Status", "204")) != "204":
        raise BackupError(f"the snapshot of {stream} broke off: {status} {(piece.headers or {}).get('Description')}")
    kept = {name: head[name] for name in ("config", "state")}
    (folder / f"{kind}.json").write_text(json.dumps(kept))


async def _load(client: Client, stream: str, folder: Path, kind: str) -> None:
    head: dict[str, Any] = json.loads((folder / f"{kind}.json").read_bytes())
    if head["config"]["name"] != stream:
        raise BackupError(f"the log's stream was {head['config']['name']}: set nats.stream as it was")
    answer = await ask(client, f"$JS.API.STREAM.RESTORE.{stream}", json.dumps(head).encode())
    with (folder / f"{kind}.snapshot").open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            await _send(client, answer["deliver_subject"], piece)
    await ask(client, answer["deliver_subject"], b"", seconds=10 * PIECE_SECONDS)


async def _send(client: Client, subject: str, piece: bytes) -> None:
    try:
        told = (await client.request(subject, piece, timeout=PIECE_SECONDS)).data
    except (TimeoutError, nats.errors.Error) as error:
        raise UnavailableError(f"the restoration broke off: {type(error).__name__}") from error
    if told:
        raise RefusalError(json.loads(told).get("error", {}))


async def _is_there(client: Client, stream: str) -> bool:
    try:
        await ask(client, f"$JS.API.STREAM.INFO.{stream}", b"")
    except RefusalError as refusal:
        if refusal.code != NO_STREAM:
            raise
        return False
    return True
