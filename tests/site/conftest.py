"""The shop without a browser, in front of a real collector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from satsuma_server.testing import Collector
from satsuma_shop.app import create_app
from starlette.testclient import TestClient


@pytest.fixture
def open_shop(collector: Collector, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """A function that opens a shop; each has a database of its own."""
    with ExitStack() as stack:

        def make(base_url: str = "http://testserver", **options: Any) -> TestClient:
            app = create_app(collector.url, collector.token, data=tmp_path / "shop", **options)
            return stack.enter_context(TestClient(app, base_url=base_url))

        yield make


@pytest.fixture
def shop(open_shop: Callable[..., TestClient]) -> TestClient:
    """A shop in demo mode."""
    return open_shop()
