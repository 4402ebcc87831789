"""The shop, the drawer and the lab for everybody: axe on each page, light and dark, and no page wider than a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.shopper import Shopper
from pytest_satsuma import Visitor

PAGES = (
    "/",
    "/search?q=yuzu",
    "/search?q=apple",
    "/products/yuzu",
    "/cart",
    "/newsletter",
    "/register",
    "/login",
    "/hasty",
    "/thanks",
    "/lab",
    "/app",
    "/notebook",
    "/nowhere",
)
PHONE = {"width": 360, "height": 740}
RUN = """async (scheme) => {
    // What the colours don't change is asked once.
    const only = scheme === "dark" ? {runOnly: {type: "rule", values: ["color-contrast"]}} : {};
    const {violations} = await axe.run(document, {iframes: false, resultTypes: ["violations"], ...only});
    return violations.filter(({impact}) => ["serious", "critical"].includes(impact))
        .map(({id, nodes}) => `${scheme}: ${id}: ${nodes.map(({target}) => target.join(" ")).join(", ")}`);
}"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core."""
    folder = Path(os.environ.get("SATSUMA_LIBRARIES", ".cache/libraries"))
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def looks(visitor: Visitor, axe: str) -> Iterator[Any]:
    """A function that looks at the page as it is now, and keeps what is wrong with it; a test's end asks."""
    found: dict[str, list[str]] = {}
    visitor.page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    def look(name: str) -> None:
        visitor.page.evaluate(axe)
        wrong = []
        for scheme in ("light", "dark"):
            visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            wrong += visitor.page.evaluate(RUN, scheme)
        if (wide := visitor.evaluate(WIDE)) > 0:
            wrong.append(f"{wide} px wider than a phone")
        if wrong:
            found[name] = wrong

    yield look
    assert found == {}


def test_every_page_of_the_shop(visitor: Visitor, looks: Any, shopper: Shopper) -> None:
    for path in PAGES:
        visitor.page.goto(visitor.base_url + path)
        looks(path)
    # The browser tells of the page that isn't there.
    visitor.errors[:] = [error for error in visitor.errors if "404" not in error]
    visitor.visit("/products/yuzu")
    with visitor.page.expect_response("**/cart/yuzu"):
        visitor.page.get_by_role("button", name="Put in the cart").click()
    visitor.page.goto(f"{visitor.base_url}/cart")
    visitor.page.get_by_text("Together").wait_for()
    looks("a cart with something in it")
    shopper.register("Peter Gibbons", "peter@example.com")
    looks("/welcome")
    visitor.page.goto(f"{visitor.base_url}/account")
    looks("/account")


def test_the_drawer(visitor: Visitor, looks: Any) -> None:
    visitor.visit("/")
    visitor.page.keyboard.press("q")
    visitor.page.locator("[data-action=corrupt-cookie]:enabled").click()
    visitor.until(lambda: visitor.page.locator(".qa-verdict[data-state=agrees]").count(), "a verdict", 30)
    visitor.page.locator(".qa-events summary").first.click()
    looks("the drawer")


def test_the_lab(visitor: Visitor, looks: Any) -> None:
    visitor.page.goto(f"{visitor.base_url}/lab/two-logins")
    visitor.until(visitor.page.locator("#step").is_enabled, "the devices", 60)
    visitor.page.click("#step")
    visitor.until(lambda: visitor.page.locator("#steps > [data-state=agrees]").count(), "a step", 60)
    looks("the lab")
