"""Visits that nobody looks into: DevTools, which Playwright attaches to each page, keeps a copy of all that it loads.

A visitor's browser has none. So the page itself tells when its first event left, and goes to its next visit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Queue
from subprocess import DEVNULL, Popen
from tempfile import TemporaryDirectory

from pytest_satsuma.chromium import launch_args
from pytest_satsuma.engines.firefox import PREFERENCES, find_firefox, write_preferences
from pytest_satsuma.engines.webkit import webkit as start_webkit
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .contenders import IN_SERVICE
from .visits import TIMEOUT, WATCH, Visit

type Start = Callable[[str], AbstractContextManager[None]]
"""Starts a browser that has never been anywhere, at a URL."""

STAY_MILLISECONDS = 3000
"""How long a visitor looks at a page after its first event. For one who goes on after 0.3 s, or just as one of the
page's timers rings (2 s), the engine compiles what the page before has called much beside the boot of the next."""

DRIVE = f"""
(async () => {{
    const sent = await bench.sent, here = new URL(location.href), visit = Number(here.searchParams.get("visit"));
    await new Promise((go) => setTimeout(go, {STAY_MILLISECONDS}));
    const unasked = here.searchParams.get("of") === {json.dumps(IN_SERVICE)} ? /\\/python\\.js/ : /\\/pyodide\\.m?js/;
    const plain = performance.getEntriesByType("resource").some(({{name}}) => unasked.test(name));
    const told = JSON.stringify({{sent, longest: bench.longest, plain}});
    const next = await (await fetch("/told", {{method: "POST", body: told}})).text();
    if (!next) return;
    here.searchParams.set("visit", visit + 1);
    location.href = here.href;
}})();"""
"""Runs in each page: tells the bench what was measured, and goes on to the next visit if there is to be one."""

HEAD = f"<script>{WATCH}</script><script>{DRIVE}</script>"


@dataclass
class Log:
    """What the pages of one site have told.

    Attributes:
        wanted: how many visits one device makes.
    """

    wanted: int
    told: Queue[Visit] = field(default_factory=Queue)
    _come: int = 0

    def add_to(self, site: Starlette) -> Starlette:
        """Let a site's pages tell."""

        async def hear(request: Request) -> Response:
            self.told.put(Visit(**json.loads(await request.body())))
            self._come += 1
            return Response("on" if self._come % self.wanted else "")

        site.routes.append(Route("/told", hear, methods=["POST"]))
        return site

    def visits(self, start: Start, url: str) -> list[Visit]:
        """Return what a browser that has never been anywhere tells of its visits.

        Raises:
            queue.Empty: a page did not come up.
        """
        with start(url):
            return [self.told.get(timeout=TIMEOUT / 1000) for _ in range(self.wanted)]


def chromium(executable: str) -> Start:
    """Return what starts a Chromium at a URL."""
    return partial(_chromium, executable)


@contextmanager
def firefox(url: str) -> Iterator[None]:
    """Start a Firefox at a URL, with nothing that watches it."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        write_preferences(Path(profile), PREFERENCES)
        command = [str(find_firefox()), "--headless", "--no-remote", "--profile", profile, url]
        process = Popen(command, stdout=DEVNULL, stderr=DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def webkit(url: str) -> Iterator[None]:
    """Start a browser of WebKitGTK at a URL."""
    with start_webkit() as browser, closing(browser.new_context()) as context:
        context.new_page().goto(url, wait_until="commit")
        yield


@contextmanager
def _chromium(executable: str, url: str) -> Iterator[None]:
    args = launch_args({"executable_path": executable})["args"]
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = Popen(
            [executable, "--headless=new", f"--user-data-dir={profile}", *args, url], stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()
