"""Looks at a stream without changing anything, for those who want to know whether it keeps what the log promises."""

from __future__ import annotations

from typing import Any, NamedTuple

from .connection import Connection
from .options import NatsSettings


class StreamState(NamedTuple):
    """What the servers tell of the stream.

    Attributes:
        replicas: on how many servers each event is kept.
        behind: the servers among them that are away or behind the others.
        refuses: whether it refuses what is new when it is full, and doesn't remove what is old.
        on_disk: whether it is kept in files.
        is_atomic: whether it takes batches as a whole or not at all.
        filled: the part of its room that is taken; 0 where it has no bound.
    """

    replicas: int
    behind: list[str]
    refuses: bool
    on_disk: bool
    is_atomic: bool
    filled: float


async def look_at(url: str, options: NatsSettings) -> StreamState | None:
    """Return the state of the log's stream; None where no collector has made it yet.

    Raises:
        UnavailableError: the servers don't answer.
        SettingsError: the URL isn't one.
    """
    connection = Connection(url, options)
    try:
        info = await connection.stream_as_it_is()
    finally:
        await connection.close()
    return None if info is None else _state(info)


def _state(info: dict[str, Any]) -> StreamState:
    config, most = info["config"], info["config"]["max_bytes"]
    others = (info.get("cluster") or {}).get("replicas") or ()
    return StreamState(
        replicas=config["num_replicas"],
        behind=[one["name"] for one in others if one.get("offline") or not one.get("current")],
        refuses=config["discard"] == "new" and not config["max_age"],
        on_disk=config["storage"] == "file",
        is_atomic=bool(config.get("allow_atomic")),
        filled=info["state"]["bytes"] / most if most > 0 else 0.0,
    )
