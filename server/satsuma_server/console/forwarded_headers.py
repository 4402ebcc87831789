"""Reads the headers in which the collector says how the browser reached it: host, path prefix, https and address.

They can be trusted: only the collector reaches this process, and it overwrites what a visitor wrote there.
"""

from __future__ import annotations

from starlette.requests import Request

from satsuma_server.settings import Settings

PREFIX = "/console"


def base_of(request: Request) -> str:
    """Return the path of the console. The collector may be mounted below another path."""
    return prefix_of(request) + PREFIX


def prefix_of(request: Request) -> str:
    """Return the path at which the collector is mounted; empty for the root."""
    return request.headers.get("x-forwarded-prefix", "")


def is_https(request: Request) -> bool:
    """Tell whether the browser used https."""
    return request.headers.get("x-forwarded-proto") == "https"


def url_of(request: Request, settings: Settings) -> str:
    """Return the URL at which browsers reach the collector, from the settings where they name it."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = settings.api_host or request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    return f"{'https' if is_https(request) else 'http'}://{host}{prefix_of(request)}"


def address_of(request: Request) -> str:
    """Return the visitor's IP address, as the collector determined it."""
    return request.headers.get("x-forwarded-for", "")
