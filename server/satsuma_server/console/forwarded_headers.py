"""Where the console is, as browsers see it: the collector, which passes requests on, says so in their headers.

Nobody else reaches this process, and the collector overwrites what a visitor wrote there.
"""

from __future__ import annotations

from starlette.requests import Request

PREFIX = "/console"


def base_of(request: Request) -> str:
    """Return the console's path: the collector may be mounted below another."""
    return prefix_of(request) + PREFIX


def prefix_of(request: Request) -> str:
    """Return the path that the collector is mounted at; empty for the root."""
    return request.headers.get("x-forwarded-prefix", "")


def is_https(request: Request) -> bool:
    """Tell whether the browser came by https."""
    return request.headers.get("x-forwarded-proto") == "https"


def origin_of(request: Request, api_host: str | None = None) -> str:
    """Return the collector's origin; `api_host` is the host that the settings say browsers post to."""
    host = api_host or request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    return f"{'https' if is_https(request) else 'http'}://{host}"


def address_of(request: Request) -> str:
    """Return the visitor's address, as the collector tells it."""
    return request.headers.get("x-forwarded-for", "")
