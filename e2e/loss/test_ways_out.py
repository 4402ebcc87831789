"""One way at a time out of a page that has just made its calls."""

from __future__ import annotations

import pytest
from loss.line import Fault, Kind
from loss.walk import HIDDEN, Walk
from playwright.sync_api import Page

FILL = """() => {
    for (let size = 2 ** 22; size >= 1; size /= 2)
        try { for (let i = 0; ; i++) localStorage.setItem(`fill-${size}-${i}`, "x".repeat(size)); } catch {}
}"""
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("Access is denied", "SecurityError"); },
});"""
NO_COOKIES = """Object.defineProperty(document, "cookie", {get: () => "", set() {}});
Object.defineProperty(navigator, "cookieEnabled", {get: () => false});"""


def stay_and_check(walk: Walk, tab: Page) -> None:
    """Check that all that was called until now comes to be stored, each call once."""
    walk.kept(tab)
    found = walk.tally()
    assert (found.lost, found.duplicate) == (0, 0), found


def come_back_and_check(walk: Walk) -> None:
    """Let the visitor come back, and check that nothing was lost."""
    stay_and_check(walk, walk.come_back())


def test_leaving_at_once_with_a_cold_cache(walk: Walk) -> None:
    onward = walk.path()
    walk.open(0, then=f"go('{onward}')").wait_for_url(f"**{onward}", wait_until="commit")
    come_back_and_check(walk)


def test_leaving_at_once_with_a_warm_cache(regular: Walk) -> None:
    onward = regular.path()
    regular.open(0, 100, then=f"go('{onward}')").wait_for_url(f"**{onward}", wait_until="commit")
    come_back_and_check(regular)


def test_leaving_right_after_a_call_with_the_library_up(regular: Walk) -> None:
    tab = regular.open()
    regular.booted(tab)
    tab.evaluate("() => { make(); make(); go('/elsewhere'); }")
    tab.wait_for_url("**/elsewhere", wait_until="commit")
    come_back_and_check(regular)


def test_a_call_in_the_handler_of_a_form(regular: Walk) -> None:
    regular.open(0, then="submit()").wait_for_url("**/sent", wait_until="commit")
    come_back_and_check(regular)


def test_a_tab_closed_before_the_library_was_there(walk: Walk) -> None:
    tab = walk.open(0)
    walk.made_all(tab)
    tab.close()
    come_back_and_check(walk)


def test_a_tab_closed_by_a_visitor_who_never_comes_back(regular: Walk) -> None:
    tab = regular.open()
    regular.booted(tab)
    regular.call(tab)
    tab.close()
    stay_and_check(regular, regular.context.new_page())


def test_ten_pages_in_two_seconds(regular: Walk) -> None:
    last = onward = regular.path(0)
    for _ in range(9):
        onward = regular.path(0, 100, then=f"go('{onward}')")
    regular.go(onward).wait_for_url(f"**{last}", wait_until="commit")
    come_back_and_check(regular)
    assert len(regular.made()) == 20


def test_offline_through_a_navigation(regular: Walk) -> None:
    tab = regular.open()
    regular.booted(tab)
    regular.go_offline()
    regular.call(tab)
    tab.evaluate("() => go('/elsewhere')")
    regular.left(tab)
    come_back_and_check(regular)


def test_a_tab_killed_between_a_post_and_its_answer(regular: Walk) -> None:
    """One call is to be tried again, the other was stored without the page hearing of it."""
    tab = regular.open()
    regular.booted(tab)
    posts = regular.scene.front.posts
    regular.scene.front.fail_next(Fault(Kind.REFUSED), Fault(Kind.SLOW, 5))
    tab.evaluate("() => { make(); make(); }")
    regular.until(lambda: regular.scene.front.posts >= posts + 2, tab, "both posts")
    regular.crash(tab)
    come_back_and_check(regular)


def test_an_answer_that_is_lost(regular: Walk) -> None:
    """The page can't know that the call was stored and sends it again; the collector keeps one."""
    tab = regular.open()
    regular.booted(tab)
    regular.call(tab)
    regular.kept(tab)
    regular.scene.front.fail_next(Fault(Kind.LOST_ANSWER))
    regular.call(tab)
    regular.until(lambda: regular.tally().resent, tab, "the call to come again")
    stay_and_check(regular, tab)


