"""Where Python lives in the pages of a site, by the option ``--python`` of the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE, WORKER, SERVICE = "page", "worker", "service"
LOAD_OPTIONS: dict[str, dict[str, Any]] = {PAGE: {}, WORKER: {"worker": True}, SERVICE: {"python": "service"}}
"""What a page's load options say of it."""

SERVICE_FILE = "/satsuma-service.js"
LINE = 'importScripts("{collector}/analytics.js/v1/{write_key}/service.js");'
"""What the file of a site holds that has Python in its service worker."""


def with_service_worker(
    site: ASGIApp, collector: str, write_key: str, version: Callable[[], int] = lambda: 0
) -> ASGIApp:
    """Return a site that also serves the file of its service worker, which is another one with each `version`."""
    line = LINE.format(collector=collector, write_key=write_key)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == SERVICE_FILE:
            await Response(f"{line} // {version()}", media_type="text/javascript")(scope, receive, send)
        else:
            await site(scope, receive, send)

    return serve
