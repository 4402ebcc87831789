"""docs/browsers.md: what holds in which engine, made of the figures and the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.specification import rules
from matrix.figures import FAILED, FILE, PASSED
from pytest_satsuma.engines import ENGINES

DOCUMENT = FILE.with_suffix(".md")
WORDS = Path(__file__).with_name("introduction.md"), Path(__file__).with_name("differences.md")
TITLES = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKit"}
OURS, REFERENCE = "satsuma", "analytics-next"
EARLY, IN_SERVICE = "satsuma, early", "satsuma in a service worker"

NOTHING = "not run"

Figures = Mapping[str, Any]
Cell = Callable[[Figures], str]


def render(figures: Mapping[str, Figures]) -> str:
    """Return the document."""
    introduction, differences = (file.read_text().strip() for file in WORDS)
    known = [engine for engine in ENGINES if engine in figures]
    told = (_matrix, _left_out, _phones, _rules)
    parts = [introduction, *(part(figures, known) for part in told), differences]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _matrix(figures: Mapping[str, Figures], known: list[str]) -> str:
    def rows() -> Iterator[list[str]]:
        for title, cell in ROWS.items():
            told = [_or_nothing(cell, figures[engine]) for engine in known]
            if any(one != NOTHING for one in told):
                yield [title, *told]

    return "## The matrix\n\n" + _table(["", *(TITLES[engine] for engine in known)], rows())


def _or_nothing(cell: Cell, of_engine: Figures) -> str:
    """Return what a cell says; where its part was not run in this engine, that."""
    try:
        return cell(of_engine)
    except KeyError:
        return NOTHING


def _held(of_engine: Figures) -> str:
    by_rule = {rule: _of_rule(found) for rule, found in _outcomes(of_engine["specification"]).items()}
    return f"{sum(told.startswith('yes') for told in by_rule.values())} of {len(by_rule)}"


def _outcomes(by_test: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the outcomes of the tests of each rule that has tests here."""
    found: dict[str, list[str]] = {}
    for test in rules.tests():
        for rule in test.rules:
            found.setdefault(rule, []).append(by_test.get(test.name, NOTHING))
    return found


def _of_rule(outcomes: list[str]) -> str:
    counts = Counter(told if told in (PASSED, FAILED) else "left out" for told in outcomes)
    if counts[FAILED]:
        return "**no**"
    if not counts[PASSED]:
        return "not tried"
    return f"yes, {counts['left out']} of {len(outcomes)} tests left out" if counts["left out"] else "yes"


def _equal(part: str) -> Cell:
    def cell(of_engine: Figures) -> str:
        found = of_engine[part]
        tried = found["passed"] + len(found["failed"])
        left_out = sum(found["left out"].values())
        return f"{found['passed']} of {tried}" + (f", {left_out} left out" if left_out else "")

    return cell


def _walk(library: str) -> Cell:
    def cell(of_engine: Figures) -> str:
        found = of_engine["walk"][library]
        return f"{found['lost']} of {found['made']} lost, {found['duplicate']} twice, in {found['visits']} visits"

    return cell


def _boot(library: str, *names: str) -> Cell:
    def cell(of_engine: Figures) -> str:
        found = of_engine["boot"][library]
        return " / ".join(str(found[name]) for name in names)

    return cell


def _of_boot(*names: str) -> Cell:
    return lambda of_engine: " / ".join(str(of_engine["boot"][name]) for name in names)


def _bytes(library: str) -> Cell:
    return lambda of_engine: f"{of_engine['boot'][library]['bytes']:,}"


