"""What a monitor is told of destinations: how far each is behind, and what became of its messages."""

from __future__ import annotations

from pathlib import Path

import httpx
from destinations.receiver import is_done, settings_of, track, until, working, write
from satsuma_server.testing import running


def test_metrics_tell_of_each_destination_to_who_has_a_token(tmp_path: Path) -> None:
    (data := tmp_path / "data").mkdir()
    write(data, [track("1"), track("2"), {**track("3"), "type": "identify"}])
    tables = [
        {"name": "lake", "type": "files", "path": str(tmp_path / "lake"), "gather_seconds": 0, "types": ["track"]},
        {"name": "late", "type": "files", "path": str(tmp_path / "late"), "gather_seconds": 0},
    ]
    with working(data, *tables) as worker:
        until(lambda: is_done(worker, 3, "lake") and is_done(worker, 3, "late"))
        worker.post("/v1/destinations/late/pause").raise_for_status()
    write(data, [track("4")])
    with running(data, destinations=settings_of(*tables)) as collector:
        ask = httpx.Client(base_url=collector.url, trust_env=False)
        headers = {"Authorization": f"Bearer {collector.token}"}
        told = ask.get("/metrics", headers=headers).text
        assert 'satsuma_destination_delivered_total{destination="lake"} 2.0' in told
        assert 'satsuma_destination_skipped_total{destination="lake"} 1.0' in told
        assert 'satsuma_destination_delivered_total{destination="late"} 3.0' in told
        assert 'satsuma_destination_failed_total{destination="late"} 0.0' in told
        assert 'satsuma_destination_retried_total{destination="late"} 0.0' in told
        assert 'satsuma_destination_lag_events{destination="late"} 1.0' in told
        assert 'satsuma_destination_paused{destination="late"} 1.0' in told
        assert "satsuma_destination" not in ask.get("/metrics").text, "figures tell what was kept"


def test_metrics_go_on_without_the_file(tmp_path: Path) -> None:
    tables = [{"name": "lake", "type": "files", "path": str(tmp_path / "lake")}]
    (tmp_path / "destinations.sqlite3").write_bytes(b"no database" * 1000)
    with running(tmp_path, destinations=settings_of(*tables)) as collector:
        headers = {"Authorization": f"Bearer {collector.token}"}
        answer = httpx.get(f"{collector.url}/metrics", headers=headers, trust_env=False)
        assert answer.status_code == 200 and "satsuma_log_last_seq" in answer.text
