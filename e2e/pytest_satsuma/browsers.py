"""Fixtures that give visitors their browsers: Playwright's, or another engine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from . import engines, options
from .chromium import launch_args, throttled


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's launch arguments, with the browser and the flags that tests need."""
    return launch_args(browser_type_launch_args)


@pytest.fixture(scope="session")
def local_names() -> bool:
    """Whether all names lead to this machine in the engines that Playwright doesn't drive. Override it to have it so;
    Chromium has the launch argument ``--host-resolver-rules`` for that."""
    return False


@pytest.fixture(scope="session")
def satsuma_engines(local_names: bool) -> Iterator[Callable[[str], Any]]:
    """A function that returns the browser of an engine that Playwright doesn't drive; it is started when first asked
    for."""
    started: dict[str, Any] = {}
    with ExitStack() as stack:

        def browser_of(engine: str) -> Any:
            if reason := engines.missing(engine):
                pytest.skip(reason)
            if engine not in started:
                started[engine] = stack.enter_context(engines.starter(engine)(local_names))
            return started[engine]

        yield browser_of


@pytest.fixture
def new_browser(
    request: pytest.FixtureRequest, satsuma_engine: str, satsuma_engines: Callable[[str], Any]
) -> Iterator[Callable[[], Any]]:
    """A function that creates a browser context that was never anywhere, Playwright's or another engine's."""
    if satsuma_engine == engines.CHROMIUM:
        rate = request.config.stash[options.KEY].cpu_throttling
        new_context = request.getfixturevalue("new_context")
        yield new_context if rate == 1 else lambda: throttled(new_context(), rate)
        return
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(satsuma_engines(satsuma_engine).new_context()))


class PlaywrightsEngine:
    """The engine's fixture where Playwright drives.

    It requests `browser_name`, so that visitors' tests run in each browser that ``--browser`` names, and their ids say
    in which, as pytest-playwright's own tests.
    """

    @pytest.fixture
    def satsuma_engine(self, browser_name: str) -> str:
        """The engine of the visitors' browsers: ``--satsuma-engine``, unless the project overrides this fixture."""
        return engines.CHROMIUM


class OtherEngine:
    """The engine's fixture where Playwright doesn't drive."""

    @pytest.fixture
    def satsuma_engine(self, request: pytest.FixtureRequest) -> str:
        """The engine of the visitors' browsers: ``--satsuma-engine``, unless the project overrides this fixture."""
        return request.config.stash[options.KEY].engine


def engine_fixture(engine: str) -> object:
    """Return the plugin that holds the fixture `satsuma_engine`."""
    return PlaywrightsEngine() if engine == engines.CHROMIUM else OtherEngine()
