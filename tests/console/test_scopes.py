"""What a token's scopes show of the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from console.conftest import PAGE, Desk
from satsuma_server.access import Scope
from satsuma_server.access.token_file import TokenFile

SHOWN = {
    Scope.READ_EVENTS: ["live", "refused", "plan", "sources", "health", "charts"],
    Scope.READ_PEOPLE: ["people"],
    Scope.SQL: ["warehouse"],
    Scope.ADMIN: ["live", "people", "refused", "plan", "sources", "health", "charts", "warehouse", "destinations"],
}


@pytest.mark.parametrize("scope", SHOWN)
def test_a_login_shows_what_its_token_allows(make_desk: Callable[[], Desk], tmp_path: Path, scope: Scope) -> None:
    desk, token = make_desk(), TokenFile(tmp_path).create("only this", [scope])
    moved = desk.log_in(token, next="live?q=x")
    wanted = "live?q=x" if "live" in SHOWN[scope] else SHOWN[scope][0]
    assert (moved.status_code, moved.headers["location"]) == (303, f"/console/{wanted}")
    home = desk.web.get("/console/", follow_redirects=False)
    assert home.headers["location"] == f"/console/{SHOWN[scope][0]}"
    for screen in SHOWN[Scope.ADMIN]:
        answer = desk.web.get(f"/console/{screen}", headers=PAGE)
        links = re.findall(r'<a href="/console/(\w+)" title', answer.text)
        # The console of these tests has neither profiles nor a warehouse, so two screens answer 404 where they may.
        assert (answer.status_code != 403) == (screen in SHOWN[scope]), screen
        assert links == SHOWN[scope]
    assert desk.web.post("/console/people/undo").status_code == (404 if scope is Scope.ADMIN else 403)


def test_a_token_that_opens_no_screen_is_told_so(make_desk: Callable[[], Desk], tmp_path: Path) -> None:
    desk, token = make_desk(), TokenFile(tmp_path).create("the cleaner", [Scope.DELETE])
    answer = desk.log_in(token)
    assert answer.status_code == 403 and "no scope" in answer.text
    assert not desk.web.cookies


def test_a_login_ends_with_its_token(make_desk: Callable[[], Desk], tmp_path: Path) -> None:
    desk, file = make_desk(), TokenFile(tmp_path)
    assert desk.log_in(file.create("reader", [Scope.READ_EVENTS])).status_code == 303
    assert desk.web.get("/console/live", headers=PAGE).status_code == 200
    file.revoke("reader")
    assert desk.web.get("/console/live", headers=PAGE, follow_redirects=False).status_code == 303


def test_a_cookie_of_one_token_is_not_made_into_that_of_another(make_desk: Callable[[], Desk], tmp_path: Path) -> None:
    desk, file = make_desk(), TokenFile(tmp_path)
    desk.log_in(file.create("reader", [Scope.READ_EVENTS]))
    admin = file.create("chief", [Scope.ADMIN])
    other = make_desk()
    other.log_in(admin)
    name, _, ends, signature = desk.web.cookies["satsuma_console"].split(".")
    chief = other.web.cookies["satsuma_console"].split(".")[1]
    for forged in (f"{name}.{ends}.{signature}", f"{name}.{chief}.{ends}.{signature}"):
        desk.web.cookies.clear()
        desk.web.cookies.set("satsuma_console", forged)
        assert desk.web.get("/console/live", headers=PAGE, follow_redirects=False).status_code == 303, forged
