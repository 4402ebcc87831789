"""A notebook with one cell. It is an app that runs Pyodide itself, and needs neither snippet nor a second
interpreter."""

from __future__ import annotations

import io
import re
import zipfile
from functools import cache
from importlib.metadata import distribution

from markupsafe import Markup
from satsuma import __version__ as sdk_version
from satsuma_server import plain_pyodide
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .rendering import Renderer
from .safety import policy

CELL = """import micropip

await micropip.install("{collector}/analytics.js/satsuma-{version}-py3-none-any.whl")

from satsuma.platforms.browser import load

analytics = load("{write_key}", "{collector}")
context = await analytics.track("Notebook Opened", {{"cells": 1}})
print("stored:", context.delivered)
print("you are", analytics.user().id() or analytics.user().anonymous_id())
"""
INLINE = re.compile(r"<script>(.*?)</script>", re.S)
INSTALLER = ("micropip", "packaging")
"""Packages that are needed to install wheels. Pyodide's npm package doesn't have them."""


class Notebook:
    """The notebook's page, and the files that it loads."""

    def __init__(self, render: Renderer, collector_url: str, write_key: str) -> None:
        self._render = render
        self._collector = collector_url
        self._write_key = write_key

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [Route("/notebook", self._page), Route("/notebook/micropip.zip", self._installer)]

    async def _page(self, request: Request) -> Response:
        cell = CELL.format(collector=self._collector, version=sdk_version, write_key=self._write_key)
        pyodide = plain_pyodide(self._collector)
        context = {"cell": cell, "pyodide": Markup(pyodide)}  # noqa: S704 (our own script)
        allowed = policy(scripts=INLINE.findall(pyodide), hosts=[self._collector])
        return self._render.page(request, "notebook.html", context, allowed)

    async def _installer(self, request: Request) -> Response:
        return Response(_packed(), media_type="application/zip")


@cache
def _packed() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in INSTALLER:
            for file in distribution(name).files or ():
                if file.suffix != ".pyc" and ".." not in file.parts:
                    packed.write(str(file.locate()), str(file))
    return content.getvalue()
