"""Ways out of a site whose Python is in its service worker: what waits there outlives tabs and the service worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loss.line import Kind
from loss.scene import OURS, Scene, set_up
from loss.walk import PATIENCE, Walk
from playwright.sync_api import Browser, BrowserContext, BrowserType, CDPSession, Page

UNSENT = """() => new Promise((resolve) => {
    const opened = indexedDB.open("satsuma");
    // Nothing of ours need be there: then this look must not make it.
    opened.onupgradeneeded = () => opened.transaction.abort();
    opened.onerror = () => resolve(0);
    opened.onsuccess = () => {
        const asked = opened.result.transaction("unsent").objectStore("unsent").getAll();
        const calls = ({ text }) => text.split('"Called"').length - 1;
        asked.onsuccess = () => resolve(asked.result.reduce((sum, entry) => sum + calls(entry), 0));
        asked.transaction.oncomplete = () => opened.result.close();
    };
})"""
"""How many calls wait in the service worker's storage."""

NO_WORKER = "async () => (await navigator.serviceWorker.getRegistrations()).length === 0"

HELD = """() => {
    const fetched = fetch, later = setTimeout;
    // Only Python names headers.
    const held = (init) => init?.headers && !self.released;
    self.fetch = (url, init) => (held(init) ? Promise.reject(new TypeError("held")) : fetched(url, init));
    self.setTimeout = (go, ms, ...more) => (ms === 250 ? 0 : later(go, ms, ...more));
}"""
"""No post of Python's arrives until `released`, and the service worker doesn't come to look whether Python is done."""

DEAF = """Navigator.prototype.sendBeacon = () => true;
const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
Object.defineProperty(MessagePort.prototype, "onmessage", {
    set(hear) { set.call(this, (message) => window.deaf || hear(message)); },
});"""
"""Beacons get lost on their way, and the page doesn't hear what becomes of its last call once it is `deaf`."""


@pytest.fixture(scope="module")
def serviced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The site, with Python in its service worker."""
    with set_up(OURS, tmp_path_factory.mktemp("service"), python="service") as scene:
        yield scene


@pytest.fixture
def scene(serviced: Scene) -> Iterator[Scene]:
    """The site, and a network that is well; afterwards it is again."""
    yield serviced
    serviced.front.clear_up()


def call_into_the_void(walk: Walk, calls: int = 3, tab: Page | None = None) -> Page:
    """Make calls on a page whose collector refuses everything, until all of them are kept; return its tab."""
    tab = tab or walk.open()
    walk.booted(tab)
    walk.call(tab)
    walk.kept(tab)
    walk.scene.front.weather, walk.scene.front.share = Kind.REFUSED, 1
    for _ in range(calls):
        walk.call(tab)
    walk.until(lambda: tab.evaluate(UNSENT) >= calls, tab, "the calls to be kept")
    return tab


def is_stored(walk: Walk) -> bool:
    """Tell whether all calls are stored, each once; wait for that for a while."""
    limit = time.monotonic() + PATIENCE
    while (found := walk.tally()).lost and time.monotonic() < limit:
        time.sleep(0.1)
    return (found.lost, found.duplicate, found.unordered) == (0, 0, 0)


def of_workers(context: BrowserContext, page: Page) -> CDPSession:
    """Return a session of DevTools that can steer service workers."""
    session = context.new_cdp_session(page)
    session.send("ServiceWorker.enable")
    return session


def synchronise(scene: Scene, context: BrowserContext) -> None:
    """Have the browser say that the network is there, as it does by itself some minutes after it has started."""
    page = context.pages[0]
    found: list[dict[str, Any]] = []
    session = context.new_cdp_session(page)
    session.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
    session.send("ServiceWorker.enable")
    limit = time.monotonic() + PATIENCE
    while not found and time.monotonic() < limit:
        page.wait_for_timeout(50)
    given = {"origin": scene.url, "registrationId": found[0]["registrationId"], "tag": "satsuma", "lastChance": False}
    session.send("ServiceWorker.dispatchSyncEvent", given)


def test_a_browser_that_quits_and_comes_back_without_the_site(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], scene: Scene, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    with browser_type.launch_persistent_context(profile, **browser_type_launch_args) as context:
        walk = Walk(scene, context, "vquit")
        call_into_the_void(walk)
        walk.made()
    scene.front.clear_up()
    with browser_type.launch_persistent_context(profile, **browser_type_launch_args) as context:
        walk.context = context
        synchronise(scene, context)
        assert is_stored(walk)


def test_a_service_worker_that_is_killed_after_the_last_tab(browser: Browser, scene: Scene) -> None:
    with browser.new_context() as context:
        walk = Walk(scene, context, "vkilled")
        other = context.new_page()
        tab = call_into_the_void(walk)
        session = of_workers(context, other)
        walk.made()
        tab.close()
        session.send("ServiceWorker.stopAllWorkers")
        scene.front.clear_up()
        synchronise(scene, context)
        assert is_stored(walk)


def test_an_update_while_an_old_tab_is_open(browser: Browser, scene: Scene) -> None:
    with browser.new_context() as context:
        walk = Walk(scene, context, "vupdated")
        tab = call_into_the_void(walk)
        scene.diary.service_version += 1
        tab.evaluate("""async () => {
            const found = await navigator.serviceWorker.getRegistration("/satsuma-service.js/");
            const before = found.active;
            await found.update();
            while (found.active === before) await new Promise((go) => setTimeout(go, 20));
        }""")
        scene.front.clear_up()
        walk.call(tab)
        assert is_stored(walk)


@pytest.mark.parametrize("stays", [False, True], ids=["at once", "after a stay"])
def test_the_way_back_to_a_page_whose_calls_have_no_answer(
    browser_with_history: Browser, scene: Scene, stays: bool
) -> None:
    """Python still has its calls, or the page that came after it does: no new call may overtake them."""
    with browser_with_history.new_context() as context:
        walk = Walk(scene, context, f"vback{stays}")
        first, onward = walk.path(), walk.path()
        tab = walk.go(first)
        call_into_the_void(walk, tab=tab)
        tab.evaluate("(path) => { window.kept = true; make(); make(); goWhenLoaded(path); }", onward)
        tab.wait_for_url(f"**{onward}", wait_until="commit")
        if stays:
            walk.booted(tab)
            walk.call(tab)
            walk.until(lambda: tab.evaluate(UNSENT) >= 6, tab, "the calls of both pages to be kept")
        walk.go_in_history(tab, -1, first)
        scene.front.clear_up()
        walk.call(tab)
        assert tab.evaluate("() => window.kept")
        assert is_stored(walk), walk.stored()


def test_the_last_call_of_a_page_overtakes_none_that_waits(browser: Browser, scene: Scene) -> None:
    """The next page has the earlier ones, and the service worker was given the last one as the page went."""
    with browser.new_context() as context:
        context.add_init_script(DEAF)
        walk = Walk(scene, context, "vhasty")
        tab = walk.open()
        walk.booted(tab)
        walk.call(tab)
        walk.kept(tab)
        (worker,) = context.service_workers
        worker.evaluate(HELD)
        for _ in range(3):
            walk.call(tab)
        walk.until(lambda: tab.evaluate(UNSENT) == 3, tab, "the calls to be kept")
        onward = walk.path()
        tab.evaluate("(path) => { window.deaf = true; make(); go(path); }", onward)
        tab.wait_for_url(f"**{onward}", wait_until="commit")
        walk.booted(tab)
        synchronise(scene, context)
        walk.until(lambda: tab.evaluate(UNSENT) == 4, tab, "one queue with all of them")
        worker.evaluate("() => { self.released = true; }")
        assert is_stored(walk), walk.stored()


def test_a_page_that_is_left_without_a_network(browser: Browser, scene: Scene) -> None:
    """It never hears that the network is back, and its visitor doesn't come back."""
    with browser.new_context() as context:
        walk = Walk(scene, context, "voffline")
        context.new_page()
        tab = walk.open()
        walk.booted(tab)
        walk.call(tab)
        walk.kept(tab)
        walk.go_offline()
        for _ in range(3):
            walk.call(tab)
        walk.until(lambda: tab.evaluate(UNSENT) == 3, tab, "the calls to be kept")
        walk.made()
        tab.close()
        walk.go_online()
        assert is_stored(walk)


