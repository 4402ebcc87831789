"""Deletes, suppresses and exports everything that is known about a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from starlette.requests import Request

from satsuma_server.errors import BadRequestError
from satsuma_server.identity.reach import Reach

RESOLVE, FORGET = "/internal/people/resolve", "/internal/people/forget"
"""Internal routes of the second process, which only the collector can reach."""


def reach_in(request: Request) -> Reach:
    """Return which links a request wants to be followed. Raises `BadRequestError` for an unknown value."""
    asked = request.query_params.get("links", Reach.VERIFIED)
    if asked not in [*Reach]:
        raise BadRequestError(f"is none of {', '.join(Reach)}", path="?links")
    return Reach(asked)


class Forgetful(Protocol):
    """Other projections that have to forget people, such as the warehouse."""

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        """Delete a person's rows, also from the files on disk, and return how many there were.

        Args:
            user_ids, anonymous_ids: the person's.
            source: where each source has people of its own, the write key of the person's source; otherwise empty.
        """
        ...
