"""A shop as its owners run it: analytics-next from npm, posting to Segment. It knows nothing of tests."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler
from pathlib import Path

LIBRARY = Path(os.environ["SATSUMA_LIBRARIES"]) / "node_modules/@segment/analytics-next/dist/umd/index.js"

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Lemon Market</title>
<link rel="icon" href="data:,">
<script src="/vendor/analytics-next.js"></script>
<script>
  const analytics = AnalyticsNext.AnalyticsBrowser.load({
    writeKey: "lemons", cdnSettings: {integrations: {"Segment.io": {apiKey: "lemons"}}},
  });
  analytics.page();
  async function signUp() {
    await analytics.identify("user-42", {plan: "free"});
    await analytics.track("Signed Up", {plan: "free", seats: 3});
  }
</script>
<h1>Lemon Market</h1>
<button onclick="signUp()">Sign up</button>
<button onclick="analytics.track('Lemon Squeezed', {seeds: 'many'})">Squeeze</button>
<button onclick="analytics.reset()">Log out</button>
<a href="/lemons">Lemons</a></html>"""


class Shop(BaseHTTPRequestHandler):
    """Answers the shop's visitors."""

    def do_GET(self) -> None:
        script = self.path == "/vendor/analytics-next.js"
        body = LIBRARY.read_bytes() if script else PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass
