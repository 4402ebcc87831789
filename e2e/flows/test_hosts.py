"""Apps that run Python in a worker: the analytics is that of the page which has made the worker."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_satsuma import Visitor
from satsuma import __version__
from satsuma_server import plain_pyodide, snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

Stored = Callable[..., dict[str, Any]]

WORKER = """
importScripts("{folder}pyodide.js");
const lockFileContents = {{ info: {info}, packages: {{}} }};
const given = {{ indexURL: "{folder}", lockFileContents, checkAPIVersion: false }};
const started = loadPyodide(given).then(async (python) => {{
  const sdk = await (await fetch("{wheel}")).arrayBuffer();
  python.unpackArchive(sdk, "zip", {{ extractDir: "/lib/sdk" }});
  python.runPython("import sys; sys.path.insert(0, '/lib/sdk')");
  return python;
}});
onmessage = async ({{ data: {{ id, code }} }}) => {{
  let told;
  try {{
    told = {{ value: await (await started).runPythonAsync(code) }};
  }} catch (error) {{
    told = {{ error: error.message }};
  }}
  postMessage({{ id, ...told }});
}};
"""

APP = """<script>
  const waiting = [];
  const strays = [];
  const worker = new Worker("/worker.js");
  worker.onmessage = ({ data }) => (data.id === undefined ? strays.push(data) : waiting[data.id](data));
  const run = (code) => new Promise((answer) => worker.postMessage({ id: waiting.push(answer) - 1, code }));
</script>"""

START = """
from satsuma.platforms.browser import load
analytics = load("{key}")
"""


def worker_script(collector: Collector) -> str:
    """Return the script of a worker that runs the Python that it is posted."""
    html = plain_pyodide(collector.url)
    (folder,) = re.findall(r'script src="(.*?)pyodide.js"', html)
    (info,) = re.findall(r"lockFileContents = \{ info: (.*?), packages", html)
    wheel = f"{collector.url}/analytics.js/satsuma-{__version__}-py3-none-any.whl"
    return WORKER.format(folder=folder, info=info, wheel=wheel)


def host(collector: Collector, *scripts: str) -> Starlette:
    """Return a site that has a page with a worker at ``/``, and these scripts in front of it."""

    async def page(request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>Host</title>" + "".join(scripts) + APP)

    async def worker(request: Request) -> Response:
        return Response(worker_script(collector), media_type="text/javascript")

    return Starlette(routes=[Route("/worker.js", worker), Route("/{path:path}", page)])


def scripts(collector: Collector, key: str = "hosted") -> tuple[str, str]:
    """Return the two scripts that a page needs."""
    channel = f'<script src="{collector.url}/analytics.js/python-workers.js"></script>'
    return f"<script>{snippet(key, collector.url)}</script>", channel


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    with serving(host(collector, *scripts(collector))) as url:
        yield url


def run(visitor: Visitor, code: str) -> Any:
    """Run Python in the worker of the visitor's page; return what it returns."""
    told = visitor.evaluate("(code) => run(code)", code)
    assert "error" not in told, told["error"]
    return told.get("value")


