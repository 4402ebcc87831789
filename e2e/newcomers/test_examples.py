"""The examples of apps with a bundler: built as their folders say, and used in a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flows.compiler import write_npm_package
from flows.reference_library import libraries
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

EXAMPLES = Path(__file__).parents[2] / "examples"
LEFT = shutil.ignore_patterns("node_modules", "dist", ".next")
ADDRESS = re.compile(r"http://localhost:(\d+)")

Stored = Callable[..., dict[str, Any]]


class Example:
    """A copy of an example, beside a package that was just built.

    Args:
        name: its folder's name.
        work: folder for the copy, laid out as the checkout is.
        collector: where its events go.
    """

    def __init__(self, name: str, work: Path, collector: Collector) -> None:
        self.folder = work / "examples" / name
        shutil.copytree(EXAMPLES / name, self.folder, ignore=LEFT)
        self.package = write_npm_package(work / "dist" / "npm")
        told = {"WRITE_KEY": name, "COLLECTOR": collector.url}
        self.variables: Mapping[str, str] = {
            **os.environ,
            "NEXT_TELEMETRY_DISABLED": "1",
            **{f"{prefix}_{key}": value for key, value in told.items() for prefix in ("VITE", "NEXT_PUBLIC")},
        }

    def install(self) -> None:
        """Install what the lock file names, from the registry."""
        self._run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")

    def link(self) -> None:
        """Put links to libraries that are here already in place of an installation."""
        modules = self.folder / "node_modules"
        (modules / "@satsuma").mkdir(parents=True)
        (modules / "@satsuma" / "analytics").symlink_to(self.package)
        (modules / "vite").symlink_to(libraries() / "vite")

    def build(self) -> None:
        """Run the example's own build."""
        build = self.folder / "node_modules" / "vite" / "bin" / "vite.js"
        self._run(*(("node", str(build), "build") if build.exists() else ("npm", "run", "build")))

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve what was built; give its address."""
        if (self.folder / "dist").exists():
            files = StaticFiles(directory=self.folder / "dist", html=True)
            with serving(Starlette(routes=[Mount("/", files)])) as url:
                yield url
        else:
            yield from self._started()

    def _started(self) -> Iterator[str]:
        command = [str(self.folder / "node_modules" / ".bin" / "next"), "start", "-p", "0"]
        log = self.folder / "start.log"
        with log.open("w") as output:
            process = subprocess.Popen(command, cwd=self.folder, env=self.variables, stdout=output, stderr=output)
        try:
            while not (found := ADDRESS.search(log.read_text())):
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            process.terminate()
            process.wait(30)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=400, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


NAMES = ("vite", "react", "vue", "next")
INSTALLED = [pytest.param(name, id=f"{name}-installed", marks=pytest.mark.soak) for name in NAMES]


@pytest.fixture(params=["vite-here", *INSTALLED])
def example(request: pytest.FixtureRequest, collector: Collector, tmp_path: Path) -> Example:
    """One of the examples, built: with the libraries that are here, or with those of its own lock file."""
    name, _, here = request.param.partition("-")
    example = Example(name, tmp_path, collector)
    if here:
        example.link()
    else:
        example.install()
    example.build()
    return example


@pytest.fixture
def site(example: Example) -> Iterator[str]:
    with example.served() as url:
        yield url


@pytest.mark.timeout(900)
def test_a_view_and_an_order_are_those_of_the_visitor_whom_the_page_shows(
    visitor: Visitor, example: Example, collector: Collector, stored: Stored
) -> None:
    visitor.visit("/")
    visitor.page.click("#order")
    visitor.page.wait_for_function("() => document.querySelector('#visitor').textContent")
    shown = visitor.page.text_content("#visitor")
    viewed, ordered = stored("page"), stored("track", "Ordered")
    assert ordered["properties"] == {"fruit": "satsuma"}
    assert viewed["anonymousId"] == ordered["anonymousId"] == shown == visitor.identity.anonymous_id
    wanted = ["page", "track"]
    if visitor.page.query_selector("#cart"):
        visitor.page.click("#cart")
        stored("page", count=2)
        wanted.append("page")
    assert [event["type"] for event in collector.events()] == wanted
