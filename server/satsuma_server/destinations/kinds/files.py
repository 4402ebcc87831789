"""Files of events, in a folder or in any storage that fsspec knows, such as S3.

https://filesystem-spec.readthedocs.io
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from satsuma_server.destinations import DeletedPerson, Fate, Links, Message, Outcome, Payload
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.errors import SettingsError
from satsuma_server.forwarding.services import FilesDestination
from satsuma_server.times import parse_time

from .fields import Event, milliseconds

MOST_MESSAGES = 1_000
ENDINGS = {"ndjson": ".ndjson.gz", "parquet": ".parquet"}

TEXTS = ("messageId", "type", "event", "name", "userId", "anonymousId", "groupId", "previousId", "writeKey")
TIMES = ("timestamp", "receivedAt")
JSONS = ("properties", "traits", "context")

SCHEMA = pa.schema(
    [
        ("seq", pa.int64()),
        *((name, pa.string()) for name in TEXTS),
        *((name, pa.timestamp("ms", tz="UTC")) for name in TIMES),
        *((name, pa.string()) for name in JSONS),
    ]
)
"""The columns of a Parquet file: the same ones in each, so that many can be read as one table."""


class Files:
    """Implements `DestinationClient`. Each request is one file.

    A file has the seq of its first and last event in its name, and a hash of its messageIds: the same events make the
    same file, which takes the place of the one before.
    """

    takes_claims = True

    def __init__(self, settings: FilesDestination) -> None:
        """Open the storage. Raises `SettingsError` where a secret, or the library for the storage, is missing."""
        self._secrets = Secrets()
        options = {name: self._secrets.read(value) for name, value in settings.options.items()}
        try:
            self._storage, self._root = fsspec.core.url_to_fs(settings.path, **options)
        except (ImportError, ValueError, TypeError) as error:
            raise SettingsError(self._secrets.hide(f"{settings.path} can't be written: {error}")[:300]) from None
        self._format = settings.format
        self._seconds = settings.timeout_seconds
        self.most_messages, self.most_bytes = MOST_MESSAGES, 1 << 62

    def translate(self, event: Event, links: Links) -> Sequence[Payload]:
        return (Payload(event),)

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return ()

    async def send(self, messages: Sequence[Message]) -> Outcome:
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.to_thread(self._write, messages)
        except TimeoutError:
            return Outcome(Fate.LATER, f"it took more than {self._seconds:g} s")
        except Exception as error:
            return Outcome(Fate.LATER, self._secrets.hide(f"{type(error).__name__}: {error}")[:300])
        return Outcome(Fate.DELIVERED)

    def preview(self, messages: Sequence[Message]) -> str:
        return f"{self._root}/{self._name(messages)}\n\n{_lines(messages).decode()}"

    async def close(self) -> None:
        """Do nothing: there is no connection that stays open."""

    def _write(self, messages: Sequence[Message]) -> None:
        content = _parquet(messages) if self._format == "parquet" else gzip.compress(_lines(messages), mtime=0)
        target = f"{self._root}/{self._name(messages)}"
        if isinstance(self._storage, LocalFileSystem):
            _write_durably(Path(target), content)
            return
        # Object storages show a file only when it is whole.
        self._storage.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._storage.pipe_file(target, content)

    def _name(self, messages: Sequence[Message]) -> str:
        first, last = messages[0], messages[-1]
        day = datetime.fromtimestamp(_received(first.payload.body) / 1000, UTC).date()
        keys = hashlib.sha256("\0".join(one.key for one in messages).encode("utf-8", "replace")).hexdigest()[:12]
        return f"date={day}/{first.seq:012}-{last.seq:012}-{keys}{ENDINGS[self._format]}"


def _received(event: Event) -> float:
    at = parse_time(event.get("receivedAt"))
    return milliseconds(event) if at is None else at


def _lines(messages: Sequence[Message]) -> bytes:
    return b"".join(msgspec.json.encode({**one.payload.body, "seq": one.seq}) + b"\n" for one in messages)


def _parquet(messages: Sequence[Message]) -> bytes:
    rows = [{"seq": one.seq, **_row(one.payload.body)} for one in messages]
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), target, compression="zstd")
    return target.getvalue()


def _row(event: Event) -> dict[str, Any]:
    row: dict[str, Any] = {name: _text(event.get(name)) for name in TEXTS}
    for name in TIMES:
        at = parse_time(event.get(name))
        row[name] = None if at is None else int(at)
    for name in JSONS:
        row[name] = None if event.get(name) is None else msgspec.json.encode(event[name]).decode()
    return row


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def _write_durably(target: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all, also after a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    passing = target.with_name(f".{target.name}.part")
    with passing.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    passing.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
