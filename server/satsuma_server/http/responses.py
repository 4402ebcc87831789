"""Answers of the tracking API. Stock clients read the status; people and tests read the body."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from satsuma_server.errors import BadRequestError, CollectorError, EncodingError, MethodError

SUCCESS = Response(b'{"success":true}', media_type="application/json")
"""The answer without faults. It is created once, because it is always the same."""

ENCODINGS = "gzip, deflate"
"""How bodies may be compressed."""

Fault = dict[str, Any]

MOST_TOLD = 200
"""The most faults that one answer lists, and the most refused events of one request that are kept. A member of a batch
that is no event at all may have two bytes, and its fault takes a hundred in the answer."""


class Faults:
    """What is wrong with the events of one request.

    Attributes:
        told: the first faults.
        count: how many faults there are in all.
    """

    __slots__ = ("count", "told")

    def __init__(self) -> None:
        self.told: list[Fault] = []
        self.count = 0

    @property
    def besides(self) -> int:
        """How many faults there are in addition to those in `told`."""
        return self.count - len(self.told)

    def add(self, index: int, path: str, reason: str) -> bool:
        """Add a fault; return whether it is among the first, which are kept."""
        self.count += 1
        if len(self.told) >= MOST_TOLD:
            return False
        self.told.append({"index": index, "path": path, "reason": reason})
        return True


def partial_success(faults: Faults) -> Response:
    """Return the answer to a batch in which some events were refused.

    The status is 200, because stock clients send the whole batch again, or drop it, for any other status.
    """
    more = {"refusedBesides": faults.besides} if faults.besides else {}
    return JSONResponse({"success": True, "refused": faults.told, **more})


def error_response(error: CollectorError) -> JSONResponse:
    """Return the answer for an error."""
    detail: dict[str, Any] = {"message": str(error)}
    if isinstance(error, BadRequestError):
        detail |= {"path": error.path, "index": error.index}
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if isinstance(error, MethodError):
        headers["Allow"] = ", ".join(sorted(error.allowed))
    if isinstance(error, EncodingError):
        headers["Accept-Encoding"] = ENCODINGS
    return JSONResponse({"success": False, "error": detail}, error.status, headers)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorError)
    return error_response(error)


async def _tell(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"success": False, "error": {"message": error.detail}}, error.status_code, error.headers)


HANDLERS: dict[Any, Any] = {CollectorError: _refuse, HTTPException: _tell}
"""Exception handlers for Starlette, which answer every error in the API's form."""


NDJSON = "application/x-ndjson"


UNCACHED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
