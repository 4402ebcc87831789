"""Turns handlers into endpoints, and has what handlers share."""

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
    """Return an endpoint that calls the handler with the visit of the request."""

    @functools.wraps(handler)
    async def endpoint(pages: Pages, request: Request) -> Response:
        return await handler(pages, request, Visit(request, pages.users))

    return endpoint


def go(where: str) -> Response:
    """Return a redirect to another page, for example after a form."""
    return RedirectResponse(where, status_code=303)
