"""Reads values from a request's query string, within bounds."""

from __future__ import annotations

from starlette.requests import Request

from satsuma_server.errors import BadRequestError
from satsuma_server.times import parse_time


def number(request: Request, name: str, default: int, most: int) -> int:
    """Return a whole number from the query, but at most `most`. Raises `BadRequestError` where it isn't a number."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadRequestError(f"is not a whole number: {text[:50]!r}", path=f"?{name}")
    return min(int(text), most)


def texts(request: Request, name: str) -> frozenset[str]:
    """Return all texts of a parameter, which may be given several times. Raises `BadRequestError` for an empty one."""
    found = frozenset(request.query_params.getlist(name))
    if "" in found:
        raise BadRequestError("is empty: give it a value, or leave it out", path=f"?{name}")
    return found


def time(request: Request, name: str) -> float | None:
    """Return a time of the query in milliseconds since 1970, None where it isn't there.

    Raises:
        BadRequestError: it is no time in ISO 8601.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    at = parse_time(text)
    if at is None:
        reason = f"is no time such as 2026-04-23T22:38:48Z, with + of a zone written as %2B: {text[:50]!r}"
        raise BadRequestError(reason, path=f"?{name}")
    return at
