"""A tester at the console of a real collector: a process of its own, with its worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page
from satsuma import __version__
from satsuma.clock import iso_time
from satsuma_server.testing import started

TOKEN = "the-token-of-this-collector"
PETER = "97980cfea0067"
LAPTOP, PHONE, OTHER = "bd077b70-816b-448b-ae79-2f5f7d856513", "4f0d2c1a-77aa-4cfe-9d52-0a8d9b7c1e33", "e1c9a04b-1a2b"
DAY = 86_400_000
HEALED = {"healed": ["ajs_anonymous_id:cookie:gone"]}

PLAN = """
title = "The grove's plan"

[track."Order Completed"]
required = ["total", "currency"]
[track."Order Completed".properties]
total = {type = "number"}
currency = {enum = ["EUR", "CHF"]}

[track."Signed Up".properties]
plan = {enum = ["free", "premium"]}

[identify.properties.email]
type = "string"
"""
SETTINGS = """
[[sources]]
write_key = "grove-web"
name = "Grove web"
plan = "plan.toml"

[[sources]]
write_key = "grove-app"
name = "Grove app"
plan = "plan.toml"
plan_mode = "refuse"
"""
"""Two sources with a plan: what isn't as planned is marked in one, and refused in the other."""

SCREENS = (
    "live",
    "people",
    f"people/user_id:{PETER}",
    "refused",
    "refused/1",
    "refused?kind=plan",
    "refused/5",
    "plan",
    "sources",
    "health",
    "charts",
    "warehouse",
    "destinations",
)


