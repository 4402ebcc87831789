"""JupyterLite, marimo and stlite, as PyPI and npm have them: each runs Python in a worker that its page has made.

They are served from one folder, with Pyodide from npm and its wheels from PyPI, and must ask no other address for
anything. Of stlite that holds but for packages that only Pyodide's own CDN has: for these there are stand-ins, since
Streamlit imports them and a page of text uses none of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flows.pyodide_folder import lay_out, without_extension_module, write_stand_in
from flows.reference_library import libraries
from pytest_satsuma import Visitor
from satsuma import __version__
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("notebooks")]

Stored = Callable[..., dict[str, Any]]

EXAMPLES = Path(__file__).parents[2] / "examples" / "hosts"
COLLECTOR = "http://127.0.0.1:8000"
"""The collector of the examples."""

SECONDS = 240
"""A whole Pyodide, its packages and the app, on a machine that has much to do."""

ONLY_ON_A_CDN = {
    "ssl": ("ssl", "1.0.0"),
    "pillow": ("PIL", "11.3.0"),
    "pandas": ("pandas", "2.3.3"),
    "fastparquet": ("fastparquet", "2024.11.0"),
    "rpds_py": ("rpds", "0.27.0"),
}
"""Packages that Streamlit imports and no registry has for Pyodide 0.29: module and version of the stand-ins."""


@pytest.fixture(scope="module")
def hosts() -> Path:
    """Folder of what `./dev test` has fetched of them."""
    folder = Path(os.environ.get("SATSUMA_HOSTS", ""))
    if not (folder / "stamp").exists():
        pytest.skip("JupyterLite and marimo are not installed")
    return folder


@pytest.fixture(scope="module")
def wheels(hosts: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheels for Pyodide 314."""
    [site] = (hosts / "venv" / "lib").glob("python*/site-packages")
    yaml = without_extension_module(tmp_path_factory.mktemp("yaml"), site, "pyyaml", "yaml")
    return [*(hosts / "wheels").glob("*.whl"), yaml]


@pytest.fixture
def asked_elsewhere(visitor: Visitor) -> list[str]:
    """Addresses on other machines that were asked for anything; there are to be none."""
    told: list[str] = []
    allowed = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    visitor.page.on("request", lambda request: request.url.startswith(allowed) or told.append(request.url))
    return told


def head(collector: Collector) -> str:
    """Return a head with the two scripts that a page needs."""
    tags = f"<head><script>{snippet('hosted', collector.url)}</script>"
    return f'{tags}<script src="{collector.url}/analytics.js/python-workers.js"></script>'