ROWS: dict[str, Cell] = {
    "version": lambda of_engine: str(of_engine["version"]),
    "rules of the specification that hold": _held,
    "scenarios as with analytics-next, or different as meant": _equal("parity"),
    "ways out of a page without a loss": _equal("ways out"),
    "calls of visitors who come back, on a long walk: Satsuma": _walk(OURS),
    "on the same walk: analytics-next": _walk(REFERENCE),
    "first visit, ms: Satsuma": _boot(OURS, "first"),
    "first visit, ms: analytics-next": _boot(REFERENCE, "first"),
    "third visit, ms: Satsuma": _boot(OURS, "third"),
    "third visit, ms: with `early`": _boot(EARLY, "third"),
    "third visit, ms: with Python in the service worker": _boot(IN_SERVICE, "third"),
    "third visit, ms: analytics-next": _boot(REFERENCE, "third"),
    "ratio to analytics-next, first / third": _boot(OURS, "first ratio", "third ratio"),
    "with `early`, first / third": _boot(EARLY, "first ratio", "third ratio"),
    "with Python in the service worker, first / third": _boot(IN_SERVICE, "first ratio", "third ratio"),
    "bytes of a first visit: Satsuma": _bytes(OURS),
    "bytes of a first visit: analytics-next": _bytes(REFERENCE),
    "visits that fell back to the plain boot": _boot(OURS, "plain"),
    "visits that fell back from the service worker to the page": _boot(IN_SERVICE, "plain"),
    "load of the machine while boots were measured, and rounds": _of_boot("load", "rounds"),
}


def _left_out(figures: Mapping[str, Figures], known: list[str]) -> str:
    lines: list[str] = []
    for engine in known:
        counts: Counter[str] = Counter()
        of_engine = figures[engine]
        for part in ("parity", "ways out"):
            counts.update(of_engine.get(part, {}).get("left out", {}))
        counts.update(told for told in of_engine.get("specification", {}).values() if told not in (PASSED, FAILED))
        lines += [f"- {TITLES[engine]}: {count} tests: {reason}." for reason, count in sorted(counts.items())]
        for part in ("parity", "ways out"):
            lines += [
                f"- {TITLES[engine]}, {part}: {name} **failed**." for name in of_engine.get(part, {}).get("failed", [])
            ]
    return "\n".join(["## What was left out, and what failed", "", *lines]) if lines else ""


def _phones(figures: Mapping[str, Figures], known: list[str]) -> str:
    found = next((figures[engine]["phone"] for engine in known if "phone" in figures[engine]), None)
    if not found:
        return ""
    rates = [rate for rate in ("4", "6") if rate in found]

    def rows() -> Iterator[list[str]]:
        for library in (OURS, EARLY, REFERENCE):
            for title, figure in PHONE_ROWS.items():
                if library != REFERENCE or not figure.endswith("ratio"):
                    yield [f"{library}: {title}", *(str(found[rate][library][figure]) for rate in rates)]

    told = PHONES.format(**found)
    head = ["", *(f"{rate} times slower" for rate in rates)]
    return f"## Phones\n\n{told}\n\n" + _table(head, rows())


PHONES = """Chromium with screen and touch of a {device}, and a processor that DevTools slows down; {rounds} rounds side
by side (`./dev bench boot phone --write`), medians (quartiles); load of the machine {load}. DevTools is attached, which
makes visits slower by itself. A task counts from 50 ms on."""
PHONE_ROWS = {
    "first visit, ms": "first",
    "third visit, ms": "third",
    "first visit, of analytics-next's": "first ratio",
    "third visit, of analytics-next's": "third ratio",
    "longest task of the first visit, ms": "first longest",
    "longest task of the third visit, ms": "third longest",
    "memory of the page, MB": "memory",
}


def _rules(figures: Mapping[str, Figures], known: list[str]) -> str:
    tried = {engine: _outcomes(found) for engine in known if (found := figures[engine].get("specification"))}
    if not tried:
        return ""

    def rows() -> Iterator[list[str]]:
        for section in rules.sections():
            for rule in section.rules:
                if any(rule in found for found in tried.values()):
                    yield [rule, *(_of_rule(found[rule]) for found in tried.values())]

    head = ["what happens", *(TITLES[engine] for engine in tried)]
    return "## Rule by rule\n\n" + _table(head, rows())
