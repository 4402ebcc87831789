"""The audit of what a test's collector has stored."""

from __future__ import annotations

import json

from satsuma_server.audit import Finding, Severity, run_audit
from satsuma_server.audit.history import history_of
from satsuma_server.testing import Collector


def wrong_findings(collector: Collector) -> dict[str, Finding]:
    """Return what is wrong, by rule."""
    events = []
    while page := collector.events(events[-1]["seq"] if events else 0):
        events += page
    with history_of(json.dumps(event).encode() for event in events) as history:
        return {one.rule: one for one in run_audit(history).findings if one.severity is Severity.WRONG}
