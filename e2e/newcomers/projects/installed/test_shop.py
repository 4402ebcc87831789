"""The demo shop, as it runs from wheels alone, tested with the plugin as it is installed from a wheel."""

from __future__ import annotations

from pytest_satsuma import ExpectEvent, Visitor


def test_a_visitor_of_the_shop_is_stored(visitor: Visitor, expect_event: ExpectEvent) -> None:
    visitor.visit("/")
    expect_event(type="page", anonymous_id=visitor.identity.cookie_anonymous_id)
    visitor.evaluate("() => analytics.track('Order Completed', {total: 5}).then(() => null)")
    expect_event("Order Completed", properties={"total": 5})
