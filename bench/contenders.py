"""The pages that the browser benchmarks visit: Satsuma, a plain Pyodide with the same SDK, and analytics-next."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from satsuma_server import plain_pyodide, snippet
from satsuma_server.assets.routes import source_settings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

OURS, EARLY, IN_WORKER, IN_SERVICE = "satsuma", "satsuma, early", "satsuma in a worker", "satsuma in a service worker"
NAIVE, REFERENCE, BARE = "naive Pyodide", "analytics-next", "no analytics"

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bench</title>
<link rel="icon" href="data:,">{head}</head><body><h1>bench</h1></body></html>"""

PLAIN_BOOT = """<script>(async () => {
  const { pyodide, folder } = await startPyodide();
  const wheel = await (await fetch(folder + "satsuma.zip")).arrayBuffer();
  pyodide.unpackArchive(wheel, "zip", { extractDir: "/lib/satsuma" });
  pyodide.globals.set("collector", COLLECTOR);
  await pyodide.runPythonAsync(`
import sys; sys.path.insert(0, "/lib/satsuma")
from satsuma.platforms.browser import load
await load("bench", collector).page()`);
})();</script>"""

SERVICE = """
const post = self.fetch, told = new BroadcastChannel("bench");
self.fetch = function (input, init) {
    if (init && init.method && init.method.toLowerCase() === "post")
        told.postMessage(performance.timeOrigin + performance.now());
    return post.apply(this, arguments);
};
importScripts("COLLECTOR/analytics.js/v1/bench/service.js");"""
"""The site's line for `python: "service"`, and before it what tells the pages when an event was handed to fetch."""

REFERENCE_BOOT = """<script>
!(function () {
  var analytics = (window.analytics = window.analytics || []);
  analytics.invoked = true;
  analytics.methods = ["track", "identify", "page", "ready"];
  analytics.methods.forEach(function (method) {
    analytics[method] = function () { analytics.push([method].concat([].slice.call(arguments))); return analytics; };
  });
  analytics._writeKey = "bench";
  analytics._cdn = location.origin;
  var script = document.createElement("script");
  script.async = true;
  script.src = "/analytics.js/v1/bench/analytics.min.js";
  document.head.appendChild(script);
  analytics.page();
})();</script>"""


def address(url: str, name: str) -> str:
    """Return where a contender's page is, on the site at `url`."""
    return f"{url}/?of={quote(name)}"


def site(collector: str, first: str = "") -> Starlette:
    """Return the site with each contender's page at its name, and analytics-next's CDN.

    Args:
        collector: origin of the collector that all of them post to.
        first: HTML that each page begins its head with.
    """
    heads: Mapping[str, Callable[[], str]] = {
        OURS: lambda: f"<script>{snippet('bench', collector, hints=True)}</script>",
        EARLY: lambda: f"<script>{snippet('bench', collector, options={'early': True}, hints=True)}</script>",
        IN_WORKER: lambda: f"<script>{snippet('bench', collector, options={'worker': True}, hints=True)}</script>",
        IN_SERVICE: lambda: (
            f"<script>{snippet('bench', collector, options={'python': 'service'}, hints=True)}</script>"
        ),
        NAIVE: lambda: plain_pyodide(collector) + PLAIN_BOOT.replace("COLLECTOR", json.dumps(collector)),
        REFERENCE: lambda: REFERENCE_BOOT,
        BARE: str,
    }
    protocol, host = collector.split("://")
    library = Path(os.environ["SATSUMA_LIBRARIES"]) / "node_modules/@segment/analytics-next/dist/umd/standalone.js"

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE.format(head=first + heads[request.query_params["of"]]()))

    async def service(request: Request) -> Response:
        return Response(SERVICE.replace("COLLECTOR", collector), media_type="text/javascript")

    async def script(request: Request) -> Response:
        return FileResponse(library, media_type="text/javascript", headers={"Cache-Control": "public, max-age=300"})

    async def settings(request: Request) -> Response:
        told = source_settings(request.path_params["write_key"], protocol, host)
        return JSONResponse(told, headers={"Cache-Control": "public, max-age=300"})

    routes = [
        Route("/", page),
        Route("/satsuma-service.js", service),
        Route("/analytics.js/v1/{write_key}/analytics.min.js", script),
        Route("/v1/projects/{write_key}/settings", settings),
    ]
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])
