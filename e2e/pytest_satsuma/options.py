"""The plugin's options, from pytest's command line and ini files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from satsuma_server.audit.errors import AuditError
from satsuma_server.errors import PlanError
from satsuma_server.plans import Plan, read_plan

from .engines import CHROMIUM, ENGINES
from .identity_audit import rules_of
from .libraries import AUTO, LIBRARIES

TOKEN = "SATSUMA_TOKEN"
REPORTS = ("failed", "all", "off")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a test run.

    Attributes:
        collector: URL of a collector that runs already; None for a fresh one for each test.
        token: the token that is needed to read its events.
        engine: name of the engine that visitors have: one of `engines.ENGINES`.
        cpu_throttling: how many times slower than this machine's the processor of Chromium's pages is; 1 for none.
        library: name of the library on the pages, or ``auto``.
        report: the tests that get a report: ``failed``, ``all`` or ``off``.
        plan: the tracking plan that the events of all tests must comply with.
        record, compare: whether golden files are written, or compared with.
        golden: folder of the golden files.
        intercept: origins whose tracking API is replaced by the collector.
        audit: ids of the rules of the audit that the events of the whole session are held against; none for no audit.
    """

    collector: str | None
    token: str
    engine: str
    cpu_throttling: float
    library: str
    report: str
    plan: Plan | None
    record: bool
    compare: bool
    golden: Path
    intercept: tuple[str, ...]
    audit: tuple[str, ...] = ()


KEY = pytest.StashKey[Options]()


def add_options(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("satsuma", "Satsuma: identity in a real browser")
    group.addoption("--satsuma-collector", metavar="URL", help="a running collector, in place of a fresh one each test")
    group.addoption("--satsuma-token", metavar="TOKEN", help=f"what opens its events ({TOKEN} in the environment)")
    group.addoption("--satsuma-engine", choices=ENGINES, default=CHROMIUM, help="the engine of the visitors' browsers")
    group.addoption(
        "--satsuma-cpu-throttling",
        metavar="RATE",
        type=float,
        default=1.0,
        help="pages of Chromium are this many times slower, as with DevTools: 4 for a phone, 6 for a cheap one",
    )
    group.addoption(
        "--satsuma-library",
        choices=[AUTO, *LIBRARIES],
        default=AUTO,
        help="the library on the pages; found out by what it leaves in the browser by default",
    )
    group.addoption("--satsuma-report", choices=REPORTS, default="failed", help="tests whose timeline is written")
    group.addoption("--tracking-plan", metavar="FILE", help="fail tests whose events are not as planned (TOML or JSON)")
    group.addoption("--satsuma-record", action="store_true", help="keep each test's payloads as golden files")
    group.addoption("--satsuma-compare", action="store_true", help="compare each test's payloads with the golden files")
    group.addoption(
        "--satsuma-intercept",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="send what pages post to this origin to the collector; repeatable",
    )
    group.addoption(
        "--identity-audit",
        metavar="RULES",
        nargs="?",
        const="",
        help="fail the session where its events break best practices of identifying users; rules with commas between",
    )
    parser.addini("satsuma_golden", "folder of the golden files", default="satsuma-golden")
    parser.addini("satsuma_intercept", "origins whose tracking API the collector stands in for", "linelist", default=[])


def read_options(config: pytest.Config) -> Options:
    """Return the options of a test run.

    Raises:
        pytest.UsageError: an option is not valid.
    """
    given = config.getoption
    plan = given("--tracking-plan")
    if given("--satsuma-record") and given("--satsuma-compare"):
        raise pytest.UsageError("--satsuma-record writes what --satsuma-compare compares with: give one of them")
    try:
        read = read_plan(config.invocation_params.dir / plan) if plan else None
    except PlanError as error:
        raise pytest.UsageError(str(error)) from error
    if not given("--satsuma-cpu-throttling") >= 1:
        raise pytest.UsageError("--satsuma-cpu-throttling is how many times slower pages are: give a number from 1 on")
    url = given("--satsuma-collector")
    try:
        audit = rules_of(given("--identity-audit"))
    except AuditError as error:
        raise pytest.UsageError(f"--identity-audit: {error}") from error
    return Options(
        collector=url.rstrip("/") if url else None,
        token=given("--satsuma-token") or os.environ.get(TOKEN, ""),
        engine=given("--satsuma-engine"),
        cpu_throttling=given("--satsuma-cpu-throttling"),
        library=given("--satsuma-library"),
        report=given("--satsuma-report"),
        plan=read,
        record=given("--satsuma-record"),
        compare=given("--satsuma-compare"),
        golden=config.rootpath / config.getini("satsuma_golden"),
        intercept=(*given("--satsuma-intercept"), *config.getini("satsuma_intercept")),
        audit=audit,
    )
