"""Pages whose Python lives in the site's service worker: it outlives each of them, and they meet there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import satsuma
from flows.faults import Faults
from flows.reference_library import PAGE
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

Stored = Callable[..., dict[str, Any]]

LINE = 'importScripts("{collector}/analytics.js/v1/service/service.js");'
FETCHED = "() => performance.getEntriesByType('resource').filter((one) => one.name.endsWith('python.wasm')).length"
NEVER_INSTALLED = LINE + "self.addEventListener('install', (event) => event.waitUntil(new Promise(() => {{}})));"
NO_LONG_WAIT = "const later = setTimeout; setTimeout = (go, ms, ...more) => ms > 5000 ? 0 : later(go, ms, ...more);"
"""What waits for more than five seconds never happens."""

TRACKED = "(name) => analytics.track(name).then(() => null)"


CROWD = """async () => {
    const { active } = await navigator.serviceWorker.getRegistration("/satsuma-service.js/");
    const lost = new Set();
    navigator.serviceWorker.addEventListener("message", ({ data }) => lost.add(data.satsumaLost));
    navigator.serviceWorker.startMessages();
    const boot = (satsuma) => new Promise((go) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => data.ready && go();
        active.postMessage({ satsuma, way: "boot", given: { protocol: 1 } }, [port2]);
    });
    for (let n = 0; n < 120; n++) await boot("page" + n);
    for (const n of [119, 0]) active.postMessage({ satsuma: "page" + n, way: "ping" });
    while (!lost.has("page0")) await new Promise((go) => setTimeout(go, 10));
    return lost.has("page119");
}"""
"""Asks as 120 pages do, and waits until the first one is told that it was let go."""

HELD = """() => {
    const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
    const held = [];
    window.holding = false;
    window.release = () => {
        holding = false;
        held.splice(0).forEach((go) => go());
    };
    Object.defineProperty(MessagePort.prototype, "onmessage", {
        set(hear) { set.call(this, (message) => (holding ? held.push(() => hear(message)) : hear(message))); },
    });
    Object.defineProperty(window, "held", { get: () => held.length });
}"""
"""The page hears its service worker only when it is told to."""

WRITES = Path(satsuma.__file__).parent.parent / "js" / "worker" / "writes.js"
MUCH_WRITTEN = """() => {
    const clock = Date.now;
    %s
    const writes = makeWrites(), own = { write() {} }, other = { write() {} };
    for (let n = 0; n < 20; n++) writes.add(own, "key" + n, n, { key: "key" + n, value: "x".repeat(500000) });
    const seen = writes.see(other, { done: 0, now: clock() });
    return [seen.reduce((sum, { value }) => sum + value.length, 0), seen[seen.length - 1].key];
}"""


@pytest.fixture
def collector(watched: Collector) -> Collector:
    """A collector that fails where a test says so."""
    return watched


@pytest.fixture
def line() -> str:
    """What the site's service worker imports."""
    return LINE


@pytest.fixture
def site(collector: Collector, line: str) -> Iterator[str]:
    """A site of another origin than the collector's, with a service worker of one line."""
    written = snippet("service", collector.url, options={"python": "service"})
    html = PAGE.format(title="Service", snippet=written, body="")

    async def page(request: Request) -> Response:
        return HTMLResponse(html)

    async def service(request: Request) -> Response:
        return Response(line.format(collector=collector.url), media_type="text/javascript")

    routes = [Route("/satsuma-service.js", service), Route("/{path:path}", page)]
    with serving(Starlette(routes=routes)) as url:
        yield url


def ids(events: list[dict[str, Any]]) -> set[str]:
    """Return the anonymousIds of events."""
    return {event["anonymousId"] for event in events}


def test_the_second_page_finds_python_alive(visitor: Visitor, stored: Stored, warnings: list[str]) -> None:
    visitor.visit("/")
    first = stored("page")
    loaded = visitor.evaluate("() => performance.getEntriesByType('resource').map((one) => one.name.split('/').pop())")
    assert not {"python.js", "python.wasm", "memory.bin"} & set(loaded)
    assert visitor.identity.cookie_anonymous_id == visitor.identity.storage_anonymous_id == first["anonymousId"]
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    assert visitor.identity.cookie_user_id == "u1"
    visitor.visit("/second")
    visitor.evaluate(TRACKED, "Second")
    assert stored("track", "Second")["userId"] == "u1"
    (worker,) = visitor.context.service_workers
    assert worker.evaluate(FETCHED) == 1
    assert warnings == []


