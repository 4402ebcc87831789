"""What the tracking API answers. Stock clients look at the status; people and tests at the body."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from satsuma_server.errors import BadRequestError, CollectorError, MethodError

SUCCESS = Response(b'{"success":true}', media_type="application/json")
"""Made once: an answer without a fault is always the same."""

Fault = dict[str, Any]

MOST_TOLD = 200
"""Faults that one answer lists, and refused events of one request that are kept. What is no event at all takes two
bytes in a batch, and a hundred in an answer."""


class Faults:
    """What is wrong with the events of one request.

    Attributes:
        told: the first ones.
        count: how many there are in all.
    """

    __slots__ = ("count", "told")

    def __init__(self) -> None:
        self.told: list[Fault] = []
        self.count = 0

    @property
    def besides(self) -> int:
        """How many there are beside those that are told."""
        return self.count - len(self.told)

    def add(self, index: int, path: str, reason: str) -> bool:
        """Add one; tell whether it is among the first."""
        self.count += 1
        if len(self.told) >= MOST_TOLD:
            return False
        self.told.append({"index": index, "path": path, "reason": reason})
        return True


def partial_success(faults: Faults) -> Response:
    """Return the answer to a batch of which some events were refused.

    The status stays 200, since stock clients send a whole batch again, or drop it, for anything else.
    """
    more = {"refusedBesides": faults.besides} if faults.besides else {}
    return JSONResponse({"success": True, "refused": faults.told, **more})


def error_response(error: CollectorError) -> JSONResponse:
    """Return the answer that tells of an error."""
    detail: dict[str, Any] = {"message": str(error)}
    if isinstance(error, BadRequestError):
        detail |= {"path": error.path, "index": error.index}
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if isinstance(error, MethodError):
        headers["Allow"] = ", ".join(sorted(error.allowed))
    return JSONResponse({"success": False, "error": detail}, error.status, headers)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorError)
    return error_response(error)


async def _tell(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"success": False, "error": {"message": error.detail}}, error.status_code, error.headers)


HANDLERS: dict[Any, Any] = {CollectorError: _refuse, HTTPException: _tell}
"""Starlette's exception handlers that answer errors as the API does."""


NDJSON = "application/x-ndjson"


UNCACHED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
