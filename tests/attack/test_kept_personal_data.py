"""Places where personal data stays although a setting or a deletion says that it doesn't."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from attack.conftest import TOKEN, wait_until
from satsuma_server.plans.violations import Violations
from satsuma_server.testing import running
from satsuma_server.warehouse.schema.catalog import MOST_COLUMNS
from warehouse.made import event, warehouse

VISITOR = "203.0.113.77"
VISITOR_6 = "2001:db8:1:2:3:4:5:6"


def send(url: str, batch: list[dict[str, Any]], headers: dict[str, str] | None = None, **body: Any) -> None:
    content = {"batch": batch, "writeKey": "shop", **body}
    answer = httpx.post(f"{url}/v1/batch", json=content, headers=headers, trust_env=False, timeout=60)
    assert answer.status_code in (200, 400), answer.text


def read(url: str, path: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{url}{path}", headers=TOKEN, trust_env=False, timeout=60)
    return [json.loads(line) for line in answer.text.splitlines()]


def test_an_address_that_an_event_gives_itself_is_masked_too(tmp_path: Path) -> None:
    seen: dict[str, Any] = {"type": "track", "event": "Seen", "anonymousId": "a"}
    with running(tmp_path, mask_ip=True) as collector:
        # The fast path, the slow one, one with the address in the batch, and none at all.
        slow = {**seen, "unknown": 1, "context": {"ip": VISITOR_6}}
        send(collector.url, [{**seen, "context": {"ip": VISITOR}}, slow])
        send(collector.url, [seen], context={"ip": VISITOR})
        send(collector.url, [{**seen, "context": {"ip": {"v4": VISITOR}}}, seen])
        send(collector.url, [{"type": "track", "anonymousId": "a", "context": {"ip": VISITOR}}, seen])
        ips = [event["context"]["ip"] for event in read(collector.url, "/v1/events")]
        assert ips == ["203.0.113.0", "2001:db8:1::", "203.0.113.0", None, "127.0.0.0", "127.0.0.0"]
        [letter] = read(collector.url, "/v1/refused")
        assert "203.0.113.0" in json.dumps(letter)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and VISITOR.encode() in path.read_bytes()] == []


def test_a_program_of_this_machine_can_not_pretend_to_be_another_address(tmp_path: Path) -> None:
    forged = {"X-Forwarded-For": VISITOR, "X-Forwarded-Proto": "https"}
    with running(tmp_path) as collector:
        send(collector.url, [{"type": "track", "event": "Seen", "anonymousId": "a"}], forged)
        assert [event["context"]["ip"] for event in read(collector.url, "/v1/events")] == ["127.0.0.1"]


PLAN = """
[track.Ordered.properties]
total = {type = "number"}
code = {pattern = "^[A-Z]+$"}
size = {enum = ["s", "m"]}
"""


@pytest.mark.parametrize("mode", ["mark", "refuse"])
def test_counts_of_violations_have_no_values(tmp_path: Path, mode: str) -> None:
    plan, data = tmp_path / "plan.toml", tmp_path / "data"
    plan.write_text(PLAN)
    values = {"total": "ann@shop.test", "code": "ann-secret", "size": "ann-size"}
    with running(data, plan=plan, plan_mode=mode) as collector:
        send(collector.url, [{"type": "track", "event": "Ordered", "userId": "u", "properties": values}])
        counted = read(collector.url, "/v1/violations")
        assert "ann" not in json.dumps(counted)
        reasons = {one["path"]: one["reason"] for one in counted}
        assert reasons[".properties.total"] == "is of type string, not of type number"
        assert "^[A-Z]+$" in reasons[".properties.code"]
        assert "'s', 'm'" in reasons[".properties.size"]
        file = data / "violations.json"
        wait_until(lambda: file.exists(), "the counts")
    assert "ann" not in file.read_text()


def test_values_in_counts_of_an_earlier_version_go(tmp_path: Path) -> None:
    row: dict[str, Any] = {"source": "shop", "type": "track", "event": "Ordered", "rule": "pattern"}
    row |= {"path": ".properties.code", "reason": "'ann-secret' does not match '^[A-Z]+$'", "count": 3}
    (tmp_path / "violations.json").write_text(json.dumps([row]))
    [count] = Violations(tmp_path).list()
    assert (count["reason"], count["count"]) == ("is not as pattern says", 3)


def test_warnings_in_logs_have_no_names_from_events(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with warehouse(tmp_path) as made:
        fields = {f"ann_secret_{number}": 1 for number in range(MOST_COLUMNS + 1)}
        made.load(event(1, event="Ann Secret", properties=fields))
        made.load({**event(2), "type": "track", "messageId": None, "event": "Ann Secret"})
        assert len(made.loader.notices()) == 2
    assert [record.getMessage() for record in caplog.records if record.name == "satsuma.warehouse"]
    assert [record for record in caplog.records if "secret" in str(vars(record)).lower()] == []