def test_a_last_post_that_is_refused(regular: Walk) -> None:
    """Refused and not reset: Chromium by itself tries again what was reset on a connection that it had open."""
    tab = regular.open()
    regular.booted(tab)
    posts = regular.scene.front.posts
    regular.scene.front.weather, regular.scene.front.share = Kind.REFUSED, 1
    tab.evaluate("() => { make(); go('/elsewhere'); }")
    tab.wait_for_url("**/elsewhere", wait_until="commit")
    regular.until(lambda: regular.scene.front.posts > posts, tab, "the post")
    come_back_and_check(regular)


def test_two_tabs_that_find_one_queue(regular: Walk) -> None:
    tab = regular.open()
    regular.booted(tab)
    regular.scene.front.go_down()
    tab.evaluate("() => { make(); make(); make(); }")
    regular.crash(tab)
    regular.scene.front.clear_up()
    first, second = regular.open(0), regular.open(0)
    regular.booted(first)
    regular.booted(second)
    come_back_and_check(regular)
    assert regular.tally().resent == 0


def test_a_full_local_storage(walk: Walk) -> None:
    tab = walk.open()
    tab.evaluate(FILL)
    walk.open(0, 300, tab=tab)
    walk.booted(tab)
    walk.call(tab)
    stay_and_check(walk, tab)


@pytest.mark.parametrize("broken", [NO_STORAGE, NO_COOKIES], ids=["no local storage", "no cookies"])
def test_a_browser_that_keeps_nothing(walk: Walk, broken: str) -> None:
    walk.context.add_init_script(broken)
    tab = walk.open(0, 300)
    walk.made_all(tab)
    walk.booted(tab)
    tab.evaluate("() => { make(); go('/elsewhere'); }")
    stay_and_check(walk, tab)


def test_the_way_back_to_a_page_as_it_was_left(regular_with_history: Walk) -> None:
    regular = regular_with_history
    first = regular.path()
    tab = regular.go(first)
    regular.booted(tab)
    regular.call(tab)
    # Chromium keeps no page that has a post under way.
    tab.evaluate("() => analytics.flush().then(() => null)")
    tab.evaluate("() => { window.kept = true; goWhenLoaded('/elsewhere'); }")
    tab.wait_for_url("**/elsewhere", wait_until="commit")
    regular.go_in_history(tab, -1, first)
    regular.call(tab)
    assert tab.evaluate("() => window.kept")
    stay_and_check(regular, tab)


def test_a_tab_that_nobody_ever_sees(regular: Walk) -> None:
    tab = regular.context.new_page()
    tab.add_init_script(HIDDEN)
    regular.open(0, 300, tab=tab)
    regular.made_all(tab)
    regular.booted(tab)
    stay_and_check(regular, tab)


def test_a_tab_that_is_frozen(regular: Walk) -> None:
    """What waits in it is sent by another tab, and perhaps once more when it wakes up."""
    tab = regular.open()
    regular.booted(tab)
    regular.scene.front.go_down()
    tab.evaluate("() => { make(); make(); make(); window.ticks = 0; setInterval(() => window.ticks++, 10); }")
    frozen = regular.freeze(tab)
    regular.scene.front.clear_up()
    other = regular.open(0)
    regular.booted(other)
    stay_and_check(regular, other)
    regular.thaw(frozen)
    assert tab.evaluate("() => window.ticks") < 300  # Else it never stood still.
    regular.call(tab)
    come_back_and_check(regular)
