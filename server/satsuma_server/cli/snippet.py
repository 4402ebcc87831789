"""``satsuma snippet``: what to paste into a page."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from satsuma_server.assets.snippet import snippet
from satsuma_server.errors import AssetsError

from .console import HERE, Url, WriteKey, fail


def print_snippet(
    url: Url = HERE,
    write_key: WriteKey = "demo",
    short: Annotated[bool, typer.Option("--short", help="A script element that loads it: one request more.")] = False,
    npm: Annotated[bool, typer.Option("--npm", help="The same for an app with a bundler, by npm's package.")] = False,
) -> None:
    """Print what to paste as high in <head> as you can."""
    if npm:
        settings = json.dumps({"writeKey": write_key, "cdnURL": url.rstrip("/")})
        print('// npm install @satsuma/analytics\nimport { AnalyticsBrowser } from "@satsuma/analytics";\n')
        print(f"export const analytics = AnalyticsBrowser.load({settings});\nanalytics.page();")
        return
    if short:
        print(f'<script src="{url.rstrip("/")}/analytics.js/snippet.js?writeKey={write_key}"></script>')
        return
    try:
        print(f"<script>\n{snippet(write_key, url)}</script>")
    except AssetsError as error:
        fail(str(error))
