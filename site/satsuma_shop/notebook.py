"""A notebook with one cell: an app that runs Pyodide already, and needs neither snippet nor second interpreter."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from importlib.metadata import distribution

from markupsafe import Markup
from satsuma import __version__ as sdk_version
from satsuma_server import plain_pyodide
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from .pages import HERE

CELL = """import micropip

await micropip.install("{collector}/analytics.js/satsuma-{version}-py3-none-any.whl")

from satsuma.platforms.browser import load

analytics = load("{write_key}", "{collector}")
context = await analytics.track("Notebook Opened", {{"cells": 1}})
print("stored:", context.delivered)
print("you are", analytics.user().id() or analytics.user().anonymous_id())
"""
INSTALLER = ("micropip", "packaging")
"""What installs wheels in an interpreter: Pyodide's npm package leaves it out."""


class Notebook:
    """The notebook's page and what it loads."""

    def __init__(self, collector_url: str, write_key: str) -> None:
        self._collector = collector_url
        self._write_key = write_key
        self._templates = Jinja2Templates(HERE / "templates")

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [Route("/notebook", self._page), Route("/notebook/micropip.zip", self._installer)]

    async def _page(self, request: Request) -> Response:
        cell = CELL.format(collector=self._collector, version=sdk_version, write_key=self._write_key)
        pyodide = Markup(plain_pyodide(self._collector))  # noqa: S704 (our own script)
        return self._templates.TemplateResponse(request, "notebook.html", {"cell": cell, "pyodide": pyodide})

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
