"""The tester's drawer: what it shows, what it breaks for real, and that it says so when the rules are not kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flows.shopper import Shopper
from playwright.sync_api import Error
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector

VERDICT = "() => ({...document.querySelector('.qa-verdict').dataset})"
HOSTILE = "<img src=x onerror=window.hit=1>"


class Drawer:
    """The drawer of a visitor's page."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def open(self) -> None:
        """Open it by its tab."""
        self.page.click("text=Who am I?")

    def press(self, key: str) -> str:
        """Press a button, and return the verdict once there is one: ``agrees`` or ``differs``."""
        button = self.page.locator(f"[data-action={key}]")
        self.visitor.until(button.is_enabled, f"{key} to be offered", 40)
        button.click()
        told: dict[str, str] = {}

        def judged() -> bool:
            told.update(self.verdict())
            return told.get("action") == key and told.get("state") != "waits"

        self.visitor.until(judged, key, 40)
        return " ".join([told["state"], *([] if told["state"] == "agrees" else self.checks)])

    def verdict(self) -> dict[str, str]:
        """What the drawer says now."""
        try:
            told: dict[str, str] = self.page.evaluate(VERDICT)
        except Error:
            # The page is just being left.
            return {}
        return told

    @property
    def checks(self) -> list[str]:
        """The sentences of the verdict."""
        return self.page.locator(".qa-verdict li").all_inner_texts()


@pytest.fixture
def drawer(visitor: Visitor) -> Drawer:
    return Drawer(visitor)


def test_each_way_to_break_a_store_is_done_for_real_and_judged(
    drawer: Drawer, visitor: Visitor, shopper: Shopper, collector: Collector
) -> None:
    user_id = shopper.register("Peter Gibbons", "peter@example.com")
    before = visitor.identity
    drawer.open()
    assert drawer.press("expire") == "agrees"
    assert visitor.identity == before
    assert drawer.press("corrupt-traits") == "agrees"
    assert (visitor.identity.user_id, visitor.identity.anonymous_id) == (user_id, before.anonymous_id)
    assert drawer.press("cookies") == "agrees"
    visitor.page.locator(".top a[href='/login']").wait_for()
    assert visitor.identity.cookie_anonymous_id == before.anonymous_id
    assert drawer.press("reset") == "agrees"
    fresh = visitor.identity
    assert fresh.user_id is None
    assert fresh.anonymous_id not in (None, before.anonymous_id)
    newest = collector.events()[-1]
    assert (newest["type"], newest["anonymousId"]) == ("page", fresh.anonymous_id)
    assert drawer.press("second-cookie") == "agrees"
    assert visitor.identity.anonymous_id == fresh.anonymous_id


def test_after_eight_days_in_safari_only_cookies_of_the_server_know_who_it_was(
    drawer: Drawer, visitor: Visitor, shopper: Shopper
) -> None:
    user_id = shopper.register("Peter Gibbons", "peter@example.com")
    first = visitor.identity.anonymous_id
    drawer.open()
    assert drawer.press("server") == "agrees"
    assert drawer.press("safari") == "agrees"
    assert (visitor.identity.user_id, visitor.identity.anonymous_id) == (user_id, first)
    assert drawer.press("scripts") == "agrees"
    assert drawer.press("safari") == "agrees"
    assert visitor.identity.user_id is None
    assert visitor.identity.anonymous_id != first


def test_a_rule_that_is_not_kept_is_told(drawer: Drawer, visitor: Visitor) -> None:
    visitor.visit("/")
    # From now on the SDK finds nothing in localStorage, so it can't bring the visitor back.
    visitor.page.add_init_script("""
        const read = Storage.prototype.getItem;
        Storage.prototype.getItem = function (key) { return key === "ajs_anonymous_id" ? null : read.call(this, key); };
    """)
    drawer.open()
    told = drawer.press("expire")
    assert told.startswith("differs")
    assert "is new" in told


def test_what_waits_in_bad_weather_arrives_over_pages_in_order(
    drawer: Drawer, visitor: Visitor, collector: Collector
) -> None:
    visitor.visit("/")
    drawer.open()
    assert drawer.press("down") == "agrees"
    visitor.visit("/products/yuzu")
    assert not [event for event in collector.events() if event.get("event") == "Product Viewed"]
    assert drawer.press("mend") == "agrees"
    waited = [
        event["properties"]["number"] for event in collector.events() if event.get("event") == "Waited For Network"
    ]
    assert waited == [1, 2, 3]
    collector.wait_for(lambda events: any(event.get("event") == "Product Viewed" for event in events))
    assert all("503" in error for error in visitor.errors)
    visitor.errors.clear()


def test_a_second_device_and_a_no(drawer: Drawer, visitor: Visitor, collector: Collector) -> None:
    visitor.visit("/")
    here = visitor.identity
    drawer.open()
    with visitor.context.expect_page() as opened:
        assert drawer.press("device") == "agrees"
    assert opened.value.evaluate("location.hostname") == "phone.grove.localhost"
    assert f'"{here.anonymous_id}"' != opened.value.evaluate("localStorage.ajs_anonymous_id")
    assert drawer.press("refuse") == "agrees"
    assert not [name for name in visitor.cookies.all() if name.startswith("ajs_")]
    seen = len(collector.events())
    visitor.visit("/cart")
    assert visitor.storage.all() == {}, "a page that hears a no keeps nothing, and leaves none for the next"
    assert drawer.press("agree") == "agrees"
    assert {event["anonymousId"] for event in collector.events()[seen:]} == {visitor.identity.anonymous_id}


def test_the_drawer_is_for_the_keyboard_too(visitor: Visitor, shopper: Shopper) -> None:
    visitor.visit("/login")
    visitor.page.fill("#login [name=email]", "quentin@example.com")
    assert visitor.page.locator(".qa").is_hidden(), "a letter that is typed opens nothing"
    visitor.page.locator("#login .button").focus()
    visitor.page.keyboard.press("q")
    assert visitor.page.locator(".qa").is_visible()
    visitor.page.keyboard.press("Escape")
    assert visitor.page.locator(".qa").is_hidden()
    assert visitor.page.evaluate("document.activeElement.className") == "qa-tab"


def test_whatever_an_event_or_an_address_holds_stays_text(
    drawer: Drawer, visitor: Visitor, shopper: Shopper, stored: Callable[..., dict[str, object]]
) -> None:
    visitor.visit(f"/search?q={HOSTILE}")
    shopper.register(HOSTILE, "peter@example.com")
    visitor.evaluate(f"() => analytics.track('{HOSTILE}', {{'{HOSTILE}': '{HOSTILE}'}}).then(() => null)")
    visitor.evaluate(f"() => {{ localStorage.setItem('{HOSTILE}', '{HOSTILE}'); }}")
    drawer.open()
    summary = visitor.page.locator(".qa-events summary").filter(has_text=HOSTILE).first
    summary.click()
    assert HOSTILE in visitor.page.inner_text(".qa-who")
    assert visitor.evaluate("() => [window.hit ?? 0, document.querySelectorAll('img[src=x]').length]") == [0, 0]
