"""The console against what events hold, and for everybody: hostile texts and axe, on each screen."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_desk import SCREENS, Desk, desk_of, refused, story
from playwright.sync_api import Browser, Page, expect

HOSTILE = "\"'><img src=x onerror=hacked()><script>hacked()</script>${hacked()}{{hacked()}}</textarea></title>"
WATCH = """window.hits = []; window.hacked = () => window.hits.push(1); document.addEventListener(
    "securitypolicyviolation", (event) => window.hits.push(event.violatedDirective + event.blockedURI));"""


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_of(tmp_path_factory.mktemp("console"), browser) as desk:
        desk.send(*story(time.time() * 1000), path="/v1/import")
        desk.send(*refused())
        for kind in ("track", "identify", "page", "screen", "group", "alias"):
            told = {"event": HOSTILE, "name": HOSTILE, "groupId": HOSTILE, "previousId": HOSTILE + "1"}
            payload = {HOSTILE: HOSTILE, "path": HOSTILE, "name": HOSTILE, "nested": {HOSTILE: [HOSTILE]}}
            desk.send(
                {
                    "type": kind,
                    "userId": HOSTILE,
                    "anonymousId": HOSTILE + "2",
                    "messageId": HOSTILE + kind,
                    **told,
                    "properties": payload,
                    "traits": payload,
                    "context": {"userAgent": HOSTILE, "library": {"name": HOSTILE}, "page": {"title": HOSTILE}},
                },
                source=HOSTILE,
            )
        desk.send(
            {"type": HOSTILE, "userId": HOSTILE},
            {"type": "track", "event": HOSTILE, "properties": HOSTILE, "userId": "x"},
            {"type": "page", "userId": "x"},
            source=HOSTILE,
        )
        desk.wait_for_tables()
        yield desk


def hostile_screens(page: Page) -> Iterator[str]:
    yield from SCREENS
    for screen in ("people", "live", "warehouse", "sources", "refused"):
        page.goto(f"/console/{screen}")
        links = page.locator("main a").evaluate_all("all => all.map((one) => one.href)")
        yield from {link for link in links if ("/console/" in link and "%3E" in link) or "/events/" in link}
        yield from [link for link in links if "/warehouse/" in link][:30]


def test_nothing_that_an_event_holds_is_run_or_becomes_markup(desk: Desk) -> None:
    page = desk.sit_down(viewport={"width": 1440, "height": 900})
    page.add_init_script(WATCH)
    seen = set()
    for address in [*hostile_screens(page)]:
        if address in seen:
            continue
        seen.add(address)
        page.goto(address if "://" in address else f"/console/{address}")
        assert page.evaluate("() => window.hits") == [], address
        assert page.locator("img[src=x]").count() == 0, address
    assert len(seen) > 25
    page.goto("/console/live")
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "live")
    desk.send({"type": "track", "event": HOSTILE + "live", "userId": HOSTILE}, source=HOSTILE)
    expect(page.locator("[data-feed] .row").first).to_contain_text(HOSTILE + "live")
    page.locator("[data-feed] .row a").first.click()
    expect(page.locator("#detail .json")).to_contain_text("hacked()")
    assert page.evaluate("() => window.hits") == []
    assert not desk.errors, desk.errors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(desk: Desk, scheme: str) -> None:
    axe = Path(os.environ["SATSUMA_LIBRARIES"], "node_modules/axe-core/axe.min.js").read_text()
    page = desk.sit_down(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    doors = desk.sit_down(log_in=False, color_scheme=scheme)
    found = {}
    for where, screen in ((doors, "login"), *((page, one) for one in (*SCREENS, "events/1", "warehouse/shop/users"))):
        where.goto(f"/console/{screen}")
        where.evaluate(axe)
        problems = where.evaluate("async () => (await axe.run()).violations")
        serious = [
            (one["id"], one["nodes"][0]["html"][:200]) for one in problems if one["impact"] in ("serious", "critical")
        ]
        if serious:
            found[screen] = serious
    assert not found
