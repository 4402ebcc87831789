"""Who the visitor is: each test names a rule of the specification."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from fakes import DAY, FakePlatform
from satsuma.cookie_jar import CookieOptions
from satsuma.errors import EventError
from satsuma.identity import GROUP_KEYS, USER_KEYS, Group, IdentityOptions, User
from satsuma.storage import StorageFactory, StoreKind


def make_user(platform: FakePlatform, **more: object) -> User:
    factory = StorageFactory(platform.cookie_jar, platform.local_storage, platform.warn)
    return User(factory, IdentityOptions(keys=USER_KEYS, **more), platform.new_id)  # type: ignore[arg-type]


def test_reading_the_anonymous_id_before_one_is_set_makes_and_keeps_one(platform: FakePlatform) -> None:
    first = make_user(platform).anonymous_id()
    assert first
    assert make_user(platform).anonymous_id() == first
    assert platform.cookie_jar.cookies["ajs_anonymous_id"][0] == first
    assert json.loads(platform.local_storage.items["ajs_anonymous_id"]) == first


def test_cookies_live_a_year_on_the_whole_site(platform: FakePlatform) -> None:
    make_user(platform).anonymous_id()
    assert platform.cookie_jar.written[-1] == ("ajs_anonymous_id", 365, CookieOptions(path="/", same_site="Lax"))


def test_an_expired_cookie_is_restored_from_local_storage(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.identify("97980cfea0067")
    before = user.anonymous_id()
    platform.time += 366 * DAY
    assert platform.cookie_jar.read() == ""
    back = make_user(platform)
    assert (back.id(), back.anonymous_id()) == ("97980cfea0067", before)
    assert "ajs_user_id=97980cfea0067" in platform.cookie_jar.read()


def test_cleared_local_storage_is_restored_from_the_cookie(platform: FakePlatform) -> None:
    before = make_user(platform).anonymous_id()
    platform.local_storage.items.clear()
    assert make_user(platform).anonymous_id() == before
    assert json.loads(platform.local_storage.items["ajs_anonymous_id"]) == before


def test_both_cleared_gives_a_new_visitor(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.identify("97980cfea0067", {"plan": "premium"})
    before = user.anonymous_id()
    platform.cookie_jar.cookies.clear()
    platform.local_storage.items.clear()
    back = make_user(platform)
    assert back.id() is None
    assert back.traits() == {}
    assert back.anonymous_id() not in (None, before)


def test_a_cookie_wins_when_the_stores_disagree_about_the_anonymous_id(platform: FakePlatform) -> None:
    platform.cookie_jar.cookies["ajs_anonymous_id"] = ("from-cookie", platform.time + DAY)
    platform.local_storage.items["ajs_anonymous_id"] = '"from-storage"'
    assert make_user(platform).anonymous_id() == "from-cookie"
    assert platform.local_storage.items["ajs_anonymous_id"] == '"from-cookie"'


def test_traits_of_the_same_user_are_merged(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.identify(None, {"email": "jvisitor@thissite.com"})
    user.identify("123abc", {"phone": "555-555-5555"})
    user.identify("123abc", {"phone": "555-000-0000"})
    assert user.traits() == {"email": "jvisitor@thissite.com", "phone": "555-000-0000"}


def test_another_user_gets_neither_the_traits_nor_the_anonymous_id(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.identify("one", {"plan": "premium"})
    before = user.anonymous_id()
    user.identify("two", {"name": "Two"})
    assert (user.id(), user.traits()) == ("two", {"name": "Two"})
    assert user.anonymous_id() != before


def test_becoming_known_keeps_the_anonymous_id(platform: FakePlatform) -> None:
    user = make_user(platform)
    before = user.anonymous_id()
    user.identify("97980cfea0067")
    assert user.anonymous_id() == before


def test_reset_forgets_everything(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.identify("97980cfea0067", {"plan": "premium"})
    before = user.anonymous_id()
    user.reset()
    assert platform.cookie_jar.read() == ""
    assert "ajs_user_traits" not in platform.local_storage.items
    assert (user.id(), user.traits()) == (None, {})
    assert user.anonymous_id() != before


def test_setting_the_anonymous_id_overwrites_the_existing_one(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.anonymous_id()
    assert user.anonymous_id("from-server") == "from-server"
    assert make_user(platform).anonymous_id() == "from-server"


@pytest.mark.parametrize("cookie", ["ajs_user=%7B%22id%22%3A%22old%22%7D", "ajs_user_id=old", 'ajs_user_id="old"'])
def test_ids_of_older_libraries_are_taken_over(platform: FakePlatform, cookie: str) -> None:
    name, _, value = cookie.partition("=")
    platform.cookie_jar.cookies[name] = (value, platform.time + DAY)
    assert make_user(platform).id() == "old"


def test_an_older_library_brings_nobody_back(platform: FakePlatform) -> None:
    platform.cookie_jar.cookies["ajs_user"] = ("%7B%22id%22%3A%22ann%22%2C%22traits%22%3A%7B%22a%22%3A1%7D%7D", 2e12)
    platform.cookie_jar.cookies["_sio"] = ("a-anns----user", 2e12)
    user = make_user(platform)
    assert (user.id(), user.anonymous_id(), user.traits()) == ("ann", "a-anns", {"a": 1})
    user.identify("bob")
    user = make_user(platform)
    assert (user.id(), user.traits()) == ("bob", {})
    assert user.anonymous_id() != "a-anns"
    user.reset()
    user = make_user(platform)
    assert user.id() is None
    assert user.anonymous_id() != "a-anns"


def test_the_anonymous_id_of_sio_is_taken_over(platform: FakePlatform) -> None:
    platform.cookie_jar.cookies["_sio"] = ("anon----user", platform.time + DAY)
    assert make_user(platform).anonymous_id() == "anon"


def test_numeric_ids_of_analytics_js_1_become_text(platform: FakePlatform) -> None:
    platform.local_storage.items["ajs_user_id"] = "42"
    assert make_user(platform).id() == "42"
    assert platform.local_storage.items["ajs_user_id"] == '"42"'


def test_a_page_without_local_storage_lives_on_its_cookies_and_is_told_once_per_access(
    platform: FakePlatform,
) -> None:
    platform.local_storage.broken = True
    user = make_user(platform)
    user.identify("u1", {"plan": "premium"})
    assert make_user(platform).id() == "u1"
    assert user.traits() == {"plan": "premium"}
    assert any("localStorage may be" in line for line in platform.warnings)


def test_without_persistence_nothing_is_written(platform: FakePlatform) -> None:
    user = make_user(platform, persist=False)
    user.identify("u1", {"plan": "premium"})
    assert (user.id(), user.traits()) == ("u1", {"plan": "premium"})
    assert platform.cookie_jar.cookies == {}
    assert platform.local_storage.items == {}


def test_a_disabled_user_knows_nothing_and_keeps_nothing(platform: FakePlatform) -> None:
    user = make_user(platform, disable=True)
    user.identify("u1", {"plan": "premium"})
    assert (user.id(), user.anonymous_id(), user.traits()) == (None, None, None)
    assert platform.cookie_jar.cookies == {}


def test_only_the_stores_asked_for_are_used(platform: FakePlatform) -> None:
    user = make_user(platform, kinds=(StoreKind.COOKIE, StoreKind.MEMORY))
    user.identify("u1", {"plan": "premium"})
    assert platform.local_storage.items == {}
    assert "ajs_user_id=u1" in platform.cookie_jar.read()


def test_a_group_has_traits_but_no_anonymous_id(platform: FakePlatform) -> None:
    user = make_user(platform)
    anonymous_id = user.anonymous_id()
    factory = StorageFactory(platform.cookie_jar, platform.local_storage, platform.warn)
    group = Group(factory, IdentityOptions(keys=GROUP_KEYS), platform.new_id)
    group.identify("g1", {"name": "Initech"})
    group.reset()
    assert group.anonymous_id() is None
    assert user.anonymous_id() == anonymous_id


@pytest.mark.parametrize("kind", ["id", "anonymous_id", "identify"])
def test_an_id_that_no_event_may_have_is_refused_and_changes_nothing(platform: FakePlatform, kind: str) -> None:
    user = make_user(platform)
    user.identify("u1", {"plan": "pips"})
    before = user.id(), user.anonymous_id(), user.traits()
    with pytest.raises(EventError):
        getattr(user, kind)("x" * 1500)
    assert (user.id(), user.anonymous_id(), user.traits()) == before


def test_a_stored_id_that_no_event_may_have_heals(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.identify("u1")
    known = user.anonymous_id()
    platform.local_storage.items["ajs_user_id"] = json.dumps("x" * 1500)
    platform.local_storage.items["ajs_anonymous_id"] = json.dumps("x" * 1500)
    back = make_user(platform)
    assert (back.id(), back.anonymous_id()) == ("u1", known)
    assert json.loads(platform.local_storage.items["ajs_anonymous_id"]) == known


def test_traits_that_are_too_much_leave_the_visitors_last_good_ones(platform: FakePlatform) -> None:
    user = make_user(platform)
    user.identify("u1", {"plan": "pips", "bio": "short"})
    user.identify("u1", {"bio": "x" * 40_000, "age": 7})
    assert user.traits() == {"plan": "pips", "bio": "short", "age": 7}
    user.identify("u1", {"first": "y" * 20_000})
    user.identify("u1", {"second": "z" * 20_000, "small": 1})
    assert user.traits() == {"plan": "pips", "bio": "short", "age": 7, "first": "y" * 20_000, "small": 1}
    assert len(platform.warnings) == 2


def test_stored_traits_that_are_too_much_heal_with_the_next_identify(platform: FakePlatform) -> None:
    platform.local_storage.items["ajs_user_traits"] = json.dumps({"bio": "x" * 40_000, "plan": "pips"})
    user = make_user(platform)
    user.identify("u1", {"age": 7})
    assert user.traits() == {"plan": "pips", "age": 7}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ajs_user", "u" * 1025),
        ("ajs_user", json.dumps({"id": "u" * 1025, "traits": {"plan": "pips"}})),
        ("_sio", "a" * 1025 + "----user"),
    ],
)
def test_an_id_of_an_older_library_that_no_event_could_have_is_nobodys(
    platform: FakePlatform, name: str, value: str
) -> None:
    platform.cookie_jar.cookies[name] = (quote(value), platform.time + DAY)
    user = make_user(platform)
    assert (user.id(), len(user.anonymous_id() or "")) == (None, 36)
    assert user.traits() == ({"plan": "pips"} if "pips" in value else {})
