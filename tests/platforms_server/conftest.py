from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flows.faults import Faults, watched_collector
from satsuma_server.testing import Collector


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
