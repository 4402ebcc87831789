"""Where scenarios are played: one library, one site, one collector that writes down what it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.faults import Faults, watched_collector
from flows.places import LOAD_OPTIONS, with_service_worker
from flows.places import PAGE as PYTHON_IN_PAGE
from flows.reference_library import PAGE, WRITE_KEY, reference_cdn, stock_snippet
from parity.story import Scenario, Visit
from satsuma_server.testing import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

REFERENCE, OURS = "analytics-next", "satsuma"
BLANK = "/blank"
CLEARED = "/robots.txt"
"""Where engines open a page to clear a site's storage."""
METHODS = ["GET", "POST"]


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
        settings: more settings of the destination, for the scenario that is being played.
    """

    library: str
    port: int
    cdn: str
    posts: Faults
    load: Mapping[str, Any] = field(default_factory=dict)
    html: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    def url(self, host: str, path: str) -> str:
        """Return the address of a path of the site."""
        return f"http://{host}:{self.port}{path}"

    def show(self, scenario: Scenario, visit: Visit) -> None:
        """Have the site answer with the page of a visit."""
        snippet = stock_snippet(self.cdn, WRITE_KEY, {**self.load, **scenario.load})
        snippet = _with_scripts(snippet, scenario.load_script)
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

    return Starlette(routes=[Route("/{path:path}", page, methods=METHODS)])


def _with_scripts(snippet: str, scripts: Mapping[str, str]) -> str:
    """Lay JavaScript over the snippet's load options."""
    assigned = "".join(f"analytics._loadOptions.{name} = {script};" for name, script in scripts.items())
    options = "if (typeof analytics._loadOptions !== 'object') analytics._loadOptions = {};"
    return f"{snippet}\n{options}{assigned}" if scripts else snippet
