"""What was changed on one origin of a site holds on all others, and an expired cookie still comes back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fakes import DAY, FakePlatform
from satsuma.analytics import Analytics
from satsuma.codec import find_cookie
from satsuma.options import Endpoint, LoadOptions

ANN = {"ajs_user_id": "ann", "ajs_anonymous_id": "a1", "ajs_user_traits": {"plan": "pips"}}


class Origin:
    """One origin of a site, on which pages are opened one after the other."""

    def __init__(self, shared: FakePlatform | None = None, options: dict[str, Any] | None = None) -> None:
        self.platform = FakePlatform()
        self.options = options or {}
        if shared is not None:
            self.platform.cookie_jar, self.platform.new_id = shared.cookie_jar, shared.new_id  # type: ignore[method-assign]

    def open(self) -> Analytics:
        return Analytics(self.platform, Endpoint("demo", ""), LoadOptions.from_mapping(self.options))

    def remembers(self, items: dict[str, Any]) -> None:
        self.platform.local_storage.items.update({name: json.dumps(value) for name, value in items.items()})

    def cookie(self, name: str) -> str | None:
        return find_cookie(self.platform.cookie_jar.read(), name)


@pytest.fixture
def www(platform: FakePlatform) -> Origin:
    return Origin(platform)


@pytest.fixture
def app(platform: FakePlatform) -> Origin:
    return Origin(platform)


def who(page: Analytics) -> tuple[str | None, str | None]:
    return page.user().id(), page.user().anonymous_id()


def log_in(page: Analytics, user_id: str, traits: dict[str, Any] | None = None) -> None:
    page.user().identify(user_id, traits)


def wait(milliseconds: float, *origins: Origin) -> None:
    # The jar goes by a clock of its own, as the browser does.
    for origin in origins:
        origin.platform.time += milliseconds


@pytest.mark.parametrize("first", ["www", "app"])
def test_a_logout_holds_on_all_origins(www: Origin, app: Origin, first: str) -> None:
    here, there = (www, app) if first == "www" else (app, www)
    log_in(here.open(), "ann", {"plan": "pips"})
    before = who(there.open())
    assert before[0] == "ann"
    here.open().reset()
    page = there.open()
    user_id, anonymous_id = who(page)
    assert (user_id, page.user().traits()) == (None, {})
    assert anonymous_id != before[1]
    assert who(here.open()) == (None, anonymous_id)
    assert there.cookie("ajs_user_id") is None


def test_a_login_holds_on_all_origins(www: Origin, app: Origin) -> None:
    log_in(www.open(), "ann", {"plan": "pips"})
    log_in(app.open(), "ann", {"plan": "pips"})
    www.open().reset()
    log_in(www.open(), "bob")
    bob = who(www.open())
    page = app.open()
    assert (who(page), page.user().traits()) == (bob, {})
    log_in(page, "ann")
    assert who(www.open()) == who(app.open())
    assert who(www.open())[0] == "ann"


def test_a_page_that_is_open_hears_of_it(www: Origin, app: Origin) -> None:
    here, there = www.open(), app.open()
    log_in(here, "ann", {"plan": "pips"})
    assert who(there)[0] == "ann"
    here.reset()
    assert who(there)[0] is None
    log_in(there, "bob")
    assert who(here) == who(there)


def test_an_open_tab_of_the_same_origin_does_not_bring_back_who_has_logged_out(www: Origin) -> None:
    one, two = www.open(), www.open()
    log_in(one, "ann", {"plan": "pips"})
    assert who(two)[0] == "ann"
    one.reset()
    assert (who(two)[0], two.user().traits()) == (None, {})


def test_the_last_login_counts_however_fast_they_come_and_whatever_was_cleared(
    platform: FakePlatform, www: Origin, app: Origin
) -> None:
    page = www.open()
    for user_id in ("ann", "bob", "ann"):
        log_in(page, user_id)
        wait(1, www, app)
    wait(300, www, app)
    platform.cookie_jar.cookies.clear()
    log_in(app.open(), "carol")
    assert who(www.open()) == who(app.open())
    assert who(www.open())[0] == "carol"


@pytest.mark.parametrize("reset", [False, True])
def test_expired_cookies_come_back_from_whoever_was_there_last(
    platform: FakePlatform, www: Origin, app: Origin, reset: bool
) -> None:
    log_in(www.open(), "ann")
    assert who(app.open())[0] == "ann"
    wait(60_000, www, app)
    www.open().reset()
    if not reset:
        log_in(www.open(), "bob")
    platform.time += 366 * DAY
    assert www.cookie("satsuma_generation") is None
    # The other origin doesn't know better, and www does.
    assert who(app.open())[0] == "ann"
    assert who(www.open())[0] == (None if reset else "bob")
    assert who(app.open())[0] == (None if reset else "bob")


def test_expired_cookies_of_one_origin_come_back_with_their_generation(platform: FakePlatform, www: Origin) -> None:
    log_in(www.open(), "ann", {"plan": "pips"})
    number = www.cookie("satsuma_generation")
    before = who(www.open())
    platform.time += 366 * DAY
    assert who(www.open()) == before
    assert www.cookie("satsuma_generation") == number is not None


def test_a_site_that_comes_from_another_library(platform: FakePlatform, www: Origin, app: Origin) -> None:
    for origin in (www, app):
        origin.remembers(ANN)
    for name in ("ajs_user_id", "ajs_anonymous_id"):
        platform.cookie_jar.cookies[name] = (str(ANN[name]), platform.time * 2)
    assert who(www.open()) == ("ann", "a1")
    assert www.cookie("satsuma_generation") is None, "nobody has changed anything"
    www.open().reset()
    page = app.open()
    assert (who(page)[0], page.user().traits()) == (None, {})
    assert who(page)[1] != "a1"


def test_traits_stay_where_the_visitor_is_the_same(www: Origin, app: Origin) -> None:
    app.open().user().traits({"email": "joe@thissite.com"})
    assert who(www.open()) == who(app.open())
    log_in(www.open(), "joe")
    page = app.open()
    assert (who(page)[0], page.user().traits()) == ("joe", {"email": "joe@thissite.com"})
    www.open().set_anonymous_id("given")
    page = app.open()
    assert (who(page), page.user().traits()) == (("joe", "given"), {"email": "joe@thissite.com"})


def test_a_group_goes_along(www: Origin, app: Origin) -> None:
    for origin in (www, app):
        origin.open().current_group.identify("g1", {"size": 7})
    www.open().current_group.identify("g2")
    assert (app.open().current_group.id(), app.open().current_group.traits()) == ("g2", {})
    www.open().reset()
    assert (app.open().current_group.id(), app.open().current_group.traits()) == (None, {})


def test_a_new_visitor_has_no_generation(www: Origin) -> None:
    async def track() -> None:
        await www.open().call("track", ["Looked"])

    asyncio.run(track())
    assert "satsuma_generation" not in www.platform.cookie_jar.read()
    assert "satsuma_generation" not in www.platform.local_storage.items


def test_saying_the_same_again_makes_no_generation(www: Origin) -> None:
    log_in(www.open(), "ann")
    number = www.cookie("satsuma_generation")
    wait(60_000 * 5, www)
    log_in(www.open(), "ann")
    page = www.open()
    page.set_anonymous_id(page.user().anonymous_id())
    assert www.cookie("satsuma_generation") == number


def test_a_no_leaves_no_trace_and_what_was_before_it_does_not_come_back(www: Origin, app: Origin) -> None:
    log_in(www.open(), "ann")
    assert who(app.open())[0] == "ann"
    page = www.open()
    page.withdraw_consent()
    wait(60_000, www)
    assert (www.platform.cookie_jar.read(), www.platform.local_storage.items) == ("", {})
    page.grant_consent()
    assert who(app.open())[0] is None


def test_another_key_is_another_identity(platform: FakePlatform, www: Origin) -> None:
    other = Origin(platform, {"user": {"cookie": {"key": "my_id"}}})
    log_in(other.open(), "carol")
    log_in(www.open(), "ann")
    www.open().reset()
    assert who(other.open())[0] == "carol"


@pytest.mark.parametrize("stores", [["localStorage"], ["cookie"], ["memory"], ["cookie", "localStorage", "memory"]])
def test_whatever_the_stores_are_a_logout_holds(platform: FakePlatform, stores: list[str]) -> None:
    www, app = (Origin(platform, {"storage": {"stores": stores}}) for _ in range(2))
    log_in(www.open(), "ann")
    shared = stores[0] == "cookie"
    assert who(app.open())[0] == ("ann" if shared else None)
    www.open().reset()
    assert (who(www.open())[0], who(app.open())[0]) == (None, None)
    assert ("satsuma_generation" in platform.cookie_jar.read()) is shared


@pytest.mark.parametrize("nonsense", ["x", "-7", "1e99", "9" * 40, "%5B%5D", "true", "٣"])
def test_a_number_that_is_none_is_passed_over(platform: FakePlatform, www: Origin, nonsense: str) -> None:
    www.remembers(ANN)
    platform.cookie_jar.cookies["satsuma_generation"] = (nonsense, platform.time * 2)
    assert who(www.open()) == ("ann", "a1")
    assert platform.warnings == []
