"""Routing rules: which destination in the page gets an event, and what of it. The facts are tsub's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from satsuma.glob import matches_glob
from satsuma.routing import Router, RoutingError, matches

EVENT: dict[str, Any] = {
    "type": "track",
    "event": "Signed Up",
    "properties": {"a": 5, "s": "x.com", "n": None, "yes": True, "list": ["q", 1], "in": {"b": 1}, "a.b": 2},
}


def rule(ir: object = ("=", "event", {"value": "Signed Up"}), *transformers: Any, **more: Any) -> dict[str, Any]:
    given = list(transformers) or [{"type": "drop"}]
    matcher = {"type": "fql", "ir": json.dumps(ir)}
    return {"destinationName": "One", "matchers": [matcher], "transformers": [given], **more}


def routed(*rules: Any, destination: str = "One", random: float = 0.5) -> Any:
    router = Router.from_settings({"middlewareSettings": {"routingRules": list(rules)}}, lambda: random)
    return router.route(destination, json.loads(json.dumps(EVENT)))


def changed(*transformers: Any) -> Any:
    return routed(rule(("=", "type", {"value": "track"}), *transformers))["properties"]


@pytest.mark.parametrize(
    ("ir", "true"),
    [
        (["=", "event", {"value": "Signed Up"}], True),
        (["=", "event", {"value": "signed up"}], False),
        (["=", ["lowercase", "event"], {"value": "signed up"}], True),
        (["!=", "event", {"value": "x"}], True),
        (["!", ["=", "event", {"value": "Signed Up"}]], False),
        (["!", ["lowercase", "properties.a"]], True),
        (["and", ["=", "type", {"value": "track"}], [">", "properties.a", {"value": 4}]], True),
        (["and", ["=", "type", {"value": "track"}], [">", "properties.a", {"value": 5}]], False),
        (["or", ["=", "type", {"value": "page"}], ["<=", "properties.a", {"value": 5}]], True),
        ([">", "properties.s", {"value": 4}], False),
        ([">=", "properties.missing", {"value": 0}], False),
        (["in", "event", [{"value": "a"}, {"value": "Signed Up"}]], True),
        (["in", "event", [{"value": "a"}]], False),
        (["contains", "properties.s", {"value": ".com"}], True),
        (["contains", "properties.list", {"value": "q"}], False),
        (["match", "properties.s", {"value": "*.c?m"}], True),
        (["=", ["length", "properties.s"], {"value": 5}], True),
        (["=", ["length", "properties.n"], {"value": 0}], True),
        (["=", ["length", "properties.a"], {"value": 0}], False),
        (["=", ["typeof", "properties.a"], {"value": "number"}], True),
        (["=", ["typeof", "properties.missing"], {"value": "undefined"}], True),
        (["=", "properties.n", {"value": None}], True),
        (["=", "properties.missing", {"value": None}], False),
        (["=", "properties.yes", {"value": 1}], False),
        (["=", "properties.in", {"value": {"b": 1}}], True),
        (["=", "properties.a\\.b", {"value": 2}], True),
        (["=", "properties.list.0", {"value": "q"}], True),
        ("properties.yes", True),
        ("properties.a", False),
        (["lowercase", "event"], False),
    ],
)
def test_an_expression_is_true_or_not(ir: object, true: bool) -> None:
    assert matches(EVENT, {"type": "fql", "ir": json.dumps(ir)}) is true


def test_a_matcher_may_be_for_all_events_and_one_without_an_expression_is_for_none() -> None:
    assert matches(EVENT, {"type": "all"})
    assert not matches(EVENT, {"type": "fql", "ir": ""})


@pytest.mark.parametrize(
    "matcher",
    [
        {"type": "fql", "ir": "["},
        {"type": "fql", "ir": '["unheard", "of"]'},
        {"type": "fql", "ir": "[]"},
        {"type": "fql", "ir": '["=", "event"]'},
        {"type": "fql", "ir": '["!"]'},
        {"type": "fql", "ir": '["!", ' * 60 + "true" + "]" * 60},
        {"type": "other"},
        None,
    ],
)
def test_a_rule_that_cannot_be_understood_keeps_its_event_back(matcher: object) -> None:
    with pytest.raises(RoutingError):
        matches(EVENT, matcher)


def test_rules_without_a_destination_are_for_all_and_those_of_others_are_not_applied() -> None:
    assert routed(rule()) is None
    assert routed(rule(), destination="Two") == EVENT
    nameless = rule()
    del nameless["destinationName"]
    assert routed(nameless, destination="Two") is None


def test_properties_are_dropped_allowed_mapped_and_written_as_text() -> None:
    assert "a" not in changed({"type": "drop_properties", "config": {"drop": {"properties": ["a"]}}})
    assert changed({"type": "allow_properties", "config": {"allow": {"properties": ["a"]}}}) == {"a": 5}
    to = {
        "properties.c": {"copy": "properties.a"},
        "properties.a": {"move": "properties.s"},
        "properties.new": {"set": {"x": 1}},
        "properties.in.b": {"to_string": True},
        "properties.none": {"to_string": True},
        "elsewhere.x": {"set": 1},
    }
    mapped = changed({"type": "map_properties", "config": {"map": to}})
    assert (mapped["c"], mapped["a"], mapped["new"], mapped["none"]) == (5, "x.com", {"x": 1}, "undefined")
    assert mapped["in"] == {"b": "1"}
    assert "s" not in mapped
    assert routed(rule(("=", "type", {"value": "track"}), {"type": "hash_properties"})) == EVENT


def test_a_name_with_a_dot_in_it_is_mapped_as_it_is_read() -> None:
    to = {
        "properties.in\\.side.x": {"set": 1},
        "properties.c": {"move": "properties.a\\.b"},
        "properties.a\\.b.d": {"set": 2},
    }
    event = {**EVENT, "properties": {**EVENT["properties"], "in.side": {}}}
    rules = [rule(("=", "type", {"value": "track"}), {"type": "map_properties", "config": {"map": to}})]
    routed = Router(rules, lambda: 0.5).route("One", json.loads(json.dumps(event)))
    assert routed is not None
    assert (routed["properties"]["in.side"], routed["properties"]["c"]) == ({"x": 1}, 2)
    assert "a.b" not in routed["properties"]
    assert routed["properties"]["in"] == {"b": 1}


def test_what_a_rule_sets_is_each_event_s_own() -> None:
    everything = ("=", "type", {"value": "track"})
    put = {"type": "map_properties", "config": {"map": {"properties.new": {"set": {"x": 1, "y": 2}}}}}
    drop = {"type": "drop_properties", "config": {"drop": {"properties.new": ["x"]}}}
    router = Router([rule(everything, put, drop)], lambda: 0.5)
    seen = [router.route("One", json.loads(json.dumps(EVENT))) for _ in range(2)]
    assert [one and one["properties"]["new"] for one in seen] == [{"y": 2}, {"y": 2}]
    assert put["config"]["map"]["properties.new"]["set"] == {"x": 1, "y": 2}


def test_an_expression_is_read_once_for_all_events(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    loads = json.loads
    monkeypatch.setattr("satsuma.routing.json.loads", lambda text: (read.append(text), loads(text))[1])
    router = Router([rule(("=", "type", {"value": "page"}))], lambda: 0.5)
    assert [router.route("One", dict(EVENT)) for _ in range(3)] == [EVENT] * 3
    assert len(read) == 1


def test_a_share_of_the_events_passes() -> None:
    def sampled(percent: float, random: float = 0.5, **more: str) -> bool:
        sample = {"type": "sample_event", "config": {"sample": {"percent": percent, **more}}}
        return routed(rule(("=", "type", {"value": "track"}), sample), random=random) is not None

    assert [sampled(0), sampled(1, 0.99), sampled(0.4), sampled(0.6)] == [False, True, False, True]
    assert {sampled(0.5, random=number / 10, path="properties.s") for number in range(10)} in ({True}, {False})


def test_the_share_of_a_text_that_was_cut_in_an_emoji() -> None:
    config = {"sample": {"percent": 0.999999, "path": "properties.text"}}
    event = {**EVENT, "properties": {"text": "great shop \ud83d"}}
    router = Router([rule(("=", "type", {"value": "track"}), {"type": "sample_event", "config": config})], lambda: 0.5)
    assert router.route("One", dict(event)) == event


@pytest.mark.parametrize(
    ("pattern", "text", "true"),
    [
        ("*", "", True),
        ("a*c", "abbc", True),
        ("a*c", "abcd", False),
        ("*a*b*", "xxaxxbxx", True),
        ("[a-c]?", "b!", True),
        ("[^a-c]", "b", False),
        ("[^a-c]", "d", True),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("[]a]", "]", True),
        ("[a", "a", False),
        ("a\\", "a", False),
        ("?", "", False),
        ("*a" * 30 + "b", "a" * 300, False),
    ],
)
def test_a_pattern_matches_a_whole_text(pattern: str, text: str, true: bool) -> None:
    assert matches_glob(pattern, text) is true
