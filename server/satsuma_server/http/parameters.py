"""Reads values from a request's query string, within bounds."""

from __future__ import annotations

from starlette.requests import Request

from satsuma_server.errors import BadRequestError


def number(request: Request, name: str, default: int, most: int) -> int:
    """Return a whole number from the query, but at most `most`. Raises `BadRequestError` where it isn't a number."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadRequestError(f"is not a whole number: {text[:50]!r}", path=f"?{name}")
    return min(int(text), most)