def test_a_storage_that_is_evicted(browser: Browser, scene: Scene) -> None:
    with browser.new_context() as context:
        walk = Walk(scene, context, "vevicted")
        tab = call_into_the_void(walk)
        session = context.new_cdp_session(tab)
        session.send("Storage.clearDataForOrigin", {"origin": scene.url, "storageTypes": "indexeddb"})
        walk.call(tab)
        tab.close()
        scene.front.clear_up()
        assert is_stored(walk)


def test_a_service_worker_that_is_evicted_with_its_storage(browser: Browser, scene: Scene) -> None:
    """The page, which is open, has what waits in its localStorage, and asks for another service worker."""
    with browser.new_context() as context:
        walk = Walk(scene, context, "vuprooted")
        tab = call_into_the_void(walk)
        session = context.new_cdp_session(tab)
        kinds = "indexeddb,cache_storage,service_workers"
        session.send("Storage.clearDataForOrigin", {"origin": scene.url, "storageTypes": kinds})
        walk.until(lambda: tab.evaluate(NO_WORKER), tab, "the service worker to be gone")
        walk.call(tab)
        scene.front.clear_up()
        assert is_stored(walk), walk.stored()


def test_a_visitor_who_says_no_leaves_nothing_to_be_sent(browser: Browser, scene: Scene) -> None:
    with browser.new_context() as context:
        walk = Walk(scene, context, "vno")
        first = call_into_the_void(walk)
        stored = walk.stored()
        first.close()
        tab = walk.go(f"/{walk.name}/no")
        walk.booted(tab)
        tab.evaluate("() => analytics.consent(false)")
        walk.until(lambda: tab.evaluate(UNSENT) == 0, tab, "what waited to be gone")
        scene.front.clear_up()
        of_workers(context, tab).send("ServiceWorker.stopAllWorkers")
        tab.goto(scene.url + "/after")
        walk.booted(tab)
        tab.evaluate("() => analytics.track('After').then(() => null)")
        assert walk.stored() == stored
