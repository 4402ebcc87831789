"""Both libraries on their stages, for all scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import pytest
from parity.device import Device
from parity.normal import normalise
from parity.player import Player
from parity.report import DOCUMENT, render
from parity.stage import OURS, REFERENCE, Stage, staged
from parity.story import Scenario

WRITE = "--write-parity"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(WRITE, action="store_true", help="write docs/parity.md before the scenarios are compared")


def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.getoption(WRITE, default=False):
        DOCUMENT.write_text(render())


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[str, Stage]]:
    """A stage for each library."""
    python = request.config.getoption("--python")
    with ExitStack() as stack:
        yield {
            library: stack.enter_context(staged(library, tmp_path_factory.mktemp(library), python))
            for library in (REFERENCE, OURS)
        }


@pytest.fixture(scope="session")
def devices(engine_browser: Any, stages: dict[str, Stage]) -> Iterator[dict[str, Device]]:
    """A device for each library, whose HTTP cache is warm: booting a cold one 200 times takes minutes."""
    yield {library: Device(engine_browser.new_context()) for library in stages}


@pytest.fixture
def play(devices: dict[str, Device], stages: dict[str, Stage]) -> Callable[[str, Scenario], dict[str, Any]]:
    """A function that plays a scenario with a library, on a device that remembers nothing, and tells what was seen."""

    def run(library: str, scenario: Scenario) -> dict[str, Any]:
        device = devices[library]
        player = Player(stages[library], device, scenario)
        try:
            return normalise(asdict(player.play()), stages[library].load)
        finally:
            device.forget(player.origins)

    return run
