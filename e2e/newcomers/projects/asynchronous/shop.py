"""A shop with RudderStack's library from npm. Its data plane is configured."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler
from pathlib import Path

MODULE = Path(os.environ["SATSUMA_LIBRARIES"]) / (
    "node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs"
)

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Lime Market</title>
<link rel="icon" href="data:,">
<script type="module">
  import {RudderAnalytics} from "/vendor/rudder.mjs";
  window.rudderanalytics = new RudderAnalytics();
  rudderanalytics.load("limes", "%s", {configUrl: location.origin});
  rudderanalytics.page();
</script>
<h1>Lime Market</h1>
<button onclick="rudderanalytics.identify('user-7', {plan: 'lime'});
  rudderanalytics.track('Signed Up', {plan: 'lime'})">
Sign up</button>
<button onclick="rudderanalytics.reset({entries: {anonymousId: true}})">Log out</button></html>"""

CONFIG = {
    "source": {
        "id": "source",
        "name": "Limes",
        "writeKey": "limes",
        "enabled": True,
        "workspaceId": "workspace",
        "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
        "connections": [],
        "destinations": [],
        "dataplanes": {},
    },
    "updatedAt": "2026-01-01T00:00:00.000Z",
}


class Shop(BaseHTTPRequestHandler):
    """Answers the shop's visitors."""

    data_plane = ""

    def do_GET(self) -> None:
        if self.path == "/vendor/rudder.mjs":
            self._answer(MODULE.read_bytes(), "text/javascript")
        elif self.path.startswith("/sourceConfig"):
            self._answer(json.dumps(CONFIG).encode(), "application/json")
        else:
            self._answer((PAGE % self.data_plane).encode(), "text/html")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass
