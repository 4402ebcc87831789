"""The console against what events hold, and for everybody: hostile texts and axe, on each screen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flows.console_desk import SCREENS, Desk
from playwright.sync_api import Page, expect

HOSTILE = "\"'><img src=x onerror=hacked()><script>hacked()</script>${hacked()}{{hacked()}}</textarea></title>"
WATCH = """window.hits = []; window.hacked = () => window.hits.push(1); document.addEventListener(
    "securitypolicyviolation", (event) => window.hits.push(event.violatedDirective + event.blockedURI));"""


@pytest.fixture(scope="module")
def desk(console_desk: Desk) -> Desk:
    """A desk with hostile texts wherever an event can hold one."""
    desk = console_desk
    desk.errors.clear()
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
    return desk


def hostile_screens(page: Page) -> list[str]:
    """Return the screens, and of what they lead to a few of each kind."""
    found = list(SCREENS)
    for screen, kind, most in (("people", "/people/", 2), ("live", "/events/", 6), ("warehouse", "img_src", 8)):
        page.goto(f"/console/{screen}")
        links = page.locator("main a").evaluate_all("all => all.map((one) => one.href)")
        found += [link for link in links if kind in link][:most]
    return found


def test_nothing_that_an_event_holds_is_run_or_becomes_markup(desk: Desk) -> None:
    page = desk.sit_down(viewport={"width": 1440, "height": 900})
    page.add_init_script(WATCH)
    seen = dict.fromkeys(hostile_screens(page))
    for address in seen:
        page.goto(address if "://" in address else f"/console/{address}")
        assert page.evaluate("() => window.hits") == [], address
        assert page.locator("img[src=x]").count() == 0, address
    assert len(seen) > 20
    page.goto("/console/live")
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "live")
    desk.send({"type": "track", "event": HOSTILE + "live", "userId": HOSTILE}, source=HOSTILE)
    expect(page.locator("[data-feed] .row").first).to_contain_text(HOSTILE + "live")
    page.locator("[data-feed] .row a").first.click()
    expect(page.locator("#detail .json")).to_contain_text("hacked()")
    assert page.evaluate("() => window.hits") == []
    assert not desk.errors, desk.errors


MAKE_SCRIPTS = """() => new Promise((done) => setTimeout(() => {
    const made = [];
    const attempt = (name, act) => { try { act(); made.push(name); } catch (error) {
        if (!(error instanceof TypeError || error instanceof EvalError)) throw error; } };
    const script = document.createElement("script");
    attempt("src", () => { script.src = "/console/assets/evil.js"; });
    attempt("text", () => { script.text = "hacked()"; });
    attempt("textContent", () => { script.textContent = "hacked()"; });
    attempt("eval", () => eval("hacked()"));
    attempt("worker", () => new Worker("/console/assets/evil.js"));
    attempt("policy", () => trustedTypes.createPolicy("another", { createScript: (text) => text }));
    attempt("default policy", () => trustedTypes.createPolicy("default", { createScript: (text) => text }));
    document.body.insertAdjacentHTML("beforeend", "<i id=still-made>HTML</i>");
    done([made, document.getElementById("still-made").textContent]);
}))"""
"""In a task of its own: Playwright's own one may do what the page's policy forbids."""


def test_no_text_becomes_a_script(desk: Desk) -> None:
    page = desk.sit_down()
    assert page.evaluate(MAKE_SCRIPTS) == [[], "HTML"]
    desk.errors.clear()  # Chromium tells of each.


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(desk: Desk, scheme: str) -> None:
    axe = Path(os.environ["SATSUMA_LIBRARIES"], "node_modules/axe-core/axe.min.js").read_text()
    page = desk.sit_down(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    doors = desk.sit_down(log_in=False, color_scheme=scheme)
    # What differs between the schemes is colour.
    asked = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
    found = {}
    for where, screen in ((doors, "login"), *((page, one) for one in (*SCREENS, "events/1", "warehouse/shop/users"))):
        where.goto(f"/console/{screen}")
        where.evaluate(axe)
        problems = where.evaluate("async (given) => (await axe.run(given)).violations", asked)
        serious = [
            (one["id"], one["nodes"][0]["html"][:200]) for one in problems if one["impact"] in ("serious", "critical")
        ]
        if serious:
            found[screen] = serious
    assert not found
