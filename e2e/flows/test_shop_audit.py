"""The audit of the demo shop: nothing is wrong with it, until a tester has it make the mistakes that sites make."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flows.audits import wrong_findings
from flows.shopper import Shopper
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector

PEOPLE = ("peter", "samir", "milton")
ADDRESSES = {f"user_id:{name}@initech.example" for name in PEOPLE}
MADE = {"calls-on-a-page-that-is-left", "no-reset-at-logout", "user-id-is-email"}
"""The findings that the shop's mistakes must lead to."""


READ_SECONDS = 2.2
"""How long people look at a page. The audit tells of pages that are left within a second, and of what comes two seconds
after a logout, so real time is the subject."""


def register(visitor: Visitor, name: str) -> None:
    """Make an account."""
    page = visitor.page
    visitor.visit("/register")
    for field, text in {"name": name.title(), "email": f"{name}@initech.example", "password": "stapler"}.items():
        page.fill(f"#register [name={field}]", text)
    page.click("#register .button")
    page.wait_for_url("**/welcome")
    visitor.wait_for_boot()


def shop_around(visitors: dict[str, Visitor]) -> None:
    """Let people make an account, log out, and look at a fruit."""
    for name, visitor in visitors.items():
        register(visitor, name)
    visitor.pause(READ_SECONDS)
    for visitor in visitors.values():
        Shopper(visitor).logout()
    visitor.pause(READ_SECONDS)
    for visitor in visitors.values():
        visitor.visit("/products/pomelo")
        visitor.settle()


@pytest.mark.parametrize("are_made", [False, True], ids=["as it is", "with mistakes"])
def test_the_shops_mistakes_are_found_with_the_people(
    new_device: Callable[[], Visitor], collector: Collector, are_made: bool
) -> None:
    visitors = {name: new_device() for name in PEOPLE}
    for visitor in visitors.values():
        if are_made:
            visitor.context.add_cookies([{"name": "grove_mistakes", "value": "yes", "url": visitor.base_url}])
    shop_around(visitors)
    found = wrong_findings(collector)
    assert set(found) == (MADE if are_made else set())
    for finding in found.values():
        assert {example.person for example in finding.examples} <= ADDRESSES, finding
        assert finding.found == len(PEOPLE)


def test_the_drawer_switches_the_mistakes(visitor: Visitor, collector: Collector) -> None:
    visitor.visit("/")
    page = visitor.page
    page.click("text=Who am I?")
    for key, word in (("mistakes", "yes"), ("well", "")):
        visitor.until(page.locator(f"[data-action={key}]").is_enabled, f"{key} to be offered", 40)
        page.click(f"[data-action={key}]")
        verdict = page.locator(f".qa-verdict[data-action={key}]")
        visitor.until(lambda verdict=verdict: verdict.get_attribute("data-state") == "agrees", key, 40)
        assert page.evaluate("() => /grove_mistakes=(\\w*)/.exec(document.cookie)?.[1] || ''") == word
