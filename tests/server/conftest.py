from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from satsuma_server.testing import Collector, running


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """A real collector on a free port."""
    with running(tmp_path / "data") as started:
        yield started


@pytest.fixture
def client(collector: Collector) -> Iterator[httpx.Client]:
    """An HTTP client of the collector."""
    with httpx.Client(base_url=collector.url, trust_env=False) as opened:
        yield opened
