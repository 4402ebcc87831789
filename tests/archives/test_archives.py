"""Rows of other products' exports become the calls that made them, are passed over, or say what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from satsuma.errors import EventError
from satsuma.validation import check_event
from satsuma_server.archives import READERS, Archive

DEVICE, USER = "018daf23-89b3-7cf8-a4f1-94064c96df90", "user-7"


def read(archive: Archive, row: dict[str, Any]) -> dict[str, Any]:
    event = READERS[archive](row)
    assert event is not None
    check_event(event)
    return event


def posthog(event: str, distinct_id: str = DEVICE, **properties: Any) -> dict[str, Any]:
    row = {"uuid": "m1", "event": event, "distinct_id": distinct_id, "timestamp": "2026-01-31T09:30:00Z"}
    return {**row, "properties": {"$device_id": DEVICE, **properties}}


def test_segments_events_lose_only_what_a_collector_adds() -> None:
    row = {"type": "track", "event": "E", "userId": "u", "seq": 3, "receivedAt": "x", "rudderId": "r", "channel": "web"}
    assert read(Archive.RUDDERSTACK, row) == {"type": "track", "event": "E", "userId": "u", "channel": "web"}


def test_posthogs_page_view_is_a_page_of_its_device() -> None:
    row = posthog("$pageview", **{"$current_url": "https://shop.test/a?b", "$pathname": "/a", "section": "peel"})
    event = read(Archive.POSTHOG, row)
    assert (event["type"], event["messageId"], event["timestamp"]) == ("page", "m1", "2026-01-31T09:30:00Z")
    assert (event["anonymousId"], event["userId"]) == (DEVICE, None)
    assert event["properties"] == {"section": "peel", "url": "https://shop.test/a?b", "path": "/a"}
    assert event["context"]["page"]["url"] == "https://shop.test/a?b"


def test_posthogs_identify_links_the_device_to_the_user_and_has_traits() -> None:
    given = {"$anon_distinct_id": DEVICE, "$set": {"plan": "lime"}, "$set_once": {"first": 1}}
    event = read(Archive.POSTHOG, posthog("$identify", USER, **given))
    assert (event["type"], event["anonymousId"], event["userId"]) == ("identify", DEVICE, USER)
    assert event["traits"] == {"plan": "lime", "first": 1}


@pytest.mark.parametrize(
    ("properties", "ids"),
    [
        ({"$user_id": USER}, (DEVICE, USER)),
        ({"$is_identified": True}, (DEVICE, USER)),
        ({"$device_id": None}, (None, USER)),
        ({"$device_id": None, "$is_identified": False}, (USER, None)),
    ],
)
def test_posthogs_events_after_a_login_and_from_servers_are_the_users(properties: Any, ids: Any) -> None:
    event = read(Archive.POSTHOG, posthog("Order Completed", USER, total=5, **properties))
    assert (event["type"], event["event"], event["properties"]) == ("track", "Order Completed", {"total": 5})
    assert (event["anonymousId"], event["userId"]) == ids


def test_posthogs_aliases_groups_and_texts_of_properties() -> None:
    alias = read(Archive.POSTHOG, posthog("$create_alias", USER, alias="old"))
    assert (alias["type"], alias["previousId"], alias["userId"]) == ("alias", "old", USER)
    group = posthog("$groupidentify", USER, **{"$group_key": "g1", "$group_set": {"employees": 4}})
    group["properties"] = json.dumps(group["properties"])
    event = read(Archive.POSTHOG, group)
    assert (event["type"], event["groupId"], event["traits"]) == ("group", "g1", {"employees": 4})


def test_what_posthog_records_by_itself_is_passed_over() -> None:
    assert READERS[Archive.POSTHOG](posthog("$autocapture")) is None


def snowplow(event: str, **columns: Any) -> dict[str, Any]:
    row = {"event_id": "m1", "event": event, "domain_userid": "d1", "network_userid": "n1", "user_id": None}
    return {
        **row,
        "derived_tstamp": "2026-01-31 09:30:00.000",
        "collector_tstamp": "2026-01-31 09:31:00.000",
        **columns,
    }


def test_snowplows_page_view_is_a_page() -> None:
    given = {"page_url": "https://shop.test/", "page_title": "Shop", "mkt_campaign": "spring", "page_urlpath": "/"}
    event = read(Archive.SNOWPLOW, snowplow("page_view", user_id=USER, **given))
    assert (event["type"], event["anonymousId"], event["userId"]) == ("page", "d1", USER)
    assert event["timestamp"] == "2026-01-31T09:30:00.000Z"
    assert event["properties"] == {"url": "https://shop.test/", "title": "Shop", "path": "/"}
    assert event["context"]["campaign"] == {"name": "spring"}


def test_snowplows_structured_and_self_describing_events_are_tracks() -> None:
    event = read(
        Archive.SNOWPLOW, snowplow("struct", se_category="shop", se_action="Add", se_value=2, domain_userid="")
    )
    assert (event["event"], event["properties"], event["anonymousId"]) == (
        "Add",
        {"category": "shop", "value": 2},
        "n1",
    )
    described = {"unstruct_event_com_shop_order_1": {"total": 5}}
    event = read(Archive.SNOWPLOW, snowplow("unstruct", event_name="order", **described))
    assert (event["event"], event["properties"]) == ("order", {"total": 5})
    assert READERS[Archive.SNOWPLOW](snowplow("page_ping")) is None


@pytest.mark.parametrize(
    ("archive", "row"),
    [
        (Archive.POSTHOG, {"type": "track"}),
        (Archive.POSTHOG, {"event": "E", "properties": "{"}),
        (Archive.POSTHOG, {"event": "E", "properties": [1]}),
        (Archive.SNOWPLOW, {"event": "page_view"}),
    ],
)
def test_a_row_of_another_product_says_what_is_missing(archive: Archive, row: dict[str, Any]) -> None:
    with pytest.raises(EventError):
        READERS[archive](row)
