"""Takes the pictures that the documentation shows: real visitors in the demo shop, at three widths."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright
from pytest_satsuma import Visitor
from pytest_satsuma.chromium import launch_args
from satsuma_server.testing import running, serving
from satsuma_shop.app import create_app

IMAGES = Path(__file__).parent / "images"
DESKTOP, TABLET, PHONE = (1280, 800), (768, 960), (390, 800)
MOST_BYTES = 150_000
SECONDS = 90

type Picture = Callable[[Visitor], None]


def shop(visitor: Visitor) -> None:
    """The front page."""
    visitor.visit("/")


def drawer(visitor: Visitor) -> None:
    """Somebody who has signed up, and whose cookie has expired."""
    visitor.visit("/register")
    for name, text in {"name": "Peter Gibbons", "email": "peter@initech.example", "password": "red-stapler"}.items():
        visitor.page.fill(f"#register [name={name}]", text)
    with visitor.page.expect_navigation():
        visitor.page.click("#register .button")
    visitor.wait_for_boot()
    visitor.page.keyboard.press("q")
    press(visitor, "expire")


def weather(visitor: Visitor) -> None:
    """Somebody whose network is gone."""
    visitor.visit("/products/yuzu")
    visitor.page.keyboard.press("q")
    press(visitor, "offline")


def press(visitor: Visitor, key: str) -> None:
    """Press one of the drawer's buttons, and wait for its verdict."""
    visitor.until(visitor.page.locator(f"[data-action={key}]").is_enabled, key, SECONDS)
    visitor.page.click(f"[data-action={key}]")
    verdict = visitor.page.locator(f".qa-verdict[data-action={key}][data-state=agrees]")
    visitor.until(verdict.count, f"the verdict on {key}", SECONDS)
    visitor.page.wait_for_timeout(300)


def lab(flow: str) -> Picture:
    """A flow that has been played."""

    def picture(visitor: Visitor) -> None:
        visitor.page.goto(f"{visitor.base_url}/lab/{flow}")
        visitor.until(visitor.page.locator("#play").is_enabled, "the devices", SECONDS)
        visitor.page.click("#play")
        visitor.until(visitor.page.locator("#state[data-outcome]").count, "the flow's end", SECONDS)
        visitor.page.evaluate("() => scrollTo(0, 0)")
        visitor.page.wait_for_timeout(600)

    return picture


PICTURES: dict[str, tuple[Picture, tuple[int, int], str]] = {
    "shop": (shop, DESKTOP, "light"),
    "shop-phone": (shop, PHONE, "light"),
    "drawer": (drawer, DESKTOP, "light"),
    "drawer-tablet": (weather, TABLET, "dark"),
    "drawer-phone": (drawer, PHONE, "dark"),
    "lab": (lab("two-logins"), (1360, 960), "light"),
    "lab-tablet": (lab("one-login"), TABLET, "dark"),
    "lab-phone": (lab("reset"), PHONE, "light"),
}


PACK = """async (png) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.88).split(",")[1];
}"""


def packed(context: BrowserContext, png: bytes) -> bytes:
    """Return a picture as WebP, by the browser's own hand: half of what PNG takes for text and shadows."""
    return base64.b64decode(context.new_page().evaluate(PACK, base64.b64encode(png).decode()))


def take(browser: Browser, url: str, name: str) -> None:
    """Take one picture, by a visitor of its own."""
    picture, (width, height), scheme = PICTURES[name]
    size: Any = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    picture(Visitor(context, url))
    path = IMAGES / f"{name}.webp"
    path.write_bytes(packed(context, context.pages[0].screenshot()))
    context.close()
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, more than {MOST_BYTES}: show less of it")


def main() -> None:
    """Take all pictures, each in a shop of its own."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_args({}))
        for name in PICTURES:
            with TemporaryDirectory() as folder, running(Path(folder) / "log") as collector:
                app = create_app(collector_url=collector.url, token=collector.token, data=Path(folder))
                with serving(app) as url:
                    take(browser, url, name)
        browser.close()
    print(*(f"{path.relative_to(IMAGES.parent.parent)}" for path in sorted(IMAGES.glob("*.webp"))), sep="\n")


if __name__ == "__main__":
    main()
