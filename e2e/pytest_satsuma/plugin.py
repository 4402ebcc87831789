"""The pytest plugin: fixtures for a real browser, a real collector and expectations about both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext as AsyncBrowserContext
from playwright.async_api import Route as AsyncRoute
from playwright.sync_api import BrowserContext, Route
from satsuma_server.audit import Report
from satsuma_server.testing import Collector, running

from . import engines, options, verdict
from .aio import AsyncVisitor
from .browsers import engine_fixture
from .case import Case, External
from .errors import ExpectationError
from .expect import STORY, AsyncExpectations, Expectations
from .identity_audit import SessionEvents, as_text
from .libraries import named
from .report import write_report
from .visitor import Visitor

pytest_plugins = ["pytest_satsuma.browsers"]

type ExpectEvent = Callable[..., dict[str, Any]]

CASE = pytest.StashKey[Case]()
EVENTS = pytest.StashKey[SessionEvents]()
AUDIT = pytest.StashKey[Report]()
LEFT_OUT = pytest.StashKey[Counter[str]]()
"""How many tests were skipped for what an engine's driver can't do, by reason."""


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    given = config.stash[options.KEY] = options.read_options(config)
    config.pluginmanager.register(engine_fixture(given.engine), "satsuma_engine")
    config.stash[EVENTS] = SessionEvents()
    config.stash[LEFT_OUT] = Counter()
    config.addinivalue_line("markers", f"{verdict.UNPLANNED}: the tracking plan doesn't bind this test's events")
    config.addinivalue_line("markers", "unaudited: --identity-audit doesn't look at this test's events")


# What is started


@pytest.fixture
def satsuma_case(request: pytest.FixtureRequest, output_path: str) -> Case:
    """The state and timeline of this test."""
    case = Case(request.node.nodeid, Path(output_path))
    request.node.stash[CASE] = case
    return case


@pytest.fixture
def collector_settings() -> dict[str, Any]:
    """Settings of the collector, by their names in `satsuma_server.settings.Settings`. Override it to change them."""
    return {}


@pytest.fixture
def collector(
    request: pytest.FixtureRequest, tmp_path: Path, satsuma_case: Case, collector_settings: dict[str, Any]
) -> Iterator[Collector]:
    """A real collector on a free port, a fresh one for each test, or the one that ``--satsuma-collector`` names."""
    given = request.config.stash[options.KEY]
    if given.collector:
        found = External(given.collector, given.token)
        satsuma_case.collectors.append(found)
        yield found
        return
    with running(tmp_path / "collector", **collector_settings) as started:
        satsuma_case.collectors.append(started)
        yield started


@pytest.fixture
def site(base_url: str) -> str:
    """URL of the site under test: pytest's ``--base-url``, unless the project overrides this fixture.

    Raises:
        pytest.UsageError: no URL is given.
    """
    if not base_url:
        raise pytest.UsageError("no site to test: give --base-url URL, or write a fixture called `site`")
    return base_url


@pytest.fixture
def new_device(
    new_browser: Callable[[], BrowserContext], site: str, satsuma_case: Case, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Visitor]]:
    """A function that creates another visitor, on another device. The test fails if a page has an error."""
    given = request.config.stash[options.KEY]
    visitors: list[Visitor] = []

    def make() -> Visitor:
        context = new_browser()
        for origin in given.intercept:
            _divert(context, origin, request.getfixturevalue("collector").url)
        label = f"device {len(visitors) + 1}" if visitors else "visitor"
        visitor = Visitor(context, site, libraries=named(given.library), label=label, timeline=satsuma_case.timeline)
        visitors.append(visitor)
        satsuma_case.tabs.append(visitor)
        return visitor

    yield make
    errors = [error for visitor in visitors for error in visitor.errors]
    assert not errors, f"the pages made errors: {errors}"


@pytest.fixture
def visitor(new_device: Callable[[], Visitor]) -> Visitor:
    """A visitor who has never been on the site. The test fails if a page has an error."""
    return new_device()


@pytest.fixture
def second_tab(visitor: Visitor, satsuma_case: Case) -> Callable[[], Visitor]:
    """A function that opens another tab of `visitor`, with the same cookies and localStorage."""

    def make() -> Visitor:
        satsuma_case.tabs.append(visitor.new_tab())
        tab = satsuma_case.tabs[-1]
        assert isinstance(tab, Visitor)
        return tab

    return make


@pytest.fixture
def async_visitor(
    site: str, satsuma_case: Case, request: pytest.FixtureRequest
) -> Iterator[Callable[[AsyncBrowserContext], Awaitable[AsyncVisitor]]]:
    """A coroutine function that creates a visitor from a context of Playwright's asynchronous API.

    It is for tests that run in an event loop and start Playwright themselves. The test fails if a page has an error.
    """
    given = request.config.stash[options.KEY]
    visitors: list[AsyncVisitor] = []

    async def make(context: AsyncBrowserContext) -> AsyncVisitor:
        for origin in given.intercept:
            await context.route(_posts(origin), _answerer(origin, request.getfixturevalue("collector").url))
        label = f"device {len(visitors) + 1}" if visitors else "visitor"
        visitors.append(
            await AsyncVisitor.open(
                context, site, libraries=named(given.library), label=label, timeline=satsuma_case.timeline
            )
        )
        satsuma_case.tabs.append(visitors[-1])
        return visitors[-1]

    yield make
    errors = [error for visitor in visitors for error in visitor.errors]
    assert not errors, f"the pages made errors: {errors}"


def _divert(context: BrowserContext, origin: str, collector: str) -> None:
    """Send to the collector what pages post to the tracking API of another origin."""

    def answer(route: Route) -> None:
        route.fulfill(response=route.fetch(url=_moved(route.request.url, origin, collector)))

    context.route(_posts(origin), answer)


def _answerer(origin: str, collector: str) -> Callable[[AsyncRoute], Awaitable[None]]:
    async def answer(route: AsyncRoute) -> None:
        await route.fulfill(response=await route.fetch(url=_moved(route.request.url, origin, collector)))

    return answer


def _posts(origin: str) -> str:
    return f"{origin.rstrip('/')}/v1/**"


def _moved(url: str, origin: str, collector: str) -> str:
    return collector + url.removeprefix(origin.rstrip("/"))


# Expectations


@pytest.fixture
def expectations(collector: Collector, satsuma_case: Case) -> Expectations:
    """All expectations of this test, on its `collector`."""
    return Expectations(collector, satsuma_case)


@pytest.fixture
def async_expectations(collector: Collector, satsuma_case: Case) -> AsyncExpectations:
    """All expectations, for tests that run in an event loop."""
    return AsyncExpectations(collector, satsuma_case)


@pytest.fixture
def expect_event(expectations: Expectations) -> ExpectEvent:
    """Waits for an event in the collector: `Expectations.event`."""
    return expectations.event


@pytest.fixture
def expect_no_event(expectations: Expectations) -> Callable[..., None]:
    """Checks that an event doesn't arrive: `Expectations.no_event`."""
    return expectations.no_event


