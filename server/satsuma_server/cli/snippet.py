"""``satsuma snippet``: what to paste into a page."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from satsuma_server.assets.snippet import service_line, snippet
from satsuma_server.errors import AssetsError

from .console import HERE, Url, WriteKey, fail

SERVICE = {"python": "service"}
"""The load option with which Python lives in the site's service worker."""


def print_snippet(
    url: Url = HERE,
    write_key: WriteKey = "demo",
    short: Annotated[bool, typer.Option("--short", help="A script element that loads it: one request more.")] = False,
    npm: Annotated[bool, typer.Option("--npm", help="The same for an app with a bundler, by npm's package.")] = False,
    service: Annotated[
        bool, typer.Option("--service", help="With Python in the site's service worker, which needs --service-file.")
    ] = False,
    service_file: Annotated[
        bool, typer.Option("--service-file", help="What the site serves as /satsuma-service.js, and nothing else.")
    ] = False,
) -> None:
    """Print what to paste as high in <head> as you can."""
    if service_file:
        print(service_line(write_key, url))
        return
    options = SERVICE if service else {}
    if npm:
        _print_for_bundler(write_key, url, options)
        return
    if short:
        given = f" data-options='{json.dumps(options)}'" if options else ""
        print(f'<script src="{url.rstrip("/")}/analytics.js/snippet.js?writeKey={write_key}"{given}></script>')
        return
    try:
        print(f"<script>\n{snippet(write_key, url, options=options)}</script>")
    except AssetsError as error:
        fail(str(error))


def _print_for_bundler(write_key: str, url: str, options: dict[str, str]) -> None:
    settings = json.dumps({"writeKey": write_key, "cdnURL": url.rstrip("/")})
    given = f", {json.dumps(options)}" if options else ""
    print('// npm install @satsuma/analytics\nimport { AnalyticsBrowser } from "@satsuma/analytics";\n')
    print(f"export const analytics = AnalyticsBrowser.load({settings}{given});\nanalytics.page();")
