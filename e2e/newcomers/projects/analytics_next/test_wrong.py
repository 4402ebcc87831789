"""Tests that fail, for what the plugin says of them."""

import pytest


def test_an_event_that_differs(visitor, expect_event) -> None:
    visitor.visit("/")
    visitor.page.click("text=Sign up")
    expect_event("Signed Up", user_id="user-43", properties={"plan": "paid", "seats": 3}, timeout=2)


def test_an_event_that_is_not_as_planned(visitor, expect_event) -> None:
    visitor.visit("/")
    visitor.page.click("text=Squeeze")
    expect_event("Lemon Squeezed")


@pytest.mark.unplanned
def test_an_event_that_needs_no_plan(visitor, expect_event) -> None:
    visitor.visit("/")
    visitor.page.click("text=Squeeze")
    expect_event("Lemon Squeezed")


def test_a_line_of_the_tests_own(visitor) -> None:
    visitor.visit("/")
    assert visitor.identity.user_id == "<script>alert(1)</script>"
