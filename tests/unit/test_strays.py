"""A second cookie of the same name does not keep a visitor from logging out, nor hand the next one their ids."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.domains import cookie_paths, stray_places
from satsuma.options import Endpoint, LoadOptions

WHERE = pytest.mark.parametrize("path", ["/", "/account"])
IDS = ("ajs_anonymous_id", "ajs_user_id")


@pytest.fixture
def opened(platform: FakePlatform) -> Analytics:
    return open_page(platform)


def open_page(platform: FakePlatform, path: str = "/") -> Analytics:
    platform.cookie_jar.path = path
    return Analytics(platform, Endpoint("demo", ""), LoadOptions.from_mapping({}))


def told(opened: Analytics, name: str = "Looked") -> Any:
    async def track() -> Any:
        return (await opened.call("track", [name])).event

    return asyncio.run(track())


def stray(platform: FakePlatform, path: str, **values: str) -> None:
    platform.cookie_jar.strays += [(f"ajs_{name}", path, value) for name, value in values.items()]


@WHERE
def test_a_reset_removes_strays(platform: FakePlatform, path: str) -> None:
    opened = open_page(platform, path)
    opened.user().identify("ann")
    anonymous_id = opened.user().anonymous_id()
    stray(platform, path, anonymous_id=str(anonymous_id), user_id="ann")
    opened.reset()
    assert (platform.cookie_jar.strays, opened.user().id()) == ([], None)
    opened.user().identify("bob")
    assert opened.user().anonymous_id() != anonymous_id
    assert told(opened)["context"]["satsuma"]["strays"] == [f"{name}:removed" for name in IDS]
    assert "satsuma" not in told(opened)["context"]
    assert platform.warnings == []


@WHERE
def test_an_anonymous_id_that_is_set_counts(platform: FakePlatform, path: str) -> None:
    stray(platform, path, anonymous_id="old")
    opened = open_page(platform, path)
    assert opened.set_anonymous_id("new") == "new"
    assert open_page(platform, path).user().anonymous_id() == "new"


@WHERE
def test_the_cookie_at_our_own_place_counts(platform: FakePlatform, path: str) -> None:
    opened = open_page(platform)
    opened.user().identify("bob")
    bob = opened.user().anonymous_id()
    stray(platform, path, anonymous_id="a-anns", user_id="ann")
    opened = open_page(platform, path)
    assert (opened.user().id(), opened.user().anonymous_id()) == ("bob", bob)
    assert platform.cookie_jar.strays == []


def test_what_only_strays_say_is_taken_over(platform: FakePlatform) -> None:
    stray(platform, "/", anonymous_id="first")
    stray(platform, "/shop", anonymous_id="second")
    opened = open_page(platform, "/shop")
    assert opened.user().anonymous_id() == "first"
    assert platform.cookie_jar.read() == "ajs_anonymous_id=first"


def test_strays_that_say_the_same_stay(platform: FakePlatform, opened: Analytics) -> None:
    anonymous_id = str(opened.user().anonymous_id())
    stray(platform, "/", anonymous_id=anonymous_id)
    told(open_page(platform))
    assert len(platform.cookie_jar.strays) == 1, "a server may have made it live longer"


def test_a_no_removes_strays(platform: FakePlatform) -> None:
    opened = open_page(platform, "/shop")
    opened.user().identify("ann")
    stray(platform, "/shop", anonymous_id="x", user_id="ann")
    stray(platform, "/", anonymous_id="y")
    opened.withdraw_consent()
    assert platform.cookie_jar.read() == ""


@pytest.mark.parametrize("remembered", [True, False])
def test_a_path_that_a_logout_did_not_see_brings_nobody_back(platform: FakePlatform, remembered: bool) -> None:
    opened = open_page(platform)
    opened.user().identify("ann")
    anonymous_id = str(opened.user().anonymous_id())
    stray(platform, "/account", anonymous_id=anonymous_id, user_id="ann")
    opened.reset()
    if not remembered:
        platform.local_storage.items.clear()
    opened = open_page(platform, "/account")
    assert opened.user().id() is None
    assert opened.user().anonymous_id() != anonymous_id
    assert platform.cookie_jar.strays == []


def test_a_server_may_still_hand_over_an_id(platform: FakePlatform, opened: Analytics) -> None:
    opened.user().identify("ann")
    opened.reset()
    stray(platform, "/", anonymous_id="from-a-server")
    assert open_page(platform).user().anonymous_id() == "from-a-server"


def test_what_can_not_be_removed_is_told_once(platform: FakePlatform, opened: Analytics) -> None:
    opened.user().identify("ann")
    stray(platform, "/", user_id="ann")
    platform.cookie_jar.stuck = list(platform.cookie_jar.strays)
    opened.reset()
    assert told(opened)["context"]["satsuma"]["strays"] == ["ajs_user_id:stays"]
    opened.reset()
    told(opened)
    [warning] = platform.warnings
    assert "another cookie ajs_user_id" in warning


def test_places_are_all_that_a_page_sees_but_the_right_one() -> None:
    assert list(stray_places("www.shop.test", "/a/b", "shop.test", "/"))[:3] == [
        *((None, "/"), ("www.shop.test", "/"), (None, "/a"))
    ]
    assert cookie_paths("/a/b/") == ["/", "/a", "/a/", "/a/b", "/a/b/"]
    assert cookie_paths("/") == ["/"]
    assert cookie_paths("//a;b/c") == ["/", "//"]
    assert list(stray_places("localhost", "/", None, "/")) == []


def test_a_search_is_bounded() -> None:
    host, path = ".".join("abcdefghij" * 6), "/x" * 500_000
    assert len(list(stray_places(host, path, "i.j", "/"))) < 150
