"""What is done with everything that is known of one person: deleted, kept away, handed over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from starlette.requests import Request

from satsuma_server.errors import BadRequestError
from satsuma_server.identity.reach import Reach

RESOLVE, FORGET = "/internal/people/resolve", "/internal/people/forget"
"""What the collector asks its worker, on the socket that is for it alone."""


def reach_in(request: Request) -> Reach:
    """Return which links a request wants to be followed. Raises `BadRequestError` where it says something else."""
    asked = request.query_params.get("links", Reach.VERIFIED)
    if asked not in [*Reach]:
        raise BadRequestError(f"is none of {', '.join(Reach)}", path="?links")
    return Reach(asked)


class Forgetful(Protocol):
    """Whatever else the worker builds from the log and has to forget people, as the warehouse."""

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str]) -> int:
        """Delete a person's rows, from the files too, and return how many there were."""
        ...
