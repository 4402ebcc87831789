"""The pytest plugin: fixtures that put a real browser in front of a real collector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from satsuma_server.testing import Collector, running

from .chromium import launch_args
from .visitor import Visitor


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's launch arguments, with the browser and the flags that tests need."""
    return launch_args(browser_type_launch_args)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """A real collector on a free port, fresh for each test."""
    with running(tmp_path / "collector") as started:
        yield started


@pytest.fixture
def site(base_url: str) -> str:
    """URL of the site under test: pytest's ``--base-url``, unless a project's own fixture gives another.

    Raises:
        pytest.UsageError: there is none.
    """
    if not base_url:
        raise pytest.UsageError("no site to test: give --base-url URL, or write a fixture called `site`")
    return base_url


@pytest.fixture
def new_device(browser: Browser, site: str) -> Iterator[Callable[[], Visitor]]:
    """A function that gives another visitor, on a device of its own."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def make() -> Visitor:
        context = browser.new_context()
        contexts.append(context)
        visitors.append(Visitor(context, site))
        return visitors[-1]

    yield make
    errors = [error for visitor in visitors for error in visitor.errors]
    for context in contexts:
        context.close()
    assert not errors, f"the pages made errors: {errors}"


@pytest.fixture
def visitor(new_device: Callable[[], Visitor]) -> Visitor:
    """A visitor who has never been on the site. Fails the test if the page makes an error."""
    return new_device()
