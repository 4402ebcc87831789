"""Who gets in, and how long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from console.conftest import PAGE, TOKEN, Desk
from satsuma_server.console.store import HOUR, MOST_SOURCES, OTHERS, Store
from satsuma_server.console.views.login import _next
from satsuma_server.http.guesses import GUESS_SECONDS, MOST_GUESSES
from satsuma_server.projections.proxy import Proxy
from satsuma_server.settings import Settings
from starlette.requests import Request

SCREENS = (
    "live",
    "people",
    "refused",
    "plan",
    "sources",
    "health",
    "charts",
    "warehouse",
    "destinations",
    "live/stream",
    "events/1",
)


def test_nothing_is_shown_without_a_login(make_desk: Callable[[], Desk]) -> None:
    desk = make_desk()
    for path in SCREENS:
        answer = desk.web.get(f"/console/{path}", headers=PAGE, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/console/login"), path
        assert desk.web.get(f"/console/{path}", headers={"accept": "text/event-stream"}).status_code == 401
    moved = desk.web.get("/console/live", headers={**PAGE, "hx-request": "true"})
    assert (moved.status_code, moved.headers["hx-redirect"]) == (401, "/console/login?next=live")


def test_the_token_opens_it_and_is_not_in_the_cookie(make_desk: Callable[[], Desk]) -> None:
    desk = make_desk()
    assert desk.log_in("wrong").status_code == 401
    answer = desk.log_in(next="charts?days=7")
    assert answer.headers["location"] == "/console/charts?days=7"
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/console" in cookie
    assert "Secure" not in cookie
    assert desk.web.get("/console/live", headers=PAGE).status_code == 200


def test_behind_https_the_cookie_is_secure_and_below_a_prefix_it_stays_there(make_desk: Callable[[], Desk]) -> None:
    told = {"x-forwarded-proto": "https", "x-forwarded-prefix": "/analytics"}
    answer = make_desk().web.post("/console/login", data={"token": TOKEN}, headers=told, follow_redirects=False)
    assert "Secure" in answer.headers["set-cookie"] and "Path=/analytics/console" in answer.headers["set-cookie"]
    assert answer.headers["location"] == "/analytics/console/live"


def test_a_cookie_that_was_tampered_with_opens_nothing(desk: Desk) -> None:
    name, ends, signature = desk.web.cookies["satsuma_console"].split(".")
    for forged in (
        f"{name}.{int(ends) + 1}.{signature}",
        f"x{name}.{ends}.{signature}",
        f"{name}.{ends}.",
        "..",
        "a.b.c",
    ):
        desk.web.cookies.clear()
        desk.web.cookies.set("satsuma_console", forged)
        answer = desk.web.get("/console/live", headers=PAGE, follow_redirects=False)
        assert answer.status_code == 303, forged


def test_logging_out_ends_the_login_for_every_copy_of_its_cookie_also_after_a_restart(
    desk: Desk, make_desk: Callable[[], Desk]
) -> None:
    stolen = desk.web.cookies["satsuma_console"]
    assert desk.web.post("/console/logout", data={"csrf": "wrong"}, follow_redirects=False).status_code == 403
    assert desk.web.post("/console/logout", data={"csrf": desk.csrf()}, follow_redirects=False).status_code == 303
    for one in (desk, make_desk()):
        one.web.cookies.set("satsuma_console", stolen)
        assert one.web.get("/console/live", headers=PAGE, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_send_no_form(desk: Desk, site: str) -> None:
    answer = desk.web.post("/console/logout", data={"csrf": desk.csrf()}, headers={"sec-fetch-site": site})
    assert answer.status_code == 403
    assert desk.web.get("/console/live", headers=PAGE, follow_redirects=False).status_code == 200


def test_who_tries_tokens_has_to_wait_and_others_do_not(make_desk: Callable[[], Desk]) -> None:
    desk = make_desk()
    for number in range(MOST_GUESSES):
        assert desk.log_in(f"wrong {number}").status_code == 401
    answer = desk.log_in()
    assert answer.status_code == 429 and 0 < int(answer.headers["retry-after"]) <= GUESS_SECONDS
    other = desk.web.post("/console/login", data={"token": TOKEN}, headers={"x-forwarded-for": "192.0.2.7"})
    assert other.status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "\\evil", "/etc", "live\nSet-Cookie: a=b"])
def test_a_login_leads_nowhere_else(path: str) -> None:
    after = _next(path)
    assert after == "live" or f"/console/{after}".startswith("/console/")
    assert "\n" not in after


def test_every_answer_has_a_strict_policy(desk: Desk) -> None:
    for path in ("live", "login", "nothing", "assets/nothing"):
        headers = desk.web.get(f"/console/{path}", headers=PAGE).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and headers["x-content-type-options"] == "nosniff"


def test_what_a_visitor_says_of_himself_is_not_passed_on() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/console/live",
        "headers": [
            (b"host", b"collector.example"),
            (b"x-forwarded-for", b"203.0.113.9"),
            (b"x-forwarded-proto", b"https"),
            (b"x-forwarded-prefix", b"/evil"),
        ],
        "client": ("198.51.100.4", 1),
    }
    passed = dict(Proxy(Path("/tmp/none"), Settings(Path("none")))._headers(Request(scope)))
    assert passed[b"x-forwarded-for"] == b"198.51.100.4"
    assert passed[b"x-forwarded-proto"] == b"http"
    assert passed[b"x-forwarded-prefix"] == b""
    trusting = dict(Proxy(Path("/tmp/none"), Settings(Path("none"), trust_proxy=True))._headers(Request(scope)))
    assert trusting[b"x-forwarded-for"] == b"203.0.113.9" and trusting[b"x-forwarded-proto"] == b"https"


def test_counts_are_kept_once_and_made_up_sources_share_a_row(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for index in range(MOST_SOURCES + 50):
        store.count({(HOUR, 3600, f"key-{index}", "track"): 1}, index + 1)
    assert store.counted() == MOST_SOURCES + 50
    rows = store.volume(HOUR, 0)
    assert len(rows) == MOST_SOURCES + 1
    assert sum(row[3] for row in rows) == MOST_SOURCES + 50
    assert [row[3] for row in rows if row[1] == OTHERS] == [50]
    store.close()
