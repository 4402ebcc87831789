"""A tracking plan keeps events from the destinations of the page, never from the collector."""

from __future__ import annotations

from typing import Any

import pytest
from satsuma.plan import SchemaFilter
from satsuma.plugins import Context

TWO = {"integrations": {"Segment.io": {}, "One": {}}}


def filtered(plan: Any, event: dict[str, Any], **settings: Any) -> dict[str, Any]:
    planned = SchemaFilter.from_settings({**TWO, "plan": {"track": plan}, **settings}, {})
    assert planned is not None
    return dict(planned.track(Context({"type": "track", **event})).event["integrations"])


@pytest.mark.parametrize(
    ("plan", "integrations"),
    [
        ({"E": {"enabled": True}}, {}),
        ({"E": {"enabled": False}}, {"All": False, "Segment.io": True}),
        ({"E": {"enabled": True, "integrations": {"One": False}}}, {"One": False}),
        ({"__default": {"enabled": False}}, {"All": False, "Segment.io": True}),
        ({"__default": {"enabled": False}, "E": {"enabled": True}}, {}),
        ({"E": {"enabled": "no"}, "__default": {"enabled": False}}, {"All": False, "Segment.io": True}),
        ({"E": "nonsense"}, {}),
        ({"E": {"integrations": ["nonsense"]}}, {}),
    ],
)
def test_a_plan_says_which_destinations_get_an_event(plan: Any, integrations: dict[str, Any]) -> None:
    assert filtered(plan, {"event": "E"}) == integrations


def test_what_a_call_says_of_other_destinations_stays() -> None:
    assert filtered({"E": {"integrations": {"One": False}}}, {"event": "E", "integrations": {"Two": True}}) == {
        "Two": True,
        "One": False,
    }


def test_a_destination_that_is_off_by_its_older_name_takes_its_actions_along() -> None:
    remotes = [
        {"name": "One (Actions)", "creationName": "One", "settings": {"subscriptions": [{"partnerAction": "send"}, 5]}},
        {"name": "Two", "creationName": "Two", "settings": {"subscriptions": [{"partnerAction": "send"}]}},
        "nonsense",
    ]
    off = filtered({"E": {"integrations": {"One": False}}}, {"event": "E"}, remotePlugins=remotes)
    assert off == {"One": False, "One (Actions) send": False}


def test_there_is_no_plan_where_the_settings_name_no_destination_or_have_none() -> None:
    plan = {"track": {"E": {"enabled": False}}}
    assert SchemaFilter.from_settings({"plan": plan}, {}) is None
    assert SchemaFilter.from_settings(TWO, {}) is None
    assert SchemaFilter.from_settings({"integrations": "nonsense", "remotePlugins": 1}, {"plan": plan}) is not None