def test_a_worker_tells_of_its_pages_visitor(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    first = stored("page")["anonymousId"]
    told = run(
        visitor,
        START.format(key="hosted")
        + """
import json
before = await analytics.user().anonymous_id()
context = await analytics.identify("u1", {"plan": "pro", "tags": ["a"]})
heard = []
tracked = await analytics.track("Opened", {"cells": 12}, callback=heard.append)
user, group = analytics.user(), analytics.current_group
report = await analytics.flush()
json.dumps({
    "before": before, "id": await user.id(), "traits": await user.traits(), "group": await group.id(),
    "identified": context.event["userId"], "heard": heard[0].id == tracked.id, "delivered": tracked.delivered,
    "waiting": report.queued + report.inflight,
})
""",
    )
    assert json.loads(told) == {
        "before": first,
        "id": "u1",
        "traits": {"plan": "pro", "tags": ["a"]},
        "group": None,
        "identified": "u1",
        "heard": True,
        "delivered": True,
        "waiting": 0,
    }
    opened = stored("track", "Opened")
    assert (opened["userId"], opened["anonymousId"]) == ("u1", first) == ("u1", visitor.identity.anonymous_id)
    assert opened["properties"] == {"cells": 12}
    assert opened["context"]["page"]["title"] == "Host"
    assert visitor.identity.user_id == "u1"
    new = run(visitor, "analytics.reset()\nawait analytics.user().anonymous_id()")
    assert new not in (None, first)
    assert visitor.identity.anonymous_id == new
    assert visitor.evaluate("() => strays") == []


def test_what_a_worker_gives_wrongly_is_refused_and_the_next_call_goes(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    told = run(
        visitor,
        START.format(key="hosted")
        + """
from satsuma.errors import ArgumentError
try:
    await analytics.track("")
except ArgumentError as error:
    refused = str(error)
loop = {"sku": "a"}
loop["self"] = loop
await analytics.track("Ordered", {"order": loop, "id": 12})
refused
""",
    )
    assert told == "Event missing"
    assert stored("track", "Ordered")["properties"] == {"order": {"sku": "a"}, "id": 12}
    code = "await analytics.identify(12345678901234567890)"
    run(visitor, f"{code}\nNone")
    assert stored("identify")["userId"] == "12345678901234567890"


def test_each_of_two_tabs_answers_its_own_worker(visitor: Visitor, collector: Collector) -> None:
    other = visitor.new_tab()
    visitor.visit("/one")
    other.visit("/two")
    for tab in (visitor, other):
        run(tab, START.format(key="hosted") + "await analytics.track('Here')\nNone")
    here = [event for event in collector.events() if event.get("event") == "Here"]
    assert sorted(event["context"]["page"]["path"] for event in here) == ["/one", "/two"]


FAILS = """
from satsuma.errors import BootError
try:
    await analytics.track("Unheard")
    told = "nothing"
except BootError as error:
    told = str(error)
told
"""


def test_a_worker_without_a_page_is_told_what_to_add_and_the_page_may_add_it(
    visitor: Visitor, collector: Collector, stored: Stored
) -> None:
    with serving(host(collector)) as url:
        visitor.page.goto(url)
        told = run(visitor, START.format(key="hosted") + FAILS)
        assert "/analytics.js/snippet.js?writeKey=hosted" in told
        assert "/analytics.js/python-workers.js" in told
        for script in ("snippet.js?writeKey=hosted&", "python-workers.js?"):
            visitor.page.add_script_tag(url=f"{collector.url}/analytics.js/{script}late=1")
        run(visitor, START.format(key="hosted") + "await analytics.track('Heard')\nNone")
        assert stored("track", "Heard")["anonymousId"] == visitor.identity.anonymous_id
        assert "'hosted' and not of 'another'" in run(visitor, START.format(key="another") + FAILS)
    assert {event.get("event") for event in collector.events()} == {None, "Heard"}


def test_who_leaves_before_the_page_is_up_is_told_of(visitor: Visitor, stored: Stored) -> None:
    visitor.page.route("**/python.wasm", lambda route: None)
    visitor.page.goto(visitor.base_url + "/")
    run(visitor, START.format(key="hosted") + "analytics.track('Early', {'n': 1})\nNone")
    kept = "() => Object.values({...localStorage}).some((text) => text.includes('Early'))"
    visitor.until(lambda: visitor.evaluate(kept), "the page to keep the call")
    visitor.page.goto("about:blank")
    assert stored("track", "Early")["properties"] == {"n": 1}


PYSCRIPT = """<script type="module" src="/pyscript/core.js"></script>
<script type="{kind}" {worker} config='{{"interpreter": "/pyodide/pyodide.mjs"}}'>
from pyodide.http import pyfetch
await (await pyfetch("{wheel}")).unpack_archive(format="wheel")
import importlib
importlib.invalidate_caches()
from satsuma.platforms.browser import load
analytics = load("hosted", "{collector}")
analytics.identify("u1")
seen = analytics.user().anonymous_id()
await analytics.track("Hosted", {{"seen": await seen if {in_worker} else seen}})
None
</script>"""


@pytest.mark.parametrize(
    ("kind", "worker"), [("py", "worker"), ("py", ""), ("py-editor", "")], ids=["worker", "main-thread", "editor"]
)
def test_pyscript_tells_of_the_pages_visitor(
    visitor: Visitor, collector: Collector, stored: Stored, kind: str, worker: str
) -> None:
    in_worker = kind == "py-editor" or bool(worker)
    wheel = f"{collector.url}/analytics.js/satsuma-{__version__}-py3-none-any.whl"
    tags = PYSCRIPT.format(kind=kind, worker=worker, wheel=wheel, collector=collector.url, in_worker=in_worker)
    given = scripts(collector) if in_worker else ()
    with serving(with_files("".join(given) + tags)) as url:
        visitor.page.goto(url)
        if kind == "py-editor":
            visitor.page.click(".py-editor-run-button, button", timeout=30_000)
        # A whole Pyodide, its files from the network: on a busy machine this takes long.
        visitor.until(lambda: any(event.get("event") == "Hosted" for event in collector.events()), "the event", 90)
        hosted = stored("track", "Hosted")
        assert hosted["userId"] == visitor.identity.user_id == "u1"
        assert hosted["anonymousId"] == hosted["properties"]["seen"] == visitor.identity.anonymous_id
        assert hosted["context"]["page"]["url"].rstrip("/") == url


def with_files(html: str) -> Starlette:
    """Return a site that has a page at ``/``, with the files of PyScript and of the whole Pyodide beside it."""

    async def page(request: Request) -> Response:
        return HTMLResponse(f"<!doctype html><title>Host</title><link rel=icon href='data:,'><body>{html}")

    return Starlette(
        routes=[
            Route("/", page),
            Mount("/pyscript", StaticFiles(directory=node_package("@pyscript/core") / "dist")),
            Mount("/pyodide", StaticFiles(directory=node_package("pyodide"))),
        ]
    )


def node_package(name: str) -> Path:
    """Return the folder of one of npm's packages."""
    return Path(os.environ["SATSUMA_LIBRARIES"]) / "node_modules" / name
