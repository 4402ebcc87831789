"""Pyodide as npm has it, from the oldest that is supported to the newest; an older one is refused with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import libraries
from pytest_satsuma import Visitor
from satsuma import __version__
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

pytestmark = pytest.mark.timeout(300)

Stored = Callable[..., dict[str, Any]]

BOOT = """
const {{ loadPyodide }} = await import("/pyodide/pyodide.mjs");
const python = await loadPyodide();
const sdk = await (await fetch("{wheel}")).arrayBuffer();
python.unpackArchive(sdk, "zip", {{ extractDir: "/lib/sdk" }});
python.runPython("import sys; sys.path.insert(0, '/lib/sdk')");
const told = await python.runPythonAsync({code});
"""

CODE = """
import json
from satsuma.errors import BootError

try:
    from satsuma.platforms.browser import load
except BootError as error:
    told = {{"refused": str(error)}}
else:
    analytics = load("hosted", "{collector}")
    context = await analytics.identify("u1", {{"plan": "pro", "empty": None, "tags": [1, 2.5, True]}})
    seen, user = analytics.user().anonymous_id(), analytics.user().id()
    if {in_worker}:
        seen, user = await seen, await user
    await analytics.track("Hosted", {{"seen": seen, "nothing": None}})
    told = {{"seen": seen, "user": user, "event": context.event["traits"]}}
json.dumps(told)
"""

PAGE = """<!doctype html><meta charset="utf-8"><title>Host</title><link rel="icon" href="data:,">{scripts}
<script type="module">{body}</script>"""

IN_THE_PAGE = "{boot} document.title = 'up'; window.told = told;"
IN_A_WORKER = """
new Worker("/worker.js", {{ type: "module" }}).onmessage = ({{ data }}) => {{ window.told = data; }};
"""


@pytest.fixture
def version() -> str:
    """Name of the package that has Pyodide."""
    return "pyodide"


@pytest.fixture(params=["page", "worker"])
def site(request: pytest.FixtureRequest, collector: Collector, version: str) -> Iterator[str]:
    """A page that runs Python itself, or in a worker."""
    in_worker = request.param == "worker"
    wheel = f"{collector.url}/analytics.js/satsuma-{__version__}-py3-none-any.whl"
    code = CODE.format(collector=collector.url, in_worker=in_worker)
    boot = BOOT.format(wheel=wheel, code=json.dumps(code))
    channel = f'<script src="{collector.url}/analytics.js/python-workers.js"></script>'
    scripts = f"<script>{snippet('hosted', collector.url)}</script>{channel}" if in_worker else ""
    body = IN_A_WORKER.format() if in_worker else IN_THE_PAGE.format(boot=boot)
    page = HTMLResponse(PAGE.format(scripts=scripts, body=body))
    worker = Response(f"{boot} postMessage(told);", media_type="text/javascript")
    files = Mount("/pyodide", StaticFiles(directory=libraries() / version))
    routes = [Route("/worker.js", lambda request: worker), files, Route("/", lambda request: page)]
    with serving(Starlette(routes=routes)) as url:
        yield url


def told_by(visitor: Visitor) -> dict[str, Any]:
    """Return what Python tells. A whole Pyodide takes long on a busy machine."""
    visitor.page.goto(visitor.base_url)
    visitor.until(lambda: visitor.evaluate("() => window.told"), "Python to tell", 150)
    told: dict[str, Any] = json.loads(visitor.evaluate("() => window.told"))
    return told


@pytest.mark.parametrize("version", ["pyodide-0.28", "pyodide", "pyodide-314", "pyodide-newest"])
def test_each_supported_version_tells_of_the_pages_visitor(visitor: Visitor, stored: Stored) -> None:
    told = told_by(visitor)
    assert told["event"] == {"plan": "pro", "empty": None, "tags": [1, 2.5, True]}
    hosted = stored("track", "Hosted")
    assert hosted["properties"] == {"seen": visitor.identity.anonymous_id, "nothing": None}
    assert hosted["userId"] == told["user"] == visitor.identity.user_id == "u1"
    assert stored("identify")["traits"] == told["event"]


@pytest.mark.parametrize("version", ["pyodide-0.27"])
def test_an_older_version_is_refused_with_what_to_do(visitor: Visitor, collector: Collector) -> None:
    told = told_by(visitor)
    assert "needs Pyodide 0.28 or newer" in told["refused"]
    assert [event for event in collector.events() if event["type"] != "page"] == []
