"""A page whose loader never comes, and what arrives of such pages."""

from __future__ import annotations

from satsuma_server.testing import Collector

NO_LOADER = """
    const append = Node.prototype.appendChild;
    Node.prototype.appendChild = function (node) {
        return sessionStorage.up || !String(node.src).includes("analytics.min.js") ? append.call(this, node) : node;
    };
"""
"""The loader never comes, and so neither does Python, until ``sessionStorage.up``. (Playwright's own way to block it
would hold back the beacons of a page that closes.)"""


def names(collector: Collector, count: int) -> list[str]:
    """Wait for so many events; return the names of all that are stored, and of other calls their types."""
    events = collector.wait_for(lambda events: len(events) >= count)
    return [event.get("event", event["type"]) for event in events]
