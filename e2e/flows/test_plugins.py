"""Plugins that a page brings along: in Python, in JavaScript, and both at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.plugin_site import serving_plugins
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector

Stored = Callable[..., dict[str, Any]]

PLUGIN = '''
from satsuma.pipeline import Cancelled, PluginKind


class Tidy:
    """Upper-cases currencies, and keeps test orders back."""

    name = "Tidy"
    kind = PluginKind.BEFORE

    def track(self, context):
        properties = context.event["properties"]
        if properties.get("test"):
            raise Cancelled("a test order")
        if "currency" in properties:
            properties["currency"] = properties["currency"].upper()
        return context


plugins = [Tidy()]
'''
JAVASCRIPT = """async () => {
    window.told = [];
    await analytics.register({
        name: "Pixel", type: "destination", version: "1", isLoaded: () => true, load: async () => {},
        track: (ctx) => { told.push(ctx.event.properties.currency); return ctx; },
    });
    await analytics.addDestinationMiddleware("Pixel", ({payload, integration, next}) => {
        payload.obj.properties.currency += `@${integration}`;
        next(payload);
    });
    await analytics.track("Ordered", {currency: "eur"});
    return told;
}"""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page with plugins in Python: one that works, one that is broken, one that isn't there."""
    modules = {"/tidy.py": PLUGIN, "/broken.py": "plugins = [1 / 0]", "/missing.py": None}
    with serving_plugins(collector, "plugged", modules) as url:
        yield url


def test_a_plugin_in_python_changes_and_stops_events(
    visitor: Visitor, stored: Stored, collector: Collector, warnings: list[str]
) -> None:
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Ordered', {test: true}).then(() => null)")
    visitor.evaluate("() => analytics.track('Ordered', {currency: 'eur'}).then(() => null)")
    assert stored("track", "Ordered")["properties"] == {"currency": "EUR"}
    assert len(collector.events()) == 2
    assert sum("/broken.py" in line and "ZeroDivisionError" in line for line in warnings) == 1
    assert sum("/missing.py" in line and "404" in line for line in warnings) == 1
    assert all("404" in error for error in visitor.errors)
    visitor.errors.clear()


def test_plugins_of_both_languages_see_the_same_event(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    assert visitor.evaluate(JAVASCRIPT) == ["EUR@Pixel"]
    assert stored("track", "Ordered")["properties"] == {"currency": "EUR"}
    visitor.errors.clear()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import socket; socket.create_connection(('localhost', 1))", "socket.create_connection"),
        ("import subprocess; subprocess.run(['ls'])", "subprocess.run"),
        ("'日本'.encode('shift_jis')", "unknown encoding: shift_jis"),
        ("import _codecs_jp", "import of _codecs_jp halted"),
    ],
)
def test_what_no_page_can_use_says_so(collector: Collector, visitor: Visitor, text: str, told: str) -> None:
    """The interpreter of a page comes without it, to be small."""
    with serving_plugins(collector, "reaching", {"/reaching.py": text}) as url:
        with visitor.page.expect_console_message(lambda line: told in line.text):
            visitor.page.goto(url)
        assert visitor.evaluate("() => analytics.track('Still There').then((context) => context.delivered)") is True
