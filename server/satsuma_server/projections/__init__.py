"""The collector's second process, the worker, which builds everything that is built from the log.

It is a process of its own so that it doesn't slow down the taking in of events. The collector starts it, restarts it
when it ends, and forwards requests to it through a socket in a private folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import BaseRoute


class Projection(Protocol):
    """Something that is built from the log, and can be built again: the warehouse, profiles, the console."""

    def routes(self) -> Sequence[BaseRoute]:
        """Return its routes, with paths from the collector's root."""
        ...

    async def start(self) -> None:
        """Begin to follow the log."""
        ...

    async def stop(self) -> None:
        """Stop, and keep everything that was built."""
        ...
