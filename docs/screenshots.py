"""Takes the pictures that the documentation shows: a real visitor in the demo shop."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright
from pytest_satsuma import Visitor
from pytest_satsuma.chromium import launch_args
from satsuma_server.testing import running, serving
from satsuma_shop.app import create_app

IMAGES = Path(__file__).parent / "images"
WIDE = {"width": 1280, "height": 800}


def shop(visitor: Visitor) -> None:
    """A visitor who has just subscribed to the newsletter."""
    visitor.visit("/newsletter")
    for name, text in {"first_name": "Peter", "last_name": "Gibbons", "email": "pgibbons@initech.example"}.items():
        visitor.page.fill(f"#newsletter [name={name}]", text)
    with visitor.page.expect_navigation():
        visitor.page.click("#newsletter .button")
    visitor.wait_for_boot()
    visitor.visit("/")
    visitor.page.click("text=Who am I?")
    visitor.page.get_by_text("Newsletter Subscribed").wait_for()
    visitor.page.screenshot(path=IMAGES / "shop.png")


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder)
        with running(data / "log") as collector:
            app = create_app(collector_url=collector.url, token=collector.token, data=data)
            with serving(app) as url:
                browser = playwright.chromium.launch(**launch_args({}))
                shop(Visitor(browser.new_context(viewport=WIDE), url))
                browser.close()
    print(*(f"{path.relative_to(IMAGES.parent.parent)}" for path in sorted(IMAGES.glob("*.png"))), sep="\n")


if __name__ == "__main__":
    main()
