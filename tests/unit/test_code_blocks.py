"""Every block of code in the documents is run, or at least looked at by what would run it.

Python is run against a real collector, with stand-ins for what a block takes for granted. `NOT_EXECUTED` names the
blocks for which that isn't so, with the reason. Settings are read as settings. Another test does the whole tutorial.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import duckdb
import pytest
import typer.main
from satsuma_server.cli import app
from satsuma_server.plans.file import read_plan
from satsuma_server.settings import make_settings
from satsuma_server.testing import Collector, running

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "e2e" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?<![\w./-])satsuma ((?:[a-z][a-z-]* ?)+)((?:[^\n`|&]|\\\n)*)")
SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)
TEMPLATE = re.compile(r"\{\{.*?\}\}")
"""What Jinja puts a value in place of."""

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")

NOT_RUN = {
    "php": "there is no PHP here",
    "mermaid": "a diagram, which the documentation site draws",
    "sh": "the tutorial's, which test_tutorial.py runs",
    "": "an extract of what a page or a shell is given, in no language of its own",
}
"""Languages of which nothing can be looked at, with the reason."""

NEEDS_A_BROWSER = "it needs Pyodide in a page: e2e/flows/test_embedding.py and test_hosts.py run these lines there"
NEEDS_A_SITE = "it needs pages and a Chromium: test_tutorial.py runs the tutorial's, which is the same test"

NOT_EXECUTED = {
    "import micropip": NEEDS_A_BROWSER,
    'analytics = load("my-site")': NEEDS_A_BROWSER,
    "def test_a_customer_is_known_a_year_later(visitor, expect_event, expect_same_visitor):": NEEDS_A_SITE,
    "from pytest_satsuma import ExpectEvent, Visitor": NEEDS_A_SITE,
    "import uvicorn": "it is the tutorial's shop, which test_tutorial.py runs",
    "import threading": "it is the tutorial's test, which test_tutorial.py runs",
}
"""First lines of Python blocks that are not run here, with the reason."""

BEFORE = """
import asyncio, os
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock
from satsuma import Context
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
os.environ["SATSUMA_SIGNING_SECRET"] = "s" * 40
routes, request, app, templates, register = [], MagicMock(), MagicMock(), MagicMock(), MagicMock()
get_wsgi_application, my_crm, user = MagicMock(), AsyncMock(), SimpleNamespace(id="97980cfea0067", email="a@b.example")
"""
"""What blocks take for granted."""

AFTER = {
    "docs/destinations.md": """
asyncio.run(deliver(Context({"type": "track", "messageId": "m", "traits": {"email": "a@b.example"}})))
my_crm.save.assert_awaited_once()
""",
    "docs/embedding.md": """
from satsuma import Cancelled
plugins[0].track(Context({"type": "track", "messageId": "m", "properties": {}}))
try:
    plugins[0].track(Context({"type": "track", "messageId": "m", "properties": {"test": True}}))
except Cancelled:
    plugins = None
assert plugins is None
""",
    "docs/server-side.md": """
asyncio.run(login(request)), asyncio.run(logout(request))
request.state.analytics.identify.assert_called_once()
""",
    "docs/signing.md": """
assert sign("97980cfea0067") == templates.env.globals.__setitem__.call_args[0][1]("97980cfea0067")
""",
}
"""What shows that a document's blocks do what they say."""

STORED = {
    "README.md": {"Order Completed", "Start"},
    "docs/devices.md": {"Start", "Signed Up", "Paired"},
    "docs/server-side.md": {"Order Completed"},
}
"""Names of the events that the collector has when a document's blocks have run."""

ONLY_IN_A_BROWSER = {"js", "micropip", "satsuma.platforms.browser"}

COMPILE = """
const scripts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const vm = require("node:vm");
for (const [place, text] of scripts) {
  const body = text.replace(/^ *import [^;]*;/gm, "").replace(/^( *)export /gm, "$1");
  try { new vm.Script(`(async () => {${body}\\n})`); } catch (error) { console.log(`${place}: ${error.message}`); }
}
"""


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        place: the document, and the number of the block's first line.
    """

    place: str
    language: str
    text: str


def blocks(document: Path) -> list[Block]:
    text = document.read_text()
    name = str(document.relative_to(ROOT))
    return [
        Block(
            f"{name}:{text.count(chr(10), 0, found.start()) + 1}", found[2], re.sub(rf"(?m)^{found[1]}", "", found[3])
        )
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


NAMES = [str(document.relative_to(ROOT)) for document in DOCUMENTS]


def named(block: Block) -> str:
    return block.place


def test_no_block_is_in_a_language_that_nobody_looks_at() -> None:
    assert {block.language for block in BLOCKS} <= {"python", "toml", "sql", "html", "js", "json", *NOT_RUN}
    assert len(BLOCKS) > 60


@pytest.mark.parametrize("block", of("python"), ids=named)
def test_python_is_python_and_what_it_imports_of_ours_is_there(block: Block) -> None:
    tree = compile(block.text, block.place, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.module in ONLY_IN_A_BROWSER or node.module is None:
            continue
        if node.module.partition(".")[0] in {"satsuma", "satsuma_server", "pytest_satsuma", "starlette"}:
            module = importlib.import_module(node.module)
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("collector")) as started:
        yield started


def executed(document: str) -> list[Block]:
    """Return the Python blocks of a document that are run."""
    found = [block for block in of("python") if block.place.rpartition(":")[0] == document]
    return [block for block in found if first_line(block) not in NOT_EXECUTED]


def first_line(block: Block) -> str:
    return block.text.splitlines()[0]


@pytest.mark.parametrize("document", [name for name in NAMES if executed(name)])
def test_python_does_what_it_says(
    document: str, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All blocks of a document, in its order, as somebody who reads it would run them."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("SATSUMA_SIGNING_SECRET", "")
    names: dict[str, Any] = {"__name__": "block"}
    exec(compile(BEFORE, "before", "exec"), names)
    clients = []
    try:
        for block in executed(document):
            text = block.text.replace("https://collector.example", collector.url)
            names["app"] = MagicMock()  # Each is about another framework.
            exec(compile(text, block.place, "exec"), names)
            clients.append(names.get("client"))
        exec(compile(AFTER.get(document, ""), "after", "exec"), names)
    finally:
        for client in {id(one): one for one in clients if one is not None}.values():
            client.close()
    stored = {one.get("event") or one.get("name") for one in collector.events()}
    assert STORED.get(document, set()) <= stored


def test_blocks_that_are_not_run_are_there() -> None:
    assert set(NOT_EXECUTED) <= {first_line(block) for block in of("python")}


@pytest.mark.parametrize("block", of("toml"), ids=named)
def test_settings_are_settings_and_plans_are_plans(block: Block, tmp_path: Path) -> None:
    assert tomllib.loads(block.text)
    file = tmp_path / "satsuma.toml"
    file.write_text(block.text.replace("…", "x" * 40))
    if block.place.startswith("e2e/"):
        read_plan(file)
    else:
        make_settings(file, {"accept_any_key": True})


@pytest.mark.parametrize("block", of("sql"), ids=named)
def test_sql_is_sql(block: Block) -> None:
    assert duckdb.extract_statements(block.text)


def test_json_is_json() -> None:
    for block in of("json"):
        json.loads(block.text)


def test_scripts_are_scripts() -> None:
    scripts = [(block.place, block.text) for block in of("js")]
    for block in of("html"):
        html = TEMPLATE.sub("0", block.text)
        scripts += [(block.place, text) for _, text in SCRIPT.findall(html) if text.strip()]
    assert len(scripts) > 5
    node = shutil.which("node") or "node"
    done = subprocess.run([node, "-e", COMPILE], input=json.dumps(scripts), capture_output=True, text=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_command_has_the_options_that_it_is_shown_with(document: Path) -> None:
    wrong = []
    for words, rest in COMMAND.findall(document.read_text()):
        command = typer.main.get_command(app)
        path = []
        for word in words.split():
            found = getattr(command, "commands", {}).get(word)
            if found is None:
                break
            command, path = found, [*path, word]
        known = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
        wrong += [f"satsuma {' '.join(path)} {option}" for option in OPTION.findall(rest) if option not in known]
    assert wrong == []