@pytest.fixture
def expect_order(expectations: Expectations) -> Callable[..., list[dict[str, Any]]]:
    """Waits for events in this order: `Expectations.order`."""
    return expectations.order


@pytest.fixture
def expect_same_visitor(expectations: Expectations) -> Callable[..., None]:
    """Waits until two identities are the same: `Expectations.same_visitor`."""
    return expectations.same_visitor


@pytest.fixture
def expect_new_visitor(expectations: Expectations) -> Callable[..., None]:
    """Waits until a visitor is a new one: `Expectations.new_visitor`."""
    return expectations.new_visitor


@pytest.fixture
def expect_identified(expectations: Expectations) -> Callable[..., Any]:
    """Waits until a visitor has a userId: `Expectations.identified`."""
    return expectations.identified


# After each test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Check the events of a test that has passed, against the tracking plan and the golden files."""
    result = yield
    case = item.stash.get(CASE, None)
    if case is not None and case.collectors:
        for tab in case.tabs:
            if isinstance(tab, Visitor):
                tab.settle()
        planned = item.get_closest_marker(verdict.UNPLANNED) is None
        try:
            verdict.judge(case, item.nodeid, item.config.stash[options.KEY], planned=planned)
        except ExpectationError as error:
            # No line of the test caused this, so there is no traceback to show.
            pytest.fail(str(error), pytrace=False)
        if item.config.stash[options.KEY].audit and item.get_closest_marker("unaudited") is None:
            item.config.stash[EVENTS].add(item.nodeid, case.events())
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the timeline to the report of a test that has failed, and write the HTML report."""
    made = yield
    if made.skipped and isinstance(made.longrepr, tuple) and (reason := engines.left_out(str(made.longrepr[2]))):
        item.config.stash[LEFT_OUT][reason] += 1
    case = item.stash.get(CASE, None)
    wish = item.config.stash[options.KEY].report
    if case is None or wish == "off" or not case.timeline.entries or (made.when != "call" and made.passed):
        return made
    if made.when == "call":
        for tab in case.tabs:
            if isinstance(tab, Visitor):
                tab.look()
    if made.failed and STORY not in made.longreprtext:
        made.sections.append(("What happened", case.as_text()))
    if made.failed or wish == "all":
        path = write_report(case, "failed" if made.failed else "passed", made.longreprtext)
        made.sections.append(("Timeline", str(path)))
        made.user_properties.append(("satsuma_timeline", str(path)))
    return made


# After the session


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a worker of pytest-xdist has gathered."""
    node.config.stash[EVENTS].take(getattr(node, "workeroutput", {}).get("satsuma_events", []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hold the events of the whole session against the rules of the audit, and fail it where one is broken."""
    config = session.config
    rules, events = config.stash[options.KEY].audit, config.stash[EVENTS]
    if not rules:
        return
    if hasattr(config, "workeroutput"):
        config.workeroutput["satsuma_events"] = events.lines
        return
    report = config.stash[AUDIT] = events.audited(rules)
    if report.findings and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what the audit has found, and what the driver of an engine left out."""
    left_out = config.stash[LEFT_OUT]
    if left_out:
        terminalreporter.section("left out in this engine")
        for reason, count in left_out.most_common():
            terminalreporter.write_line(f"{count} tests: {reason}")
    report = config.stash.get(AUDIT, None)
    if report is not None:
        terminalreporter.section("identity audit", red=bool(report.findings), green=not report.findings)
        terminalreporter.write_line(as_text(report, config.stash[EVENTS]))
