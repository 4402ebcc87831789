"""An app that runs Pyodide already: the README's lines, with the real micropip, in an interpreter that isn't ours."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector, plain_pyodide, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

README = Path(__file__).parents[2] / "README.md"
PAGE = """<!doctype html><title>An app of Python</title><link rel="icon" href="data:,">
%s
<script>
window.app = (async () => {
  const { pyodide } = await startPyodide();
  pyodide.unpackArchive(await (await fetch("/micropip.zip")).arrayBuffer(), "zip", { extractDir: "/lib/app" });
  pyodide.runPython("import sys; sys.path.insert(0, '/lib/app')");
  window.pyodide = pyodide;
})();
</script>"""


@pytest.fixture
def site(collector: Collector, tmp_path: Path) -> Iterator[str]:
    """A page that boots Pyodide by itself and has micropip at hand."""
    bundle = tmp_path / "micropip.zip"
    with zipfile.ZipFile(bundle, "w") as packed:
        for name in ("micropip", "packaging"):
            for file in distribution(name).files or ():
                if file.suffix != ".pyc" and ".." not in file.parts:
                    packed.write(str(file.locate()), str(file))
    html = PAGE % plain_pyodide(collector.url)

    async def page(request: Request) -> Response:
        return HTMLResponse(html)

    async def micropip(request: Request) -> Response:
        return FileResponse(bundle)

    with serving(Starlette(routes=[Route("/", page), Route("/micropip.zip", micropip)])) as url:
        yield url


def test_the_readmes_lines_run_in_an_app_of_pyodide(
    visitor: Visitor, collector: Collector, stored: Callable[..., dict[str, Any]]
) -> None:
    (code,) = re.findall(r"```python\n(import micropip.*?)```", README.read_text(), re.S)
    visitor.page.goto(visitor.base_url)
    visitor.evaluate("async () => { await window.app; }")
    visitor.evaluate(
        "(code) => pyodide.runPythonAsync(code).then(() => null)",
        code.replace("https://collector.example", collector.url),
    )
    opened = stored("track", "Notebook Opened")
    assert opened["properties"] == {"cells": 12}
    assert opened["userId"] == visitor.identity.user_id == "97980cfea0067"
    assert opened["anonymousId"] == visitor.identity.anonymous_id
    assert stored("identify")["traits"] == {"plan": "premium"}