class Desk:
    """A running collector, and whoever looks at its console.

    Attributes:
        url: the collector's origin.
        errors: what the pages wrote to the browser's console as an error, and what they threw.
    """

    def __init__(self, url: str, browser: Browser) -> None:
        self.url = url
        self.errors: list[str] = []
        self._browser = browser
        self._http = httpx.Client(base_url=url, timeout=60)
        self._contexts: list[BrowserContext] = []
        self._login: Any = None

    def send(self, *events: dict[str, Any], source: str = "shop", path: str = "/v1/batch") -> None:
        """Post events as a library does."""
        answer = self._http.post(path, json={"batch": list(events)}, auth=(source, ""))
        assert answer.status_code == 200, answer.text

    def sit_down(self, log_in: bool = True, **context: Any) -> Page:
        """Return a page in a browser of its own, logged in."""
        known = {"storage_state": self._login} if log_in and self._login else {}
        opened = self._browser.new_context(base_url=self.url, **known, **context)
        self._contexts.append(opened)
        page = opened.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        if log_in:
            page.goto("/console")
            if not self._login:
                page.get_by_label("Token", exact=True).fill(TOKEN)
                page.get_by_role("button", name="Log in").click()
            page.wait_for_url("**/console/live")
            self._login = opened.storage_state()
        return page

    def until(self, look: Callable[[], Any], what: str, seconds: float = 60) -> None:
        """Wait for what happens outside of any page."""
        end = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < end, f"waited {seconds} s for {what}"
            time.sleep(0.05)

    def wait_for_tables(self) -> None:
        """Wait until the warehouse has all events."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.until(lambda: self._http.get("/v1/warehouse", headers=headers).json().get("lag") == 0, "the warehouse")

    def wait_for_worker(self) -> None:
        """Wait until the second process answers."""
        self.until(lambda: self._http.get("/v1/worker").status_code == 200, "the worker", 60)

    def stand_up(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


@contextmanager
def desk_of(folder: Path, browser: Browser) -> Iterator[Desk]:
    """Run a collector with its worker."""
    (folder / "plan.toml").write_text(PLAN)
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS)
    told_so = ("--config", str(settings), "--accept-any-key", "--token", TOKEN)
    with started(folder, "serve", *told_so, env={"SATSUMA_WORKER": "1"}) as told:
        desk = Desk(told["url"], browser)
        desk.wait_for_worker()
        yield desk
        desk.stand_up()


def story(now: float) -> list[dict[str, Any]]:
    """Return Peter's events: an anonymous visit, the sign-up, a phone, a new browser, and a colleague at his desk."""

    def event(ago: float, kind: str, device: str, user: str | None = None, **more: Any) -> dict[str, Any]:
        at = iso_time(now - ago)
        agent = "Satsuma-iOS/2.1" if device == PHONE else "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"
        context = {"userAgent": agent, "library": {"name": "analytics.js", "version": f"satsuma-{__version__}"}}
        if tells := more.pop("tells", None):
            context["satsuma"] = tells
        told = {"type": kind, "anonymousId": device, "timestamp": at, "sentAt": at, "context": context, **more}
        return told if user is None else {**told, "userId": user}

    minute = 60_000
    traits = {"name": "Peter Gibbons", "email": "pgibbons@initech.example", "plan": "premium"}
    return [
        event(4 * DAY, "page", LAPTOP, properties={"path": "/", "title": "Satsuma Grove"}),
        event(4 * DAY - minute, "track", LAPTOP, event="Product Viewed", properties={"name": "Satsuma", "price": 4.2}),
        event(4 * DAY - 2 * minute, "identify", LAPTOP, traits={"firstName": "Peter", "email": traits["email"]}),
        event(4 * DAY - 3 * minute, "track", LAPTOP, event="Newsletter Subscribed"),
        event(2 * DAY, "page", LAPTOP, properties={"path": "/register"}, tells=HEALED),
        event(2 * DAY - minute, "identify", LAPTOP, PETER, traits=traits),
        event(2 * DAY - minute, "track", LAPTOP, PETER, event="Signed Up", properties={"plan": "premium"}),
        event(2 * DAY - 4 * minute, "track", LAPTOP, PETER, event="Order Completed", properties={"total": 12.6}),
        event(DAY, "screen", PHONE, name="Home"),
        event(DAY - minute, "identify", PHONE, PETER, traits={"plan": "premium"}),
        event(DAY - minute, "track", PHONE, PETER, event="Signed In", tells={"delivery": {"failed": 2}}),
        event(20 * minute, "page", OTHER, properties={"path": "/login"}),
        event(19 * minute, "identify", OTHER, PETER, traits={"lastLogin": "today"}),
        event(18 * minute, "page", OTHER, PETER, properties={"path": "/account"}),
        event(17 * minute, "alias", OTHER, PETER, previousId=LAPTOP),
        event(5 * minute, "identify", OTHER, "5f21aa", traits={"name": "Samir Nagheenanajar"}),
        event(5 * minute, "track", OTHER, "5f21aa", event="Signed In"),
    ]


def unplanned() -> list[dict[str, Any]]:
    """Return events of which none is as `PLAN` says, and then one that is."""
    broken: list[tuple[str, dict[str, Any]]] = [
        ("Order Completed", {"total": "12.60", "currency": "EUR"}),
        ("Order Completed", {"total": 7, "currency": "Fr."}),
        ("Order Completed", {"total": 8.4}),
        ("Signed Up", {"plan": "premuim"}),
        ("order completed", {"total": 3}),
        ("Signed Up", {"plan": "free"}),
    ]
    told = [
        {"type": "track", "event": name, "userId": f"g{number}", "messageId": f"planned-{number}", "properties": given}
        for number, (name, given) in enumerate(broken)
    ]
    return [{"type": "identify", "userId": "g9", "traits": {"email": ["g9@initech.example"]}}, *told]


def refused() -> list[dict[str, Any]]:
    """Return events of which all but the last are refused."""
    return [
        {"type": "track", "event": "Nobody's"},
        {"type": "track", "userId": PETER},
        {"type": "alias", "userId": PETER},
        {"type": "page", "anonymousId": "somebody-else", "properties": {"path": "/"}},
    ]
