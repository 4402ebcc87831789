"""Looks at what servers tell at their monitoring ports alone: their version, and whether they sync in time."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from satsuma_server.errors import UnavailableError

OLDEST = (2, 12)
"""The first version of the servers that takes atomic batches."""

ANSWER_SECONDS = 10


class ServerState(NamedTuple):
    """What a server tells.

    Attributes:
        version: its version, as ``2.12.1``.
        syncs: whether it syncs to disk before it acknowledges.
    """

    version: str
    syncs: bool

    @property
    def is_new(self) -> bool:
        """Whether the version takes atomic batches."""
        return is_new(self.version)


def is_new(version: str) -> bool:
    """Tell whether a server's version takes atomic batches. Raises `ValueError` for a text that is no version."""
    return tuple(map(int, version.split(".")[:2])) >= OLDEST


def look_at_server(monitor: str) -> ServerState:
    """Return what a server tells at a monitoring address, as ``http://one:8222``.

    Raises:
        UnavailableError: there is no answer, or none of a NATS server.
    """
    try:
        told = httpx.get(f"{monitor.rstrip('/')}/varz", timeout=ANSWER_SECONDS).raise_for_status().json()
        config = (told.get("jetstream") or {}).get("config") or {}
        state = ServerState(str(told["version"]), config.get("sync_always") is True)
        is_new(state.version)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, AttributeError, TypeError) as error:
        raise UnavailableError(f"{monitor}: {error}") from error
    return state
