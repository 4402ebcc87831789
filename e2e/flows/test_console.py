"""The console in a real browser, on a collector with its worker: what a tester sees and does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flows.console_desk import LAPTOP, PETER, SCREENS, TOKEN, Desk
from playwright.sync_api import Page, expect

PHONE_WIDTH = {"width": 390, "height": 800}
WIDE = {"width": 1440, "height": 900}


@pytest.fixture
def desk(console_desk: Desk) -> Iterator[Desk]:
    """A desk with Peter's story; fails the test if a page made an error."""
    console_desk.errors.clear()
    yield console_desk
    console_desk.stand_up()
    assert not console_desk.errors, f"the pages made errors: {console_desk.errors}"


def rows(page: Page) -> Any:
    return page.locator("[data-feed] .row")


def is_live(page: Page) -> None:
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "live")


def test_the_token_opens_the_console_and_logging_out_closes_it(desk: Desk) -> None:
    page = desk.sit_down(log_in=False)
    page.goto("/console/charts?period=week")
    page.get_by_label("Token", exact=True).fill("something else")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not a token of this collector")
    desk.errors.clear()  # Chromium tells of every answer with a 401.
    page.get_by_label("Token", exact=True).fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Charts")).to_be_visible()
    assert page.url.endswith("/console/charts?period=week")
    cookie = next(one for one in page.context.cookies() if one["name"] == "satsuma_console")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/console"
    # Nobody else is in by that: what stands between keeps no cookies.
    stranger = desk.sit_down(log_in=False)
    stranger.goto("/console/live")
    expect(stranger.get_by_label("Token", exact=True)).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.goto("/console/live")
    expect(page.get_by_label("Token", exact=True)).to_be_visible()


def test_events_come_by_themselves_and_can_be_paused(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    is_live(page)
    desk.send({"type": "track", "event": "Live One", "userId": "live-user"})
    expect(rows(page).first).to_contain_text("Live One")
    page.keyboard.press("p")
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "paused")
    desk.send({"type": "track", "event": "Live Two", "userId": "live-user"}, {"type": "track", "event": "Lost"})
    page.keyboard.press("p")
    is_live(page)
    expect(rows(page).filter(has_text="Live Two")).to_have_count(1)
    expect(rows(page).filter(has_text="are both missing").first).to_be_visible()
    expect(rows(page).filter(has_text="Live One")).to_have_count(1)


