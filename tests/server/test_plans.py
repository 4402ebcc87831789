"""Tracking plans: what they say, how they are inferred, and how the collector holds events against them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.cli import app
from satsuma_server.errors import PlanError
from satsuma_server.plans import Plan, infer_plan, read_plan, write_plan
from satsuma_server.plans.file import make_plan
from satsuma_server.plans.violations import MOST
from satsuma_server.settings import Settings, make_settings
from satsuma_server.testing import Collector, running
from typer.testing import CliRunner

PLAN = """
title = "Grove"

[every.properties.userId]
not = {pattern = "@"}

[identify.properties.email]
type = "string"
format = "email"

[track."Signed Up"]
required = ["plan"]
additionalProperties = false
[track."Signed Up".properties]
plan = {enum = ["pips", "grove"]}
seats = {type = "integer"}
"""


def track(name: str = "Signed Up", **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "anonymousId": "a1", "properties": properties}


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    """The plan, in a file."""
    file = tmp_path / "plan.toml"
    file.write_text(PLAN)
    return file


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (track(plan="pips"), []),
        (track(plan="pips", seats=3), []),
        (track(), [(".properties.plan", "required")]),
        (track(plan="gold"), [(".properties.plan", "enum")]),
        (track(plan="pips", seats="3"), [(".properties.seats", "type")]),
        (track(plan="pips", seats=True), [(".properties.seats", "type")]),
        (track(plan="pips", more=1), [(".properties.more", "additionalProperties")]),
        (track("Sined Up"), [("", "unplanned")]),
        ({**track(plan="pips"), "properties": None}, [(".properties.plan", "required")]),
        ({**track(plan="pips"), "userId": "peter@example.com"}, [(".userId", "not")]),
        ({"type": "identify", "userId": "u1", "traits": {"email": "nobody"}}, [(".traits.email", "format")]),
        ({"type": "page", "anonymousId": "a1"}, []),
    ],
)
def test_a_plan_tells_what_is_wrong_and_where(plan_file: Path, event: dict[str, Any], told: list[Any]) -> None:
    assert [(one.path, one.rule) for one in read_plan(plan_file).check(event)] == told


def test_what_is_told_of_a_hostile_event_is_bounded(plan_file: Path) -> None:
    hostile = track(**{f"x{n}" * 100: "<script>" * 2_000 for n in range(500)}, plan="y" * 30_000)
    found = read_plan(plan_file).check(hostile)
    assert 0 < len(found) <= 20
    assert all(len(one.path) < 200 and len(one.reason) < 200 for one in found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trak = {}", "trak"),
        ("= 3", "line 1"),
        ("track = 3", "track is not a table"),
        ('[track.A]\ntype = "text"', "track.'A' is no JSON schema"),
        ('[track.A]\n"$ref" = "https://elsewhere.example/s.json"', "elsewhere.example"),
        ("unplanned = 1", "unplanned"),
    ],
)
def test_what_is_no_plan_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text)
    with pytest.raises(PlanError, match=told):
        read_plan(file)


def test_json_says_the_same_as_toml(plan_file: Path, tmp_path: Path) -> None:
    plan = read_plan(plan_file)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"title": "Grove", "every": plan.every, "track": plan.track, **plan.calls}))
    assert read_plan(file) == plan


def test_an_inferred_plan_is_kept_by_what_it_came_from_and_broken_by_what_differs() -> None:
    lines = [{"sku": "a", "price": 1}, {"sku": "b", "price": 2.5, "gift": True}]
    events = [
        track("Order Completed", products=[line], coupon=coupon)
        for line, coupon in zip(lines, (None, "X"), strict=True)
    ]
    events.append({"type": "identify", "userId": "u1", "traits": {"name": "P", "address": {"city": "P"}}})
    inferred = infer_plan(events, "Grove")
    plan = make_plan(tomllib.loads(write_plan(inferred)))
    assert plan == inferred
    assert [one for event in events for one in plan.check(event)] == []
    assert [one.path for one in plan.check(track("Order Completed", products=[{"sku": 3, "price": 1}], coupon=""))] == [
        ".properties.products[0].sku"
    ]
    assert [one.path for one in plan.check(track("Order Completed", products=[]))] == [".properties.coupon"]
    assert [one.rule for one in plan.check(track("Order Complete"))] == ["unplanned"]


def post(collector: Collector, *events: dict[str, Any], key: str = "demo") -> dict[str, Any]:
    body = {"batch": list(events), "writeKey": key}
    answer: dict[str, Any] = httpx.post(f"{collector.url}/v1/batch", json=body, trust_env=False).json()
    return answer


def read(collector: Collector, path: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {collector.token}"}
    answer = httpx.get(f"{collector.url}/v1/{path}", headers=headers, trust_env=False)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def test_marked_events_are_kept_and_counted_over_a_restart(plan_file: Path, tmp_path: Path) -> None:
    bad = {**track(plan=7), "messageId": "m1", "context": {"protocols": {"own": 1}}}
    with running(tmp_path / "data", plan=plan_file) as collector:
        assert post(collector, track(plan="pips"), bad, bad | {"messageId": "m2"}) == {"success": True}
        good, marked, _ = collector.events()
        assert "protocols" not in good["context"]
        [told] = marked["context"]["protocols"]["violations"]
        assert (told["path"], told["rule"]) == (".properties.plan", "enum")
        assert marked["context"]["protocols"]["own"] == 1
        assert "satsuma_plan_violations 2.0" in httpx.get(f"{collector.url}/metrics", trust_env=False).text
    with running(tmp_path / "data", plan=plan_file) as collector:
        [count] = read(collector, "violations")
    assert (count["event"], count["path"], count["count"], count["refused"]) == ("Signed Up", ".properties.plan", 2, 0)
    assert (count["source"], count["messageId"]) == ("demo", "m2")


def test_refused_events_are_kept_among_the_refused(plan_file: Path, tmp_path: Path) -> None:
    with running(tmp_path / "data", plan=plan_file, plan_mode="refuse") as collector:
        answer = post(collector, track(plan="pips"), track("Sined Up"))
        [fault] = answer["refused"]
        assert (fault["index"], fault["path"]) == (1, ".event")
        assert "not in the tracking plan" in fault["reason"]
        assert len(collector.events()) == 1
        [letter] = read(collector, "refused")
        assert json.loads(letter["raw"])["event"] == "Sined Up"
        assert "Sined Up" in letter["reason"]
        [count] = read(collector, "violations")
        assert (count["rule"], count["count"], count["refused"]) == ("unplanned", 1, 1)


def test_each_source_may_have_a_plan_and_a_mode_of_its_own(plan_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "satsuma.toml"
    (tmp_path / "free.toml").write_text("unplanned = true")
    file.write_text(
        "plan = 'plan.toml'\n"
        "[[sources]]\nwrite_key = 'strict'\nplan_mode = 'refuse'\n"
        "[[sources]]\nwrite_key = 'free'\nplan = 'free.toml'\n"
        "[[sources]]\nwrite_key = 'marked'\n"
    )
    settings = make_settings(file)
    chosen = {name: getattr(settings, name) for name in ("sources", "plan", "plan_mode", "accept_any_key")}
    with running(tmp_path / "data", **chosen) as collector:
        assert "error" in post(collector, track("Odd"), key="strict")
        assert post(collector, track("Odd"), key="free") == {"success": True}
        assert post(collector, track("Odd"), key="marked") == {"success": True}
        free, marked = collector.events()
    assert "protocols" not in free["context"]
    assert marked["context"]["protocols"]["violations"]


def test_a_large_batch_is_held_against_the_plan_too(plan_file: Path, tmp_path: Path) -> None:
    with running(tmp_path / "data", plan=plan_file, plan_mode="refuse") as collector:
        answer = post(collector, *(track("Signed Up" if n % 2 else "Odd", plan="pips") for n in range(300)))
        assert len(answer["refused"]) == 150
        assert len(collector.events()) == 150


def test_made_up_names_are_counted_within_bounds(plan_file: Path, tmp_path: Path) -> None:
    with running(tmp_path / "data", plan=plan_file) as collector:
        for first in range(0, MOST + 500, 500):
            post(collector, *(track(f"Odd {n}") for n in range(first, first + 500)))
        counts = read(collector, "violations")
    assert len(counts) == MOST + 1
    assert sum(count["count"] for count in counts) == MOST + 500


def test_only_who_holds_the_token_sees_violations(plan_file: Path, tmp_path: Path) -> None:
    with running(tmp_path / "data", plan=plan_file) as collector:
        assert httpx.get(f"{collector.url}/v1/violations", trust_env=False).status_code == 401


def test_a_collector_does_not_start_with_a_plan_that_is_none(tmp_path: Path) -> None:
    from satsuma_server.app import create_app

    with pytest.raises(PlanError, match="absent"):
        create_app(Settings(tmp_path, plan=tmp_path / "absent.toml"))


def test_the_command_infers_a_plan_and_holds_events_against_it(tmp_path: Path) -> None:
    events, plan = tmp_path / "events.ndjson", tmp_path / "plan.toml"
    events.write_text("".join(json.dumps(one) + "\n" for one in (track(plan="pips"), track(plan="grove", seats=2))))
    run = CliRunner().invoke
    assert run(app, ["plan", "infer", "-f", str(events), "-o", str(plan)]).exit_code == 0
    assert read_plan(plan) == Plan(
        title="Tracking plan",
        track={
            "Signed Up": {
                "required": ["plan"],
                "additionalProperties": False,
                "properties": {"plan": {"type": "string"}, "seats": {"type": "integer"}},
            }
        },
    )
    assert run(app, ["plan", "check", str(plan), "-f", str(events)]).exit_code == 0
    events.write_text(json.dumps(track(plan=3)) + "\n")
    checked = run(app, ["plan", "check", str(plan), "-f", str(events)])
    assert checked.exit_code == 1
    assert "track 'Signed Up': .properties.plan is 3, not of type string" in checked.output
