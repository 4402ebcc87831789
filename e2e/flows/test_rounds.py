"""The page's event loop: what waits comes in its time, and what never ends leaves the page room to move."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flows.plugin_site import serving_plugins
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector

PLUGIN = """
import asyncio

from satsuma.pipeline import PluginKind


class Restless:
    name = "Restless"
    kind = PluginKind.BEFORE

    def load(self, analytics):
        self.works = asyncio.get_running_loop().create_task(self.work())

    async def work(self):
        while True:
            await asyncio.sleep(0)

    async def track(self, context):
        order = []
        loop = asyncio.get_running_loop()
        loop.call_later(0.02, order.append, "second")
        loop.call_later(0.01, order.append, "first")
        loop.call_later(0.015, order.append, "never").cancel()
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.05)
        except TimeoutError:
            order.append("timeout")
        context.event["properties"]["order"] = order


plugins = [Restless()]
"""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page with a plugin that never rests, and waits on each event."""
    with serving_plugins(collector, "restless", {"/restless.py": PLUGIN}) as url:
        yield url


def test_timers_ring_in_order_beside_work_that_never_ends(site: str, visitor: Visitor) -> None:
    visitor.visit(site)
    order = visitor.evaluate("() => analytics.track('Waited').then((context) => context.event.properties.order)")
    assert order == ["first", "second", "timeout"]
    assert visitor.evaluate("() => new Promise((go) => setTimeout(() => go('moved'), 20))") == "moved"