def run(*command: str | Path, cwd: Path, **variables: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def assert_of_the_page(visitor: Visitor, collector: Collector, stored: Stored, url: str) -> None:
    """Wait for what the example tells, and see that it is of the page's visitor."""
    visitor.until(lambda: any(event.get("event") == "Hosted" for event in collector.events()), "the event", SECONDS)
    hosted = stored("track", "Hosted")
    assert hosted["userId"] == visitor.identity.user_id == "u1"
    assert hosted["anonymousId"] == hosted["properties"]["seen"] == visitor.identity.anonymous_id
    assert hosted["context"]["page"]["url"].startswith(url)
    visitor.errors.clear()  # The hosts' own; ours would have kept the event from coming.


def wheel(collector: Collector) -> str:
    return f"{collector.url}/analytics.js/satsuma-{__version__}-py3-none-any.whl"


def example(name: str, collector: Collector) -> str:
    """Return an example, for this test's collector."""
    text = (EXAMPLES / name).read_text()
    return text.replace(COLLECTOR, collector.url)


def served(folder: Path, *routes: Route) -> Any:
    """Serve a folder. The worker of stlite has a data: URL, and so an origin of its own."""
    everybody = Middleware(CORSMiddleware, allow_origins=["*"])
    return serving(
        Starlette(routes=[*routes, Mount("/", StaticFiles(directory=folder, html=True))], middleware=[everybody])
    )


@pytest.fixture
def jupyterlite(hosts: Path, wheels: list[Path], tmp_path: Path) -> Path:
    """A built site of JupyterLite whose kernel starts Pyodide from beside it."""
    lay_out(tmp_path / "site" / "pyodide", libraries() / "pyodide-newest", wheels)
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(EXAMPLES / "jupyter-lite.json", source)
    built = tmp_path / "site" / "lite"
    command = (hosts / "venv" / "bin" / "jupyter-lite", "build", "--apps", "repl", "--output-dir", built)
    run(*command, cwd=source, PATH=f"{hosts / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "site"


@pytest.mark.parametrize("scripts", ["in-the-page", "from-a-cell"])
def test_jupyterlite(
    visitor: Visitor, collector: Collector, stored: Stored, jupyterlite: Path, asked_elsewhere: list[str], scripts: str
) -> None:
    page = jupyterlite / "lite" / "repl" / "index.html"
    written = json.loads(example("jupyterlite.ipynb", collector))["cells"]
    cells = ["".join(cell["source"]) for cell in written if cell["cell_type"] == "code"]
    if scripts == "in-the-page":
        page.write_text(page.read_text().replace("<head>", head(collector), 1))
        cells = cells[1:]
    with served(jupyterlite) as url:
        code = "&".join(f"code={quote(cell)}" for cell in cells)
        visitor.page.goto(f"{url}/lite/repl/index.html?kernel=python&{code}")
        assert_of_the_page(visitor, collector, stored, url)
    assert asked_elsewhere == []


@pytest.fixture
def marimo(hosts: Path, wheels: list[Path], tmp_path: Path, collector: Collector) -> Path:
    """A notebook that marimo has exported, with all that it needs."""
    lay_out(tmp_path / "mirror" / "pyodide", libraries() / "pyodide-314", wheels)
    (tmp_path / "notebook.py").write_text(example("marimo_notebook.py", collector))
    (tmp_path / "head.html").write_text(example("head.html", collector))
    with served(tmp_path / "mirror") as mirror:
        sources = ("--offline", "--pyodide-index-url", f"{mirror}/pyodide/", "--pypi-index-url", f"{mirror}/none/")
        run(
            *(hosts / "venv" / "bin" / "marimo", "export", "html-wasm", "notebook.py", "-o", "site", *sources),
            cwd=tmp_path,
            PATH=f"{hosts / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            PLAYWRIGHT_BROWSERS_PATH=str(browsers_of(hosts, tmp_path / "browsers")),
            NO_PROXY="127.0.0.1",
        )
    return tmp_path / "site"


def browsers_of(hosts: Path, folder: Path) -> Path:
    """Lay the browser of these tests where the Playwright that marimo uses looks for its own; return the folder."""
    [playwright] = (hosts / "venv" / "lib").glob("python*/site-packages/playwright/driver/package")
    for browser in json.loads((playwright / "browsers.json").read_text())["browsers"]:
        name = browser["name"].replace("-", "_")
        if name == "chromium_headless_shell":
            place = folder / f"{name}-{browser['revision']}" / "chrome-headless-shell-linux64"
            place.mkdir(parents=True)
            (place / "chrome-headless-shell").symlink_to(os.environ["SATSUMA_CHROMIUM"])
    return folder


def test_marimo(
    visitor: Visitor, collector: Collector, stored: Stored, marimo: Path, asked_elsewhere: list[str]
) -> None:
    with served(marimo) as url:
        visitor.page.goto(url)
        assert_of_the_page(visitor, collector, stored, url)
    assert asked_elsewhere == []


@pytest.fixture
def stlite(wheels: list[Path], tmp_path: Path) -> Iterator[Path]:
    """stlite, and a Pyodide with stand-ins for what no registry has for it."""
    given = [wheel for wheel in wheels if "wasm32" not in wheel.name]  # That is of another Pyodide.
    [site] = wheels[0].parents[1].glob("venv/lib/python*/site-packages")
    given.append(without_extension_module(tmp_path, site, "markupsafe", "markupsafe"))
    given += [write_stand_in(tmp_path, name, *about) for name, about in ONLY_ON_A_CDN.items()]
    given.append(write_stand_in(tmp_path, "numpy", "numpy", "2.2.5", "ssl"))
    lay_out(tmp_path / "site" / "pyodide", libraries() / "pyodide", given)
    (tmp_path / "site" / "stlite").mkdir()
    shutil.copytree(libraries() / "@stlite" / "browser" / "build", tmp_path / "site" / "stlite", dirs_exist_ok=True)
    yield tmp_path / "site"


def test_stlite(
    visitor: Visitor, collector: Collector, stored: Stored, stlite: Path, asked_elsewhere: list[str]
) -> None:
    with served(stlite, Route("/", lambda request: HTMLResponse(example("stlite.html", collector)))) as url:
        visitor.page.goto(url)
        assert_of_the_page(visitor, collector, stored, url)
        visitor.until(lambda: visitor.page.get_by_text("The page's visitor is u1").count(), "the app to tell of it", 60)
    assert asked_elsewhere == []
