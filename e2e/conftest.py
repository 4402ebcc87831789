"""What all end-to-end tests have: one Chromium, which pytest-playwright starts once, and what the collector stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from clients.outcomes import Note
from flows.places import LOAD_OPTIONS, PAGE, SERVICE
from matrix.figures import Counts
from pytest_satsuma.engines import CHROMIUM, ENGINES
from satsuma_server.testing import Collector

Event = dict[str, Any]

WRITE = "--write-figures"
WRITE_CLIENTS = "--write-clients"

NAMES = "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.co.uk 127.0.0.1"
"""The tests' domains are this machine."""

LANGUAGE = "--accept-lang=en-US"
"""Chromium's headless shell sends no Accept-Language by itself; visitors' browsers do."""

AS_WITH_HTTPS = "--unsafely-treat-insecure-origin-as-secure=*.shop.test,*.other.test,*.shop.co.uk"
"""Browsers have service workers for sites with HTTPS only, and for 127.0.0.1."""

TAKEN_AWAY = ["--disable-back-forward-cache"]
"""What Playwright switches off, and visitors have."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", dest="satsuma_engine", choices=ENGINES, help="the same as --satsuma-engine")
    parser.addoption("--python", choices=LOAD_OPTIONS, default=PAGE, help="where Python lives in our library's pages")
    parser.addoption(WRITE, action="store_true", help="note what the tests come to for docs/browsers.md")
    parser.addoption(WRITE_CLIENTS, action="store_true", help="note what the tests come to for docs/clients.md")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(WRITE):
        config.pluginmanager.register(Counts(config.getoption("satsuma_engine") or CHROMIUM))
    if config.getoption(WRITE_CLIENTS):
        config.pluginmanager.register(Note())


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], request: pytest.FixtureRequest
) -> dict[str, Any]:
    """Launch arguments for every folder's tests."""
    given = browser_type_launch_args
    secure = [AS_WITH_HTTPS] if request.config.getoption("--python") == SERVICE else []
    return {**given, "args": [*given["args"], NAMES, LANGUAGE, *secure], "ignore_default_args": TAKEN_AWAY}


@pytest.fixture(scope="session")
def local_names() -> bool:
    """The same in the other engines."""
    return True


@pytest.fixture(scope="session")
def engine_browser(request: pytest.FixtureRequest) -> Any:
    """The browser of ``--engine``, of which tests make contexts themselves."""
    engine = request.config.getoption("satsuma_engine") or CHROMIUM
    if engine == CHROMIUM:
        return request.getfixturevalue("browser")
    return request.getfixturevalue("satsuma_engines")(engine)


PATIENCE = 90
"""Seconds that a test waits for an event. A plain Pyodide that boots on a busy machine may need most of it."""


def named(events: list[Event], type: str, name: str | None = None) -> list[Event]:
    """Return the events of a type (and of a name)."""
    return [event for event in events if event["type"] == type and (name is None or event.get("event") == name)]


@pytest.fixture
def stored(collector: Collector) -> Callable[..., Event]:
    """A function that waits for an event in the collector and returns the newest of its kind."""

    def wait(type: str, name: str | None = None, count: int = 1) -> Event:
        events = collector.wait_for(lambda events: len(named(events, type, name)) >= count, seconds=PATIENCE)
        return named(events, type, name)[-1]

    return wait
