"""The cursors of followers, which are messages of the second stream."""

from __future__ import annotations

import base64

from .connection import Connection


async def read_cursors(connection: Connection) -> dict[str, int]:
    """Return the cursors of all followers, by their names.

    Raises:
        UnavailableError: the servers don't answer.
        RefusalError: they can't tell now.
    """
    subjects = connection.subjects
    name = subjects.state_stream
    info = await connection.ask(f"STREAM.INFO.{name}", {"subjects_filter": subjects.state("*")})
    found = {}
    for subject in info["state"].get("subjects") or ():
        follower = subjects.follower_of(subject)
        if follower is not None and (newest := await connection.newest(subject, name)):
            found[follower] = int(base64.b64decode(newest["data"]))
    return found