def test_who_logs_out_is_somebody_new_on_the_next_page(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    first = stored("page")["anonymousId"]
    visitor.page.evaluate("() => { analytics.identify('u1'); analytics.reset(); location.href = '/next'; }")
    visitor.page.wait_for_url("**/next")
    visitor.wait_for_boot()
    visitor.evaluate(TRACKED, "Next")
    after = stored("track", "Next")
    assert stored("identify")["anonymousId"] == first
    assert after["userId"] is None
    assert after["anonymousId"] != first
    assert visitor.identity.cookie_anonymous_id == after["anonymousId"]


def test_what_is_cleared_right_after_it_was_written_stays_cleared(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    visitor.evaluate("() => analytics.identify('u1').then(() => null)")
    before = stored("identify")["anonymousId"]
    visitor.cookies.clear()
    visitor.storage.clear()
    visitor.visit("/next")
    after = stored("page", count=2)
    assert (after["userId"], visitor.identity.cookie_user_id) == (None, None)
    assert after["anonymousId"] not in (None, before)


def test_cookies_heal_a_storage_that_was_cleared(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    visitor.evaluate("() => analytics.identify('u1').then(() => null)")
    visitor.storage.clear()
    visitor.visit("/next")
    assert stored("page", count=2)["userId"] == "u1"
    visitor.until(lambda: visitor.identity.storage_user_id == "u1", "localStorage to be healed")


def hold(visitor: Visitor, call: str) -> None:
    """Have a page make a call, and hear nothing yet of what Python has decided."""
    visitor.page.evaluate("(call) => { holding = true; (0, eval)(call); }", call)
    visitor.until(lambda: visitor.page.evaluate("() => held"), "Python to answer")


def test_an_id_that_a_server_sets_meanwhile_stays(visitor: Visitor, stored: Stored) -> None:
    visitor.page.add_init_script(f"({HELD})()")
    visitor.visit("/")
    hold(visitor, "void analytics.setAnonymousId('own')")
    visitor.cookies.tamper("ajs_anonymous_id", "of-the-server")
    visitor.evaluate("() => { release(); return analytics.track('After').then(() => null); }")
    assert visitor.identity.cookie_anonymous_id == "of-the-server"
    visitor.evaluate(TRACKED, "Then")
    assert stored("track", "Then")["anonymousId"] == "of-the-server"
    assert visitor.identity.storage_anonymous_id == "of-the-server"


def test_who_is_logged_in_by_a_server_meanwhile_is_whom_the_server_says(visitor: Visitor, stored: Stored) -> None:
    visitor.page.add_init_script(f"({HELD})()")
    visitor.visit("/")
    visitor.evaluate("() => analytics.identify('u1', {plan: 'pips'}).then(() => null)")
    hold(visitor, "void analytics.identify('u2')")
    login = {"ajs_user_id": "u9", "ajs_anonymous_id": "a9", "satsuma_generation": str(round(time.time() * 1000) + 1000)}
    for name, value in login.items():
        visitor.cookies.tamper(name, value)
    visitor.evaluate("() => { release(); return analytics.track('After').then(() => null); }")
    assert (visitor.identity.cookie_user_id, visitor.identity.cookie_anonymous_id) == ("u9", "a9")
    visitor.evaluate(TRACKED, "Then")
    then = stored("track", "Then")
    assert (then["userId"], then["anonymousId"], visitor.identity.storage_user_id) == ("u9", "a9", "u9")


def test_an_id_that_is_given_is_there_at_once(visitor: Visitor, stored: Stored) -> None:
    visitor.page.add_init_script(f"({HELD})()")
    visitor.visit("/")
    assert visitor.identity.cookie_anonymous_id == stored("page")["anonymousId"]
    hold(visitor, "void analytics.setAnonymousId('given')")
    assert visitor.identity.cookie_anonymous_id == visitor.identity.storage_anonymous_id == "given"
    visitor.evaluate("() => { release(); return analytics.track('After').then(() => null); }")
    assert stored("track", "After")["anonymousId"] == visitor.identity.cookie_anonymous_id == "given"


def test_two_tabs_at_once_are_one_new_visitor(visitor: Visitor, collector: Collector) -> None:
    visitor.page.goto(f"{visitor.base_url}/")
    other = visitor.new_tab()
    other.page.goto(f"{visitor.base_url}/other")
    for tab in (visitor, other):
        tab.page.evaluate("() => { for (let n = 0; n < 10; n++) analytics.track('Counted', {n}); }")
    events = collector.wait_for(lambda events: len(events) >= 22)
    assert len(events) == 22
    assert ids(events) == {visitor.identity.cookie_anonymous_id}


def test_a_page_that_is_left_at_once_loses_no_call(visitor: Visitor, stored: Stored, collector: Collector) -> None:
    visitor.visit("/")
    visitor.page.evaluate("() => { analytics.track('Last Words'); location.href = 'about:blank'; }")
    assert stored("track", "Last Words")["anonymousId"] == stored("page")["anonymousId"]


def test_a_service_worker_that_is_killed_loses_nothing(
    visitor: Visitor, collector: Collector, stored: Stored, warnings: list[str]
) -> None:
    visitor.visit("/")
    stored("page")
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("ServiceWorker.enable")
    visitor.page.evaluate("() => { analytics.identify('u1'); for (let n = 0; n < 5; n++) analytics.track('Counted'); }")
    session.send("ServiceWorker.stopAllWorkers")
    visitor.page.evaluate("() => void analytics.track('After')")
    events = collector.wait_for(lambda events: len(events) >= 8)
    names = [event.get("event") or event["type"] for event in events]
    assert sorted(names) == sorted(["page", "identify", *["Counted"] * 5, "After"])
    assert len(ids(events)) == 1
    assert stored("track", "After")["userId"] == "u1"
    assert warnings == []


def test_each_page_has_its_own_clock(visitor: Visitor, collector: Collector, stored: Stored, faults: Faults) -> None:
    visitor.visit("/")
    stored("page")
    moved = visitor.new_tab()
    moved.page.add_init_script("const now = Date.now; Date.now = () => now() + 3600000;")
    moved.page.goto(f"{visitor.base_url}/moved")
    moved.wait_for_boot()
    stored("page", count=2)
    before = len(faults.posted)
    faults.answer_next(503)
    visitor.page.evaluate("() => void analytics.track('Tried Again')")
    visitor.until(lambda: len(faults.posted) > before, "the call to be refused")
    moved.page.evaluate("() => void analytics.track('An Hour Ahead')")
    stored("track", "Tried Again")
    stored("track", "An Hour Ahead")
    sent = {event["event"]: post.body["sentAt"] for post in faults.posted[before + 1 :] for event in post.events}
    assert sent["Tried Again"] < sent["An Hour Ahead"]
    assert sent["Tried Again"][:13] <= stored("track", "Tried Again")["receivedAt"][:13]


def test_the_pages_that_it_knows_are_bounded(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    stored("page")
    assert visitor.evaluate(CROWD) is False
    visitor.evaluate(TRACKED, "After All")
    assert stored("track", "After All")["anonymousId"] == stored("page")["anonymousId"]
    size, newest = visitor.evaluate(MUCH_WRITTEN % WRITES.read_text())
    assert size <= 4_000_000
    assert newest == "key19"


@pytest.mark.parametrize("line", ["self.other = true;", NEVER_INSTALLED], ids=["without our line", "never installed"])
def test_no_page_waits_for_a_service_worker_that_never_answers(
    visitor: Visitor, stored: Stored, warnings: list[str]
) -> None:
    visitor.page.add_init_script(NO_LONG_WAIT)
    visitor.visit("/")
    stored("page")
    assert len(warnings) == 1
    assert "can't run in a service worker here" in warnings[0]


def test_where_there_is_no_such_service_worker_python_runs_in_the_page(
    visitor: Visitor, stored: Stored, warnings: list[str]
) -> None:
    visitor.page.add_init_script("delete Navigator.prototype.serviceWorker")
    visitor.visit("/")
    stored("page")
    assert len(warnings) == 1
    assert "can't run in a service worker here" in warnings[0]
