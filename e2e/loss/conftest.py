"""Visitors new and known, on one scene."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from loss.scene import OURS, Scene, set_up
from loss.walk import Walk
from playwright.sync_api import BrowserContext

NUMBERS = count(1)


@pytest.fixture(scope="session")
def python(request: pytest.FixtureRequest) -> str:
    """Where Python lives in our library's pages."""
    place: str = request.config.getoption("--python")
    return place


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory, python: str) -> Iterator[Scene]:
    """Our library's scene, one for all tests: each has visitors, and names of calls, of its own."""
    with set_up(OURS, tmp_path_factory.mktemp("loss"), python=python) as scene:
        yield scene


@pytest.fixture(scope="session")
def warm_browser(engine_browser: Any, street: Scene) -> Iterator[BrowserContext]:
    """A browser that has the library in its cache."""
    context = engine_browser.new_context()
    Walk(street, context, "vwarm").come_back().close()
    yield context
    context.close()


@pytest.fixture
def scene(street: Scene) -> Iterator[Scene]:
    """Our library, and a network that is well; afterwards it is again."""
    yield street
    street.front.clear_up()


@pytest.fixture
def walk(engine_browser: Any, scene: Scene) -> Iterator[Walk]:
    """A visitor who was never here."""
    context = engine_browser.new_context()
    yield Walk(scene, context, f"v{next(NUMBERS)}")
    context.close()


@pytest.fixture
def regular(warm_browser: BrowserContext, scene: Scene) -> Iterator[Walk]:
    """A visitor who was here before; afterwards no tab is open."""
    yield Walk(scene, warm_browser, f"v{next(NUMBERS)}")
    warm_browser.set_offline(False)
    for tab in [*warm_browser.pages]:
        tab.close()


@pytest.fixture
def browser_with_history(engine_browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A browser that keeps pages as they were left, for the way back: Chromium's headless shell keeps none."""
    whole = os.environ.get("SATSUMA_WHOLE_CHROMIUM")
    if request.config.getoption("satsuma_engine") not in (None, "chromium"):
        yield engine_browser
    elif whole:
        arguments = {**request.getfixturevalue("browser_type_launch_args"), "executable_path": whole}
        started = request.getfixturevalue("browser_type").launch(**arguments)
        yield started
        started.close()
    elif "headless" in os.environ.get("SATSUMA_CHROMIUM", ""):
        pytest.skip("the headless shell keeps no pages: name a whole Chromium in SATSUMA_WHOLE_CHROMIUM")
    else:
        yield engine_browser


@pytest.fixture
def regular_with_history(browser_with_history: Any, scene: Scene) -> Iterator[Walk]:
    """The same visitor in that browser."""
    context = browser_with_history.new_context()
    walk = Walk(scene, context, f"v{next(NUMBERS)}")
    walk.come_back().close()
    yield walk
    context.close()
