"""The specification's rules, the tests that name them, and docs/specification.md, which is made of both."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
DOCUMENT = Path(__file__).parents[3] / "docs" / "specification.md"
INTRODUCTION = """# The specification, rule by rule

Written by `./dev specification`, which runs each test in a real Chromium, through the demo shop, against a real
collector. The rules are those of Segment's "Best Practices for Identifying Users", in our words. The same tests run
with `@segment/analytics-next` in our place (`--satsuma-library analytics-next`, in `./dev soak`); where that library
does otherwise, the last column says how.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One heading of the specification.

    Attributes:
        elsewhere: which tests hold its rules, where ours don't.
    """

    title: str
    rules: tuple[str, ...]
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """A test that names rules.

    Attributes:
        only_ours: what the reference library does otherwise; empty where it does the same.
    """

    file: str
    name: str
    rules: tuple[str, ...]
    only_ours: str


@cache
def sections() -> tuple[Section, ...]:
    """Return the rules as the data file has them."""
    content = tomllib.loads((HERE / "rules.toml").read_text())
    return tuple(Section(title, tuple(one["rules"]), one.get("elsewhere", "")) for title, one in content.items())


def known() -> set[str]:
    """Return the text of every rule."""
    return {rule for section in sections() for rule in section.rules}


def tests() -> Iterator[Tested]:
    """Yield the tests that name rules, read from their source: the document mustn't depend on what a run selects."""
    for file in sorted(HERE.glob("test_*.py")):
        texts: dict[str, str] = {}
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                texts |= {target.id: str(node.value.value) for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.FunctionDef) and (rules := _arguments(node, "specification", texts)):
                only_ours = " ".join(_arguments(node, "only_satsuma", texts))
                yield Tested(file.name, node.name, tuple(rules), only_ours)


def _arguments(function: ast.FunctionDef, marker: str, texts: Mapping[str, str]) -> list[str]:
    calls = (one for one in function.decorator_list if isinstance(one, ast.Call))
    marks = (one for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr == marker)
    arguments = (argument for one in marks for argument in one.args)
    return [texts[one.id] if isinstance(one, ast.Name) else ast.literal_eval(one) for one in arguments]


def render(results: Mapping[str, str]) -> str:
    """Return the document.

    Args:
        results: by the test's name.
    """
    by_rule: dict[str, list[Tested]] = {}
    for test in tests():
        for rule in test.rules:
            by_rule.setdefault(rule, []).append(test)
    lines = [INTRODUCTION]
    for section in sections():
        lines += [f"## {section.title}", "", "| what happens | test | satsuma | analytics-next |", "|---|---|---|---|"]
        lines += [_row(rule, by_rule.get(rule, []), section.elsewhere, results) for rule in section.rules]
        lines.append("")
    return "\n".join(lines)


def _row(rule: str, found: list[Tested], elsewhere: str, results: Mapping[str, str]) -> str:
    if not found:
        return f"| {rule} | {elsewhere or '**none**'} | | |"
    links = "<br>".join(f"[{test.name.removeprefix('test_').replace('_', ' ')}]({_link(test)})" for test in found)
    outcomes = {results.get(test.name, "not run") for test in found}
    ours = outcomes.pop() if len(outcomes) == 1 else "; ".join(sorted(outcomes))
    theirs = "; ".join(sorted({test.only_ours for test in found if test.only_ours})) or "the same"
    return f"| {rule} | {links} | {ours} | {theirs} |"


def _link(test: Tested) -> str:
    return f"../e2e/flows/specification/{test.file}"
