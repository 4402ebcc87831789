"""The screen Sources tells what the limits are, and how long what is kept."""

from __future__ import annotations

from pathlib import Path

from console.conftest import TOKEN, Desk
from satsuma_server.console import Console
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.log.shared import SharedLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Limit, Limits, Settings, Source
from satsuma_server.testing import running
from starlette.testclient import TestClient


def test_limits_and_retention_are_shown(tmp_path: Path) -> None:
    sources = (Source("shop", limit=Limit(0.5, 7)), Source("blog"))
    limits = Limits(address=Limit(20), source=Limit(500))
    profiles = ProfileSettings(retention_days="forever")
    settings = Settings(tmp_path, token=TOKEN, sources=sources, limits=limits, retention_days=30, profiles=profiles)
    with running(tmp_path, token=TOKEN) as collector:
        app = create_worker(settings, SharedLog(tmp_path), lambda settings, log: [Console(settings, log)])
        with TestClient(app) as client:
            desk = Desk(collector, client)
            desk.log_in()
            text = desk.see("sources")
    assert "at most 0.5 events a second, 7 at once" in text
    assert "at most 500 events a second, 5000 at once" in text
    kept = "Kept: events for 30 days, rows of the warehouse for 30 days, people after their last event for ever."
    assert kept in text
    assert "From one address: at most 20 events a second, 200 at once" in text
