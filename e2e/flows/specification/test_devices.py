"""One person, two devices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flows.shopper import Shopper
from pytest_satsuma import ExpectEvent, Visitor
from satsuma_server.testing import Collector


@pytest.mark.specification(
    "two devices have different anonymousIds",
    "a device on which nobody logs in stays anonymous",
    "devices on which somebody logs in share the userId",
)
def test_a_device_shares_the_user_id_from_its_own_login_on(
    shopper: Shopper,
    visitor: Visitor,
    new_device: Callable[[], Visitor],
    expect_event: ExpectEvent,
    collector: Collector,
) -> None:
    phone = new_device()
    phone.visit("/products/pomelo")
    user_id = shopper.register()
    signed_up = expect_event("Signed Up", user_id=user_id)
    phone.visit("/products/yuzu")
    anonymous = expect_event("Product Viewed", user_id=None, properties={"name": "Yuzu"})
    assert anonymous["anonymousId"] == phone.identity.anonymous_id != signed_up["anonymousId"]
    assert phone.identity.user_id is None
    assert {event["userId"] for event in collector.events() if event["anonymousId"] == anonymous["anonymousId"]} == {
        None
    }

    assert Shopper(phone).login() == user_id
    expect_event("Signed In", user_id=user_id, anonymous_id=anonymous["anonymousId"])
    assert visitor.identity.anonymous_id == signed_up["anonymousId"]
    assert phone.identity.anonymous_id == anonymous["anonymousId"]
