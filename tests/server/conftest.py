from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from satsuma_server.testing import Collector


@pytest.fixture
def client(collector: Collector) -> Iterator[httpx.Client]:
    """An HTTP client of the collector."""
    with httpx.Client(base_url=collector.url, trust_env=False, timeout=60) as opened:
        yield opened
