"""What a visitor can do: let time pass, lose cookies, leave, and die."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, CDPSession, Page
from pytest_satsuma import Visitor
from pytest_satsuma.chromium import throttled

DAY = 86_400


def days(visitor: Visitor) -> dict[str, float | None]:
    """Return how many days each cookie still has, rounded."""
    left = {name: cookie.expires_in_days for name, cookie in visitor.cookies.all().items()}
    return {name: None if one is None else round(one, 2) for name, one in left.items()}


def test_time_passes_for_the_clock_and_for_every_cookie(visitor: Visitor) -> None:
    visitor.visit("/")
    visitor.evaluate(f"""() => {{
        document.cookie = "short=1; max-age={DAY * 30}";
        document.cookie = "long=1; domain=shop.test; path=/; max-age={DAY * 300}";
        document.cookie = "session=1";
    }}""")
    began = visitor.evaluate("() => Date.now()")
    visitor.after(days=100)
    assert days(visitor) == {"long": 200, "session": None}
    assert visitor.cookies.all()["long"].domain == ".shop.test"
    assert visitor.cookies.read() == "session=1; long=1" or visitor.cookies.read() == "long=1; session=1"
    now = visitor.evaluate("() => [Date.now(), new Date().getTime(), Date.parse(Date()), performance.timeOrigin]")
    assert all(abs(one - began - 100 * DAY * 1000) < 60_000 for one in now)

    visitor.visit("/later")
    assert round((visitor.evaluate("() => Date.now()") - began) / DAY / 1000) == 100
    assert days(visitor)["visited"] == 10, "a server's cookie lives as long as its server says"
    assert visitor.evaluate("() => new Date(0).toISOString() + (new Date() instanceof Date)") == (
        "1970-01-01T00:00:00.000Ztrue"
    )


def test_a_page_of_a_later_time_sets_renews_and_removes_cookies_as_it_means_to(visitor: Visitor) -> None:
    visitor.visit("/")
    visitor.after(days=366)
    visitor.after(days=366)
    visitor.visit("/")
    visitor.evaluate(f"""async () => {{
        const after = (days) => new Date(Date.now() + days * {DAY * 1000}).toUTCString();
        document.cookie = "by_date=1; path=/; expires=" + after(365);
        document.cookie = "by_age=1; path=/; max-age={DAY * 20}";
        document.cookie = "gone=1";
        document.cookie = "gone=; expires=" + after(-1);
    }}""")
    assert {name: left for name, left in days(visitor).items() if name != "visited"} == {"by_date": 365, "by_age": 20}


def test_an_expired_cookie_is_gone_for_the_page_and_for_the_server(visitor: Visitor) -> None:
    visitor.visit("/")
    visitor.evaluate("() => { document.cookie = 'kept=1; max-age=1000'; }")
    visitor.cookies.expire("visited")
    assert visitor.cookies.all().keys() == {"kept"}
    with visitor.page.expect_request("**/again") as asked:
        visitor.visit("/again")
    assert asked.value.all_headers()["cookie"] == "kept=1"


def test_tampering_keeps_a_cookies_attributes(visitor: Visitor) -> None:
    visitor.visit("/")
    visitor.evaluate(f"() => {{ document.cookie = 'a=1; domain=shop.test; max-age={DAY * 30}'; }}")
    before = visitor.cookies.all()["a"]
    visitor.cookies.tamper("a", "Žlutá; b=2")
    visitor.cookies.tamper("new", "1")
    after = visitor.cookies.all()["a"]
    assert (after.value, after.domain, after.path) == ("Žlutá; b=2", before.domain, before.path)
    assert days(visitor)["a"] == 30
    visitor.storage.tamper("ajs_user_id", '"u1"')
    assert visitor.identity.storage_user_id == "u1"
    visitor.storage.clear("ajs_user_id")
    assert visitor.identity.is_empty


def test_who_leaves_is_heard_of_and_who_is_killed_is_not(visitor: Visitor, second_tab: Callable[[], Visitor]) -> None:
    note = "(name) => addEventListener('pagehide', () => localStorage.setItem(name, '1'))"
    other = second_tab()
    other.visit("/")
    visitor.visit("/")
    visitor.evaluate(note, "left")
    visitor.leave()
    visitor.until(lambda: "left" in other.storage.all(), "the page to be heard of")
    visitor.visit("/")
    visitor.evaluate(note, "killed")
    visitor.kill()
    visitor.visit("/")
    assert visitor.storage.all().keys() == {"left"}


def test_blocked_cookies_are_blocked_in_tabs_to_come(visitor: Visitor, second_tab: Callable[[], Visitor]) -> None:
    visitor.visit("/")
    visitor.evaluate("() => { document.cookie = 'a=1'; }")
    visitor.block_cookies()
    other = second_tab()
    for tab in (visitor, other):
        tab.visit("/")
        told = tab.evaluate("() => { document.cookie = 'b=1'; return [document.cookie, navigator.cookieEnabled]; }")
        assert told == ["", False]


def test_offline_is_offline(visitor: Visitor) -> None:
    visitor.visit("/")
    reached = "() => fetch('/ping').then(() => true, () => false)"
    visitor.offline()
    assert visitor.evaluate(reached) is False
    visitor.online()
    assert visitor.evaluate(reached) is True
    visitor.errors.clear()  # The browser itself tells of the failed request.


SPIN = """() => {
    const end = performance.now() + 300;
    let rounds = 0;
    while (performance.now() < end) rounds += 1;
    return rounds;
}"""


def test_a_throttled_page_does_less_in_the_same_time_of_the_processor(
    new_context: Callable[[], BrowserContext], site: str
) -> None:
    plain = new_context().new_page()
    plain.goto(site)
    phone = throttled(new_context(), 20).new_page()
    phone.goto(site)
    with phone.expect_popup() as opened:
        phone.evaluate("() => void open(location.href)")
    opened.value.wait_for_load_state()
    fast = speed(plain)
    assert speed(phone) < fast / 4
    assert speed(opened.value) < fast / 4


def speed(tab: Page) -> float:
    """Return how many rounds a page makes in a second of the processor, so that a busy machine changes nothing."""
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = busy_seconds(session)
    rounds = tab.evaluate(SPIN)
    return float(rounds / (busy_seconds(session) - before))


def busy_seconds(session: CDPSession) -> float:
    """Return how long the page's thread has had a processor."""
    told = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in told if metric["name"] == "TaskDuration"))
