"""Our own flows go through the demo shop, with the collector behind it, and with either library in the pages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flows.console_desk import Desk, desk_of, refused, story, unplanned
from flows.faults import Faults, watched_collector
from flows.hostile_page import SPOILED_FOR_THE_SDK
from flows.places import LOAD_OPTIONS
from flows.reference_library import reference_cdn, stock_snippet
from flows.rewriting import rewritten
from flows.shopper import Shopper
from playwright.sync_api import Browser
from pytest_satsuma import LIBRARIES, Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from satsuma_shop.app import create_app

HOSTILE = "--hostile-page"
"""Has the pages of the shop replace the browser's built-in objects; an option of the specification's tests."""


@pytest.fixture
def collector_settings() -> dict[str, Any]:
    """Settings of the collector: where SATSUMA_RUNTIME names a folder, it serves that one's runtime."""
    runtime = os.environ.get("SATSUMA_RUNTIME")
    return {"runtime": Path(runtime)} if runtime else {}


@pytest.fixture
def shop_options() -> dict[str, Any]:
    """More arguments of the shop's `create_app`."""
    return {}


@pytest.fixture
def site(
    collector: Collector, tmp_path: Path, shop_options: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[str]:
    """The demo shop, with a database of its own; with ``--satsuma-library analytics-next``, with that library.

    With ``--python worker`` or ``service`` Python lives there. With ``--hostile-page`` its pages replace the built-in
    objects of the browser after the snippet has run.
    """
    shop = create_app(collector_url=collector.url, token=collector.token, data=tmp_path, **shop_options)
    with ExitStack() as stack:
        written = snippet("demo", options=LOAD_OPTIONS[request.config.getoption("--python")])
        if request.config.getoption("--satsuma-library") == LIBRARIES["analytics-next"].name:
            written = stock_snippet(stack.enter_context(reference_cdn(collector.url)), "demo")
        if request.config.getoption(HOSTILE, default=False):
            written += SPOILED_FOR_THE_SDK
        if written != snippet("demo"):
            shop = rewritten(shop, snippet("demo"), written)
        yield stack.enter_context(serving(shop))


@pytest.fixture(params=["page", "worker"])
def page_or_worker(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Load options by which Python runs in the page, and then in a worker."""
    return {"worker": True} if request.param == "worker" else {}


@pytest.fixture
def shopper(visitor: Visitor) -> Shopper:
    """A visitor in the shop."""
    return Shopper(visitor)


@pytest.fixture
def warnings(visitor: Visitor) -> list[str]:
    """What the page's console was warned of."""
    told: list[str] = []
    visitor.page.on("console", lambda line: line.type == "warning" and told.append(line.text))
    return told


@pytest.fixture
def faults() -> Faults:
    """What the collector `watched` was sent, and how it is to fail."""
    return Faults()


@pytest.fixture
def watched(faults: Faults, tmp_path: Path) -> Iterator[Collector]:
    """A real collector whose posts are written down in `faults`."""
    with watched_collector(tmp_path / "watched", faults) as started:
        yield started


@pytest.fixture(scope="session")
def console_desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A collector with its worker that has Peter's story: one for all of the console's tests, since it takes long."""
    with desk_of(tmp_path_factory.mktemp("console"), browser) as desk:
        desk.send(*story(time.time() * 1000), path="/v1/import")
        desk.send(*refused())
        for source in ("grove-web", "grove-app"):
            desk.send(*unplanned(), source=source)
        desk.wait_for_tables()
        yield desk
