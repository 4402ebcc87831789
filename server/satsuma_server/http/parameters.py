"""Values in a request's query, read within bounds."""

from __future__ import annotations

from starlette.requests import Request

from satsuma_server.errors import BadRequestError


def number(request: Request, name: str, default: int, most: int) -> int:
    """Return a number of the query, at most `most`. Raises `BadRequestError` where it is none."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadRequestError(f"is not a whole number: {text[:50]!r}", path=f"?{name}")
    return min(int(text), most)
