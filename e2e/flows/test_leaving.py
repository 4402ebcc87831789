"""A visitor who leaves before Python is up, and one whose page ends before the collector has answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flows.faults import Faults
from flows.reference_library import PAGE, stock_site
from flows.without_loader import NO_LOADER, names
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

EARLY = "analytics.identify('u1', {plan: 'pips'}); analytics.track('Signed Up', {n: 1});"


@pytest.fixture
def site(watched: Collector) -> Iterator[str]:
    """A page that makes its calls right after the snippet."""
    html = PAGE.format(title="Leaving", snippet=f"{snippet('leaving', watched.url)}\n{EARLY}", body="")
    with serving(stock_site(html)) as url:
        yield url


def test_calls_of_a_tab_that_is_closed_before_python_is_up_arrive_and_the_next_visit_goes_on(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    visitor.page.close(run_before_unload=True)
    assert names(watched, 3) == ["page", "identify", "Signed Up"]
    [post] = faults.posted
    assert post.path == "/v1/early"
    left = watched.events()

    visitor.page = visitor.context.new_page()
    visitor.visit("/later")
    again = watched.wait_for(lambda events: len(events) >= 6)[3:]
    assert {event["anonymousId"] for event in (*left, *again)} == {left[0]["anonymousId"]}
    assert [event["userId"] for event in left] == [None, "u1", "u1"]
    assert {event["userId"] for event in again} == {"u1"}
    assert visitor.identity.cookie_user_id == "u1"


def test_calls_that_no_beacon_can_carry_wait_for_the_next_page(visitor: Visitor, watched: Collector) -> None:
    visitor.page.add_init_script("navigator.sendBeacon = () => false")
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    visitor.evaluate("() => { sessionStorage.up = 1; }")
    visitor.visit("/later")
    assert names(watched, 6) == ["page", "identify", "Signed Up"] * 2
    kept = ("satsuma_queue", "satsuma_early")
    visitor.until(lambda: not any(key.startswith(kept) for key in visitor.storage.all()), "nothing to be left behind")


def test_a_few_calls_are_kept_at_once(visitor: Visitor) -> None:
    """What Firefox's pages write to localStorage as their tab is closed does not last."""
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    kept = """() => {
        for (let n = 0; n < 19; n++) analytics.track(`E${n}`, {text: "x".repeat(100)});
        const name = Object.keys(localStorage).find((name) => name.startsWith("satsuma_early:"));
        return JSON.parse(localStorage.getItem(name)).calls.map((call) => call[1]);
    }"""
    assert visitor.evaluate(kept)[3:] == [f"E{n}" for n in range(19)]


def leave_with(visitor: Visitor, script: str) -> None:
    """Open a page whose loader never comes, run a script, and close the tab."""
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    visitor.evaluate(f"() => {{ {script} }}")
    visitor.page.close(run_before_unload=True)


def test_more_calls_than_a_beacon_carries_go_in_portions_and_the_rest_with_the_next_page(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    leave_with(visitor, "for (let n = 0; n < 80; n++) analytics.track(`E${n}`, {text: 'x'.repeat(1000)});")
    left = names(watched, 40)
    assert left[:3] == ["page", "identify", "Signed Up"]
    assert left[3:] == [f"E{n}" for n in range(len(left) - 3)], "without a gap"
    assert {event["userId"] for event in watched.events()[1:]} == {"u1"}, "each portion knows who it was"
    assert len({event["anonymousId"] for event in watched.events()}) == 1
    assert all(len(post.raw) <= 65_536 for post in faults.posted)

    visitor.page = visitor.context.new_page()
    visitor.visit("/later")
    assert [name for name in names(watched, 86) if name.startswith("E")] == [f"E{n}" for n in range(80)]


def test_traits_that_no_beacon_carries_keep_no_call_back(visitor: Visitor, watched: Collector) -> None:
    traits = "localStorage.setItem('ajs_user_traits', JSON.stringify({bio: 'x'.repeat(70_000)}))"
    visitor.page.add_init_script(f"if (location.protocol === 'http:') {traits};")
    leave_with(visitor, "analytics.track('Last');")
    assert names(watched, 4) == ["page", "identify", "Signed Up", "Last"]


def test_a_page_whose_python_is_up_hands_over_what_fits_beside_what_is_under_way(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    visitor.page.add_init_script("""
        const own = navigator.sendBeacon.bind(navigator);
        window.taken = [];
        navigator.sendBeacon = (...given) => taken[taken.push(own(...given)) - 1];
    """)
    visitor.visit("/")
    names(watched, 3)
    taken = visitor.evaluate(f"""() => {{
        taken.length = 0;
        for (let n = 0; n < 40; n++) analytics.track(`E${{n}}`, {{text: "x".repeat(1000)}});
        // Another library's request, which the browser counts too.
        navigator.sendBeacon("{watched.url}/v1/m", "x".repeat(40_000));
        dispatchEvent(new PageTransitionEvent("pagehide"));
        return taken;
    }}""")
    assert taken[:2] == [True, False], "there is no room for all events beside the other request"
    assert True in taken[2:]
    visitor.page.close(run_before_unload=True)
    left = names(watched, 8)[3:]
    assert left == [f"E{n}" for n in range(len(left))], "without a gap"


def test_a_page_that_was_only_hidden_sends_nothing_twice(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    hide = "Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true});"
    visitor.page.add_init_script(f"""
        {hide}
        addEventListener("DOMContentLoaded", () => document.dispatchEvent(new Event("visibilitychange")));""")
    visitor.visit("/")
    visitor.until(lambda: len(faults.posted) >= 4, "beacon and page to have sent")
    assert names(watched, 3) == ["page", "identify", "Signed Up"]
    assert [post.path for post in faults.posted].count("/v1/early") == 1
    assert visitor.identity.traits == {"plan": "pips"}


def test_what_the_collector_never_answered_is_sent_by_the_next_page(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    visitor.visit("/")
    names(watched, 3)
    faults.answer_next(500)
    visitor.evaluate("() => { analytics.track('Unlucky'); }")
    visitor.until(lambda: len(faults.posted) == 4, "the first try")
    visitor.visit("/later")
    arrived = names(watched, 7)
    assert sorted(arrived) == sorted(["page", "identify", "Signed Up"] * 2 + ["Unlucky"])
    visitor.until(lambda: not any("queue" in key for key in visitor.storage.all()), "the journal to be empty")
    visitor.errors.clear()  # The browser itself tells of the 500.


def test_flush_waits_for_the_collector(visitor: Visitor, watched: Collector) -> None:
    visitor.visit("/")
    report = visitor.evaluate("""async () => {
        for (let n = 0; n < 30; n++) analytics.track(`E${n}`);
        return analytics.flush();
    }""")
    assert (report["queued"], report["inflight"], report["dropped"]) == (0, 0, {})
    stored: Callable[[], list[str]] = lambda: names(watched, 33)
    assert stored()[3:] == [f"E{n}" for n in range(30)], "in order"
