from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flows.faults import Faults, watched_collector
from satsuma.platforms.server import Client
from satsuma_server.testing import Collector
from wire import Wire


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client would go through the machine's proxy, even to the machine itself."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def faults() -> Faults:
    """What the collector `watched` was sent, and how it is to fail."""
    return Faults()


@pytest.fixture
def watched(faults: Faults, tmp_path: Path) -> Iterator[Collector]:
    """A real collector whose posts are written down in `faults`."""
    with watched_collector(tmp_path / "watched", faults) as started:
        yield started


@pytest.fixture
def wire() -> Wire:
    """What stands in the collector's place."""
    return Wire()


@pytest.fixture
def client(wire: Wire) -> Iterator[Client]:
    """A client over the `wire`."""
    with Client("demo", "http://collector.test", transport=wire, batch_wait=0.01) as made:
        yield made
