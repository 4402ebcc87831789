"""Takes the console's pictures for the documentation: Peter's story on a real collector, at three widths."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path(__file__).parent.parent / "e2e" / "flows"))

from console_desk import PETER, Desk, desk_of, refused, story, unplanned
from playwright.sync_api import Page, sync_playwright
from pytest_satsuma.chromium import launch_args
from screenshots import IMAGES, MOST_BYTES, packed

PERSON = f"people/user_id:{PETER}"
PICTURES: dict[str, tuple[str, tuple[int, int], str]] = {
    "console-live": ("live", (1440, 900), "light"),
    "console-person": (PERSON, (1440, 900), "light"),
    "console-person-dark": (PERSON, (1024, 800), "dark"),
    "console-live-phone": ("live", (390, 800), "dark"),
    "console-warehouse": ("warehouse", (1280, 800), "dark"),
    "console-plan": ("plan", (1024, 720), "light"),
    "console-refused": ("refused", (768, 960), "light"),
}


def show(page: Page, path: str) -> None:
    """Open a screen, and choose something where it lets one choose."""
    page.goto(f"/console/{path}")
    if path == "live":
        page.locator("[data-state=live]").wait_for()
        if page.locator("#detail").is_visible():
            page.locator(".t-track a", has_text="Signed Up").first.click()
            page.locator("#detail .json").wait_for()
    if path == "warehouse":
        page.get_by_role("button", name="Run").click()
        page.locator(".answer").wait_for()
    if path == PERSON:
        page.locator("#graph[data-drawn]").wait_for()
    page.wait_for_timeout(500)


def take(desk: Desk, name: str) -> None:
    """Take one picture."""
    path, (width, height), scheme = PICTURES[name]
    size = {"width": width, "height": height}
    page = desk.sit_down(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    show(page, path)
    file = IMAGES / f"{name}.webp"
    file.write_bytes(packed(page.context.browser.new_context(), page.screenshot()))  # type: ignore[union-attr]
    if file.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{file.name} has {file.stat().st_size} bytes, more than {MOST_BYTES}: show less of it")
    print(file.relative_to(IMAGES.parent.parent))


def main() -> None:
    """Take all pictures."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_args({}))
        with desk_of(Path(folder), browser) as desk:
            desk.send(*refused())
            for source in ("grove-web", "grove-app"):
                desk.send(*unplanned(), source=source)
            desk.send(*story(time.time() * 1000), path="/v1/import")
            desk.wait_for_tables()
            for name in PICTURES:
                take(desk, name)
        browser.close()


if __name__ == "__main__":
    main()
