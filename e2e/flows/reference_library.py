"""Segment's own library in a page of its own: what ours is compared with, and what the collector must get along with.

The snippet is the one of npm's ``@segment/snippet``, the library that of ``@segment/analytics-next``; both come
unchanged from the folder that ``SATSUMA_LIBRARIES`` names, and a small CDN here stands for Segment's.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from satsuma_server.assets.routes import source_settings
from satsuma_server.testing import serving
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

WRITE_KEY = "reference"

RENDER = """
const [options] = process.argv.slice(1);
process.stdout.write(require("@segment/snippet").min(JSON.parse(options)));
"""

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="data:,">
<script>{snippet}</script></head><body>{body}</body></html>"""


def libraries() -> Path:
    """Return the folder of Segment's packages.

    Raises:
        RuntimeError: they weren't fetched.
    """
    try:
        return Path(os.environ["SATSUMA_LIBRARIES"]) / "node_modules"
    except KeyError:
        raise RuntimeError("SATSUMA_LIBRARIES names no folder: run the tests with ./dev test") from None


def stock_snippet(cdn: str, write_key: str = WRITE_KEY, load: Mapping[str, Any] | bool | None = None) -> str:
    """Return Segment's snippet with its CDN at the origin `cdn`; it loads with `load` as options and calls page().

    With False as `load`, it leaves the loading to the page.

    The snippet knows only https; where a test's CDN has none, that one word is replaced, and the library is told of its
    CDN as the snippet itself does for a CDN of one's own, since it recognises only https in its script's address.
    """
    host = cdn.partition("://")[2]
    options = {
        "apiKey": write_key,
        "host": host,
        "load": load is not False and (load or True),
        "useHostForBundles": True,
    }
    return _render(json.dumps(options, default=dict)).replace(f"https://{host}", cdn)


def stock_page(cdn: str, *, load: Mapping[str, Any] | None = None, body: str = "", title: str = "Stock page") -> str:
    """Return the HTML of a page with Segment's snippet in its head."""
    return PAGE.format(snippet=stock_snippet(cdn, load=load), body=body, title=title)


def stock_site(html: str) -> Starlette:
    """Return a site that has the same page at every path."""

    async def page(request: Request) -> Response:
        return HTMLResponse(html)

    return Starlette(routes=[Route("/{path:path}", page)])


@contextmanager
def reference_cdn(collector_url: str, **segment: Any) -> Iterator[str]:
    """Serve Segment's library, with a collector to post to; give the CDN's origin.

    Args:
        collector_url: the collector's origin.
        segment: more settings of the library's own destination, as ``deliveryStrategy={"strategy": "batching"}``.
    """
    with serving(_cdn(collector_url, segment)) as url:
        yield url


def _cdn(collector_url: str, segment: Mapping[str, Any]) -> ASGIApp:
    umd = libraries() / "@segment" / "analytics-next" / "dist" / "umd"
    protocol, host = collector_url.split("://")

    async def library(request: Request) -> Response:
        return FileResponse(umd / "standalone.js", media_type="text/javascript")

    async def settings(request: Request) -> Response:
        # What the collector tells our own library, so that the two can't come to differ.
        told = source_settings(request.path_params["write_key"], protocol, host)
        told["integrations"]["Segment.io"] |= segment
        return JSONResponse(told)

    routes = [
        Route("/analytics.js/v1/{write_key}/analytics.min.js", library),
        Route("/v1/projects/{write_key}/settings", settings),
        Mount("/analytics-next/bundles", StaticFiles(directory=umd)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(CORSMiddleware, allow_origins=["*"])])


@cache
def _render(options: str) -> str:
    command = ["node", "-e", RENDER, options]
    paths = {**os.environ, "NODE_PATH": str(libraries())}
    return subprocess.run(command, env=paths, capture_output=True, text=True, check=True).stdout
