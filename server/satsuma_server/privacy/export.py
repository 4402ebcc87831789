"""Exports everything that is known about a person, for ``GET /v1/people/{id_type}:{id}/export``."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from typing import IO, Any

import msgspec
from starlette.responses import Response, StreamingResponse

from satsuma_server.http.responses import NDJSON, UNCACHED
from satsuma_server.identity.identifiers import Key
from satsuma_server.profiles import Profile, ProfileReader
from satsuma_server.profiles.api import serializers

FORMS = ("ndjson", "zip")
EVENTS_A_PAGE = 500
PIECE_BYTES = 256 << 10
SPOOL_BYTES = 4 << 20
"""The most bytes of an archive in memory. Larger ones are in a temporary file without a name."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The content of an export: a whole profile, or its part that belongs to some identifiers."""

    reader: ProfileReader
    profile: Profile
    only: Collection[Key] | None


async def export_person(person: Exported, key: Key, form: str) -> Response:
    """Return one person's profile, merges and events, as NDJSON or as a zip of JSON files."""
    name = "".join(sign if sign.isalnum() and sign.isascii() else "-" for sign in str(key))[:60]
    headers = {**UNCACHED, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    if form == "ndjson":
        return StreamingResponse(_lines(person), media_type=NDJSON, headers=headers)
    return StreamingResponse(await _zip(person), media_type="application/zip", headers=headers)


async def _records(person: Exported) -> AsyncIterator[tuple[str, Any]]:
    reader, profile = person.reader, person.profile
    yield "profile", serializers.whole(profile)
    for link in await reader.links(profile.number, person.only):
        yield "merge", serializers.link(link)
    cursor = ""
    while True:
        page = await reader.timeline(profile.number, EVENTS_A_PAGE, cursor, person.only)
        for moment in page.items:
            if moment.event is not None:
                yield "event", {**moment.event, "seq": moment.seq}
        cursor = page.next
        if not cursor:
            return


async def _lines(person: Exported) -> AsyncIterator[bytes]:
    async for kind, record in _records(person):
        yield msgspec.json.encode({"kind": kind, kind: record}) + b"\n"


async def _zip(person: Exported) -> Iterator[bytes]:
    spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115
    with zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryFile() as events:
        merges = []
        async for kind, record in _records(person):
            if kind == "profile":
                archive.writestr("profile.json", msgspec.json.format(msgspec.json.encode(record), indent=2))
            elif kind == "merge":
                merges.append(record)
            else:
                events.write(msgspec.json.encode(record) + b"\n")
        archive.writestr("merges.json", msgspec.json.format(msgspec.json.encode(merges), indent=2))
        events.seek(0)
        with archive.open("events.ndjson", "w") as target:
            for piece in _pieces(events):
                target.write(piece)
    spool.seek(0)
    return _pieces(spool)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece
