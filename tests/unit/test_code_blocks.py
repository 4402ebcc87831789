"""Every block of code in the documents is looked at by what would run it; another test does the whole tutorial.

What is no more than parsed here is run by tests of its own: the README's lines for an app of Pyodide by
``e2e/flows/test_embedding.py``, settings by ``tests/server/test_settings.py``.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import typer.main
from satsuma_server.cli import app

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


@pytest.mark.parametrize("block", of("toml"), ids=named)
def test_toml_is_toml(block: Block) -> None:
    assert tomllib.loads(block.text)


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
