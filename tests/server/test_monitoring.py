"""What operators look at: the status of a collector, and dashboards and alerts that ask for metrics which there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from click.testing import Result
from satsuma_server.cli import app
from satsuma_server.destinations.store import Store
from satsuma_server.forwarding import destinations_from
from satsuma_server.log.shared import SharedLog
from satsuma_server.testing import Collector, running
from typer.testing import CliRunner

DEPLOY = Path(__file__).resolve().parents[2] / "server" / "deploy"
METRIC = re.compile(r"\bsatsuma_\w+")


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """A collector with a destination, whose answers were of each kind."""
    data = tmp_path / "data"
    crm = destinations_from([{"name": "crm", "type": "files", "path": str(tmp_path / "lake")}])
    with running(data, destinations=crm) as started:
        store = Store(data)
        store.add("crm", 0)
        store.pause("crm", True)
        store.close()
        batch = [{"type": "track", "event": "E", "anonymousId": "a", "messageId": f"m{n}"} for n in range(3)]
        for body in ({"batch": batch}, {"batch": [*batch, {"type": "track"}]}, {"batch": "none"}):
            httpx.post(f"{started.url}/v1/batch", json=body, trust_env=False)
        yield started


def ask(*args: str) -> Result:
    return CliRunner().invoke(app, ["status", *args], env={"COLUMNS": "200"})


def test_dashboard_and_alerts_ask_only_for_metrics_that_there_are(collector: Collector) -> None:
    headers = {"Authorization": f"Bearer {collector.token}"}
    text = httpx.get(f"{collector.url}/metrics", headers=headers, trust_env=False).text
    there = set(METRIC.findall("\n".join(line.split(" ")[0] for line in text.splitlines() if line[:1] != "#")))
    there |= set(re.findall(r"# TYPE (satsuma_\w+)", text))
    dashboard = json.loads((DEPLOY / "grafana.json").read_bytes())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = msgspec.yaml.decode((DEPLOY / "alerts.yaml").read_bytes())
    asked += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    assert len(asked) > 20
    assert {name for expression in asked for name in METRIC.findall(expression)} - there == set()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@pytest.mark.asyncio
async def test_status_tells_of_log_followers_and_destinations(collector: Collector, tmp_path: Path) -> None:
    log = SharedLog(tmp_path / "data")
    await log.save_cursor("warehouse", 1)
    await log.save_cursor("backup", 2**62)
    await log.close()
    told = httpx.get(f"{collector.url}/v1/status", headers={"Authorization": f"Bearer {collector.token}"}).json()
    assert (told["log"]["place"], told["log"]["last"], told["problem"]) == ("file", 3, None)
    assert [(one["name"], one["lag"], one["paused"]) for one in told["followers"]] == [
        ("warehouse", 2, False),
        ("crm", 3, True),
    ]
    assert told["events"] == {"accepted": 3, "duplicate": 3, "refused": 1}
    assert httpx.get(f"{collector.url}/v1/status").status_code == 401


def test_the_command_shows_all_collectors_and_fails_where_one_is_away(collector: Collector) -> None:
    shown = ask("--url", collector.url, "--token", collector.token)
    assert shown.exit_code == 0
    assert "newest event 3" in shown.output
    assert "3 behind, paused" in shown.output
    away = "http://127.0.0.1:9"
    both = ask("--url", collector.url, "--url", away, "--token", collector.token, "--json")
    assert both.exit_code == 1
    told = json.loads(both.stdout)["collectors"]
    assert told[collector.url]["log"]["last"] == 3
    assert "can't be reached" in told[away]["unreachable"]
