"""Where scenarios are played: one library, one site, one collector that writes down what it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from flows.compiler import bundled
from flows.faults import Faults, watched_collector
from flows.places import LOAD_OPTIONS, with_service_worker
from flows.places import PAGE as PYTHON_IN_PAGE
from flows.reference_library import PAGE, WRITE_KEY, libraries, reference_cdn, stock_snippet
from parity.story import Scenario, Visit
from satsuma_server.testing import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

REFERENCE, OURS = "analytics-next", "satsuma"
BLANK = "/blank"
CLEARED = "/robots.txt"
"""Where engines open a page to clear a site's storage."""
METHODS = ["GET", "POST"]
CONSENT_TOOLS = (
    'import { createWrapper } from "@segment/analytics-consent-tools"; window.createWrapper = createWrapper;'
)


@dataclass(slots=True)
class Stage:
    """One library on a site of its own.

    Attributes:
        library: `REFERENCE` or `OURS`.
        port: the site's; every host of the tests leads there.
        cdn: origin that the snippet loads the library from.
        posts: what the collector was sent.
        load: more options of ``analytics.load``, for all scenarios.
        html: the page that every path of the site answers with.
    """

    library: str
    port: int
    cdn: str
    posts: Faults
    load: Mapping[str, Any] = field(default_factory=dict)
    html: str = ""

    def url(self, host: str, path: str) -> str:
        """Return the address of a path of the site."""
        return f"http://{host}:{self.port}{path}"

    def show(self, scenario: Scenario, visit: Visit) -> None:
        """Have the site answer with the page of a visit."""
        options = {**self.load, **scenario.load} if scenario.loads else False
        snippet = _with_scripts(stock_snippet(self.cdn, WRITE_KEY, options), scenario.load_script)
        if not scenario.loads:
            snippet += f"\nconst stageOptions = {json.dumps(self.load)};"
        page = PAGE.format(title="A page", snippet=f"{snippet}\n{visit.early}", body=visit.body)
        self.html = page.replace("<script>", f"{visit.head}<script>", 1)


@contextmanager
def staged(library: str, data: Path, python: str = PYTHON_IN_PAGE) -> Iterator[Stage]:
    """Set the stage for a library; `python` is where ours has Python."""
    posts = Faults()
    with ExitStack() as stack:
        collector = stack.enter_context(watched_collector(data, posts))
        cdn = collector.url if library == OURS else stack.enter_context(reference_cdn(collector.url))
        stage = Stage(library, 0, cdn, posts, LOAD_OPTIONS[python] if library == OURS else {})
        site = stack.enter_context(serving(with_service_worker(_site(stage), cdn, WRITE_KEY)))
        stage.port = int(site.rpartition(":")[2])
        yield stage


def _site(stage: Stage) -> Starlette:
    async def page(request: Request) -> Response:
        blank = "<!doctype html><title>blank</title><link rel='icon' href='data:,'>"
        return HTMLResponse(blank if request.url.path in (BLANK, CLEARED) else stage.html)

    async def library(request: Request) -> Response:
        return FileResponse(_library(request.path_params["name"]), media_type="text/javascript")

    routes = [Route("/library/{name}.js", library), Route("/{path:path}", page, methods=METHODS)]
    return Starlette(routes=routes)


@cache
def _library(name: str) -> Path:
    """Return the file of a library that pages of scenarios ask for; what npm has in modules is bundled first."""
    if name == "jquery":
        return libraries() / "jquery" / "dist" / "jquery.min.js"
    folder = bundled(Path(mkdtemp(prefix="parity-")), {"consent.js": CONSENT_TOOLS}, form="iife")
    return folder / "consent.js"


def _with_scripts(snippet: str, scripts: Mapping[str, str]) -> str:
    """Lay JavaScript over the snippet's load options."""
    assigned = "".join(f"analytics._loadOptions.{name} = {script};" for name, script in scripts.items())
    options = "if (typeof analytics._loadOptions !== 'object') analytics._loadOptions = {};"
    return f"{snippet}\n{options}{assigned}" if scripts else snippet
