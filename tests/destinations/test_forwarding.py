"""Which events go to a destination, in which form, and what the settings refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from satsuma_server.errors import SettingsError
from satsuma_server.forwarding import Forwarding, destinations_from
from satsuma_server.settings import make_settings, settings_from_json, settings_to_json

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "userId": "ann",
    "properties": {"total": 20, "plan": "premium", "paid": True, "a.b": 1},
    "context": {"page": {"url": "https://shop.example/cart"}},
}


def goes(event: dict[str, Any], source: str = "shop", **table: Any) -> bool:
    settings = destinations_from([{"name": "crm", "type": "webhook", "url": "https://crm.example", **table}])[0]
    return Forwarding(settings).why_not(source, event) is None


@pytest.mark.parametrize(
    ("table", "does"),
    [
        ({}, True),
        ({"sources": ["shop"]}, True),
        ({"sources": ["blog"]}, False),
        ({"types": ["identify"]}, False),
        ({"events": ["Order *"]}, True),
        ({"events": ["order *"]}, False),
        ({"filters": [{"path": "properties.plan", "is": ["premium", "gold"]}]}, True),
        ({"filters": [{"path": "properties.plan", "is": ["free"]}]}, False),
        ({"filters": [{"path": "properties.plan", "is": ["free"], "not": True}]}, True),
        ({"filters": [{"path": "properties.paid", "is": [1]}]}, False),
        ({"filters": [{"path": "properties.paid", "is": [True]}]}, True),
        ({"filters": [{"path": "properties.total", "at_least": 20, "at_most": 20}]}, True),
        ({"filters": [{"path": "properties.total", "at_least": 20.5}]}, False),
        ({"filters": [{"path": "properties.plan", "at_least": 1}]}, False),
        ({"filters": [{"path": "context.page.url", "like": "https://shop.example/*"}]}, True),
        ({"filters": [{"path": "groupId", "exists": False}]}, True),
        ({"filters": [{"path": "groupId", "exists": True}]}, False),
        ({"filters": [{"path": "properties.plan.inner", "exists": False}]}, True),
        ({"filters": [{"path": 'properties."a.b"', "is": [1]}]}, True),
        ({"filters": [{"path": "userId", "exists": True}, {"path": "properties.plan", "is": ["free"]}]}, False),
    ],
)
def test_filters_choose(table: dict[str, Any], does: bool) -> None:
    assert goes(EVENT, **table) is does


@pytest.mark.parametrize(
    ("integrations", "does"),
    [
        ({}, True),
        (None, True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"All": False, "crm": True}, True),
        ({"All": False, "CRM": True}, True),
        ({"All": False, "Webhooks": {"option": 1}}, True),
        ({"All": False, "Our CRM": True}, True),
        ({"All": False, "Mixpanel": True}, False),
        ({"crm": False}, False),
        ({"Webhooks": False}, False),
        ({"Webhooks": True, "crm": False}, False),
        ({"Mixpanel": False}, True),
    ],
)
def test_integrations_are_obeyed(integrations: Any, does: bool) -> None:
    assert goes({**EVENT, "integrations": integrations}, integration="Our CRM") is does


@pytest.mark.parametrize(
    ("preferences", "missing", "does"),
    [
        ({"Advertising": True, "Analytics": True}, "skip", True),
        ({"Advertising": True, "Analytics": False}, "skip", False),
        ({"Advertising": True}, "skip", False),
        ({"Advertising": "yes", "Analytics": True}, "skip", False),
        (None, "skip", False),
        (None, "send", True),
        ({"Advertising": False}, "send", False),
    ],
)
def test_consent_is_obeyed(preferences: Any, missing: str, does: bool) -> None:
    context = {} if preferences is None else {"consent": {"categoryPreferences": preferences}}
    categories = ["Advertising", "Analytics"]
    assert goes({**EVENT, "context": context}, consent=categories, consent_missing=missing) is does


def test_a_mapping_moves_and_drops() -> None:
    mapping = {"properties.total": "properties.revenue", "userId": "properties.customer.id", "context": "", "no": "yes"}
    table = {"name": "crm", "type": "webhook", "url": "https://crm.example", "mapping": mapping}
    event = {"type": "track", "userId": "ann", "properties": {"total": 20}, "context": {"ip": "1.2.3.4"}}
    rules = Forwarding(destinations_from([table])[0], lambda event: {**event, "more": 1})
    assert rules.prepare(event) == {
        "type": "track",
        "properties": {"revenue": 20, "customer": {"id": "ann"}},
        "more": 1,
    }


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"type": "webhook", "url": "https://x"}, "name"),
        ({"name": "Über", "type": "webhook", "url": "https://x"}, "name has to be"),
        ({"name": "crm", "type": "fax", "url": "https://x"}, "crm: Invalid value 'fax'"),
        ({"name": "crm", "type": "webhook", "url": "ftp://x"}, "crm: url must begin"),
        ({"name": "crm", "type": "webhook", "url": "https://x", "secret": "plain"}, "crm: Expected `object | null`"),
        ({"name": "crm", "type": "webhook", "url": "https://x", "rate": 0}, "crm: rate must be more"),
        ({"name": "crm", "type": "webhook", "url": "https://x", "filters": [{"path": "a"}]}, "needs is, like"),
        ({"name": "crm", "type": "webhook", "url": "https://x", "mapping": {"a..b": ""}}, "is not a path"),
        ({"name": "crm", "type": "webhook", "url": "https://x", "colour": 1}, "crm: Object contains unknown field"),
        ({"name": "crm", "python": "no function"}, "crm: python is no module:function"),
    ],
)
def test_wrong_settings_are_named(table: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match="destinations") as raised:
        destinations_from([table])
    assert told in str(raised.value)


def test_the_settings_file_has_destinations_and_they_reach_the_worker_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text("""
accept_any_key = true

[[destinations]]
name = "crm"
type = "webhook"
url = "https://crm.example/events"
secret = { env = "CRM_SECRET" }
filters = [{ path = "properties.plan", is = ["free"], not = true }]

[[destinations]]
name = "ours"
python = "my_module:deliver"
""")
    settings = make_settings(file)
    assert [one.name for one in settings.destinations] == ["crm", "ours"]
    assert settings_from_json(settings_to_json(settings).decode()) == settings
    file.write_text(file.read_text().replace('"ours"', '"crm"'))
    with pytest.raises(SettingsError, match="'crm' is there 2 times"):
        make_settings(file)
