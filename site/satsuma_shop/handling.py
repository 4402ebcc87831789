"""How a handler becomes an endpoint, and what handlers share."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .rendering import Renderer
from .users import Users
from .visit import Visit


class Pages(Protocol):
    """A group of pages."""

    users: Users
    render: Renderer


type Handler = Callable[[Any, Request, Visit], Awaitable[Response]]
type Endpoint = Callable[[Any, Request], Awaitable[Response]]


def visited(handler: Handler) -> Endpoint:
    """Give a handler the visit that its request belongs to."""

    @functools.wraps(handler)
    async def endpoint(pages: Pages, request: Request) -> Response:
        return await handler(pages, request, Visit(request, pages.users))

    return endpoint


def go(where: str) -> Response:
    """Send a visitor on, as after a form."""
    return RedirectResponse(where, status_code=303)
