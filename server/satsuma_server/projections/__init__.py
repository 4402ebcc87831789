"""The collector's second process: everything that is built from the log, so that none of it slows taking events in.

The collector starts it, watches it, and passes requests on to it through a socket in a folder of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import BaseRoute


class Projection(Protocol):
    """One thing that is built from the log."""

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes that it answers, from the collector's root on."""
        ...

    async def start(self) -> None:
        """Begin to follow the log."""
        ...

    async def stop(self) -> None:
        """Stop, with everything kept."""
        ...