def test_filters_hold_for_what_is_there_and_for_what_comes(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    page.keyboard.press("/")
    page.keyboard.type("pgibbons@initech")
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Search in events").fill("")
    page.get_by_label("Type").select_option("identify")
    expect(rows(page).filter(has_text="track")).to_have_count(0)
    is_live(page)
    desk.send(
        {"type": "track", "event": "Not Wanted", "userId": "u"},
        {"type": "identify", "userId": "u", "traits": {"name": "Wanted"}},
    )
    expect(rows(page).first).to_contain_text("name: Wanted")
    expect(rows(page).filter(has_text="Not Wanted")).to_have_count(0)
    assert "type=identify" in page.url
    page.get_by_label("any id").or_(page.get_by_label("userId, anonymousId or messageId")).first.fill("nobody-at-all")
    expect(page.get_by_text("Nothing fits yet")).to_be_visible()


def test_an_event_is_shown_raw_and_as_its_rows_with_the_keyboard_alone(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    page.goto("/console/live?name=Signed+Up&source=shop")
    page.locator("body").press("j")
    page.keyboard.press("Enter")
    detail = page.locator("#detail")
    expect(detail.get_by_role("heading", name="Signed Up")).to_be_visible()
    expect(detail.locator(".json")).to_contain_text('"plan": "premium"')
    expect(detail.locator("summary")).to_contain_text(["shop.tracks", "shop.signed_up"])
    detail.locator("summary", has_text="signed_up").click()
    expect(detail.locator(".table-row").nth(1)).to_contain_text("premium")
    detail.get_by_role("link", name=PETER).click()
    expect(page.get_by_role("heading", name="Peter Gibbons")).to_be_visible()


def test_a_person_s_story_tells_what_made_them_one_and_what_is_wrong(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    page.goto("/console/people")
    page.get_by_placeholder("userId, anonymousId").fill(LAPTOP)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Peter Gibbons")).to_be_visible()
    expect(page.locator(".step.ties")).to_have_count(4)
    expect(page.locator(".step.ties").last).to_contain_text("From here on anonymousId bd077b70-816…856513 and userId")
    expect(page.locator(".step", has_text="alias")).to_contain_text("Mixpanel and Kissmetrics need it before")
    expect(page.locator(".timeline")).to_contain_text("A new anonymousId in a browser of the same kind")
    expect(page.locator(".link.o-refused")).to_contain_text("Two userIds are two people")
    expect(page.locator("#graph[data-drawn] canvas").first).to_be_visible()
    assert page.locator(".rail .lane").count() > 10


def test_a_merge_is_undone_from_its_explanation(desk: Desk) -> None:
    desk.send(
        {"type": "page", "anonymousId": "their-device"},
        {"type": "identify", "anonymousId": "their-device", "userId": "wrongly-merged", "traits": {"name": "Milton"}},
    )
    page = desk.sit_down(viewport=WIDE)
    desk.until(lambda: "Milton" in (page.goto("/console/people") or page).text(), "the profile")
    page.goto("/console/people/user_id:wrongly-merged")
    page.locator(".undo summary").click()
    page.get_by_role("button", name="Make them two again").click()
    expect(page.get_by_role("status").first).to_contain_text("different people again")
    expect(page.locator(".link.o-undone")).to_be_visible()
    page.goto("/console/people/anonymous_id:their-device")
    expect(page.get_by_role("heading", name="Somebody")).to_be_visible()


def test_a_person_s_story_tells_what_was_healed_and_what_made_trouble(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    page.goto(f"/console/people/user_id:{PETER}")
    healed = page.locator(".step", has_text="/register").locator(".advice")
    expect(healed).to_contain_text("The anonymousId's cookie was gone Healed from localStorage")
    expect(page.locator(".step", has_text="Signed In").first.locator("..")).to_contain_text(
        "Before this, 2 requests failed"
    )


def test_the_plan_screen_tells_what_is_not_as_planned_and_leads_to_it(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    page.goto("/console/plan")
    orders = page.locator(".card", has=page.get_by_role("heading", name="track Order Completed"))
    row = orders.locator("tr", has_text="grove-web").filter(has_text=".properties.total")
    expect(row).to_contain_text("is of type string, not of type number")
    row.get_by_role("link").first.click()
    expect(rows(page)).to_have_count(1)
    rows(page).first.get_by_role("link").click()
    expect(page.locator("#detail .advice.wrong")).to_contain_text("Not as planned .properties.total is '12.60'")


def test_what_the_plan_refused_says_how_to_fix_it(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    page.goto("/console/plan")
    refused = page.locator("tr", has_text="grove-app").filter(has_text=".properties.plan")
    refused.get_by_role("link", name="refused").click()
    expect(page.get_by_role("heading", name="Against the tracking plan")).to_be_visible()
    expect(page.get_by_text("How to fix it.")).to_be_visible()
    expect(page.locator(".plainlist")).to_contain_text("'premuim' is not one of ['free', 'premium']")
    page.locator(".plainlist a", has_text="premuim").click()
    expect(page.get_by_label("The event as it came")).to_contain_text("premuim")


def test_ten_thousand_events_leave_the_page_small_and_the_newest_on_top(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    is_live(page)
    for batch in range(10):
        desk.send(
            *(
                {"type": "track", "event": "Flood", "userId": "flood", "properties": {"wave": batch * 1000 + one}}
                for one in range(1000)
            ),
            source="flood",
        )
    desk.send({"type": "track", "event": "After the flood", "userId": "flood"}, source="flood")
    expect(rows(page).first).to_contain_text("After the flood", timeout=30_000)
    assert rows(page).count() <= 200
    expect(page.locator("[data-skipped]")).to_contain_text("came too fast")
    page.get_by_role("link", name="Older events").click()
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "past")
    expect(rows(page)).to_have_count(100)
    page.goto("/console/live?name=Newsletter")
    expect(rows(page)).to_have_count(1)


def test_a_login_that_ends_meanwhile_leads_back_to_the_door(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    is_live(page)
    page.context.clear_cookies()
    page.get_by_label("Search in events").fill("x")
    expect(page.get_by_label("Token", exact=True)).to_be_visible()
    desk.errors.clear()  # As it should: htmx tells of the 401.


def test_sql_answers_within_bounds_and_says_kindly_what_is_wrong(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE)
    page.goto("/console/warehouse")
    sql = page.get_by_label("SQL")
    sql.fill("SELECT name, plan FROM shop.users WHERE id = '97980cfea0067'")
    sql.press("Control+Enter")
    expect(page.locator(".answer td")).to_have_text(["Peter Gibbons", "premium"])
    sql.fill("SELECT * FROM range(100000)")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".answer [role=status]")).to_contain_text("500 rows, and there are more")
    for wrong, told in (("SELECT * FROM shop.nothing", "nothing"), ("DROP TABLE shop.users", "only SELECT")):
        sql.fill(wrong)
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("alert")).to_contain_text(told)
        expect(sql).to_have_value(wrong)
    desk.errors.clear()  # Chromium tells of every answer with a 400.
    page.get_by_role("link", name=re.compile("identifies")).first.click()
    expect(page.locator(".answer tbody tr").first).to_be_visible()


def test_the_snippet_is_copied_whole(desk: Desk) -> None:
    page = desk.sit_down(viewport=WIDE, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/console/sources?key=my-site")
    page.locator("[data-copy=short]").click()
    expect(page.locator("[data-copy=short]")).to_have_text("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f'<script src="{desk.url}/analytics.js/snippet.js?writeKey=my-site"></script>'


def test_nothing_is_wider_than_a_phone(desk: Desk) -> None:
    page = desk.sit_down(viewport=PHONE_WIDTH)
    for screen in (*SCREENS, "events/1", "warehouse/shop/identifies"):
        page.goto(f"/console/{screen}")
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= PHONE_WIDTH["width"], f"{screen} is {width} wide"


def test_health_leads_from_a_finding_to_the_person(desk: Desk) -> None:
    users = [f"visitor{number}@initech.example" for number in range(9)]
    desk.send(*({"type": "track", "event": "Order Completed", "userId": user} for user in users), source="email-shop")
    page = desk.sit_down(viewport=WIDE)
    page.get_by_role("link", name="Health").click()
    audit = page.get_by_role("button", name="Audit now")
    expect(audit).to_be_enabled(timeout=60_000)
    audit.click()
    finding = page.locator("#user-id-is-email")
    expect(finding).to_be_visible(timeout=60_000)
    finding.locator("summary").click()
    expect(finding).to_contain_text("How to fix it.")
    finding.locator("a.id").first.click()
    expect(page.get_by_role("heading", name="visitor", exact=False).first).to_be_visible()
