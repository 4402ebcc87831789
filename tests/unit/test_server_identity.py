"""A page follows what a server has changed of the visitor's identity, and believes nothing outdated."""

from __future__ import annotations

import json

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.options import Endpoint


def come(platform: FakePlatform, cookies: dict[str, object], local: dict[str, object]) -> Analytics:
    """Open a page with these stores."""
    for name, value in cookies.items():
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        platform.cookie_jar.cookies[name] = (text, platform.time * 2)
    for name, value in local.items():
        platform.local_storage.items[name] = json.dumps(value)
    return Analytics(platform, Endpoint("demo", ""))


def ids(analytics: Analytics) -> tuple[str | None, str | None]:
    return analytics.user().id(), analytics.user().anonymous_id()


def remembers(user: str | None = "u1", anonymous: str = "a1") -> dict[str, object]:
    return {"ajs_user_id": user, "ajs_anonymous_id": anonymous, "ajs_user_traits": {"plan": "pips"}}


LOGGED_OUT = {"ajs_anonymous_id": "a2", "satsuma_handover": ["a2", None, None]}
LOGGED_IN = {"ajs_anonymous_id": "a1", "ajs_user_id": "u2", "satsuma_handover": ["a1", "u2", None]}


def test_who_was_logged_out_by_the_server_is_somebody_new(platform: FakePlatform) -> None:
    analytics = come(platform, LOGGED_OUT, {**remembers(), "ajs_group_id": "g1"})
    assert ids(analytics) == (None, "a2")
    assert analytics.user().traits() == {}
    assert analytics.current_group.id() is None


def test_who_was_logged_in_as_another_by_the_server_is_that_one(platform: FakePlatform) -> None:
    analytics = come(platform, LOGGED_IN, remembers("u1"))
    assert ids(analytics) == ("u2", "a1")
    assert analytics.user().traits() == {}


@pytest.mark.parametrize("known", [None, "u2"])
def test_traits_of_the_same_visitor_stay(platform: FakePlatform, known: str | None) -> None:
    analytics = come(platform, LOGGED_IN, {**remembers(known), "ajs_group_id": "g1"})
    assert ids(analytics) == ("u2", "a1")
    assert analytics.user().traits() == {"plan": "pips"}
    assert analytics.current_group.id() == "g1"


def test_an_open_page_follows_too(platform: FakePlatform) -> None:
    analytics = come(platform, {}, remembers())
    assert ids(analytics) == ("u1", "a1")
    platform.cookie_jar.cookies.pop("ajs_user_id")
    come(platform, LOGGED_OUT, {})
    assert ids(analytics) == (None, "a2")


def test_what_the_page_changed_itself_counts(platform: FakePlatform) -> None:
    analytics = come(platform, LOGGED_IN, remembers("u1"))
    analytics.user().identify("u3")
    assert analytics.user().id() == "u3"
    assert ids(Analytics(platform, Endpoint("demo", "")))[0] == "u3"


def test_expired_cookies_are_restored_all_the_same(platform: FakePlatform) -> None:
    analytics = come(platform, {"satsuma_handover": ["a9", "u9", None]}, remembers())
    assert ids(analytics) == ("u1", "a1")


def test_an_anonymous_id_made_for_want_of_one_gives_way_to_one_that_the_page_remembers(platform: FakePlatform) -> None:
    offered = {"ajs_anonymous_id": "a2", "satsuma_handover": ["a2", None, None, "offered"]}
    assert ids(come(platform, offered, remembers())) == ("u1", "a1")
    assert "satsuma_handover" not in platform.cookie_jar.read()


def test_an_anonymous_id_made_for_want_of_one_is_taken_by_a_page_that_remembers_none(platform: FakePlatform) -> None:
    offered = {"ajs_anonymous_id": "a2", "satsuma_handover": ["a2", None, None, "offered"]}
    assert ids(come(platform, offered, {})) == (None, "a2")


@pytest.mark.parametrize("said", ["x", 7, [], ["a1"], {"a": 1}, [[], {}, 7]])
def test_nonsense_is_passed_over(platform: FakePlatform, said: object) -> None:
    assert ids(come(platform, {"satsuma_handover": said}, remembers())) == ("u1", "a1")


def test_resetting_and_withdrawing_leave_no_trace_of_it(platform: FakePlatform) -> None:
    for end in (Analytics.reset, Analytics.withdraw_consent):
        analytics = come(platform, LOGGED_IN, {})
        assert "satsuma_handover" in platform.cookie_jar.read()
        end(analytics)
        assert "satsuma_handover" not in platform.cookie_jar.read()


def test_a_page_without_local_storage_follows(platform: FakePlatform) -> None:
    analytics = Analytics(platform, Endpoint("demo", ""))
    platform.local_storage.broken = True
    analytics.user().identify("u1")
    platform.cookie_jar.cookies.pop("ajs_user_id", None)
    come(platform, LOGGED_OUT, {})
    assert ids(analytics) == (None, "a2")
