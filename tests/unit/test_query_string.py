"""What a link may make a page say."""

import re

import pytest
from fakes import FakePlatform
from satsuma.environment import advertisement
from satsuma.identity import USER_KEYS, IdentityOptions, User
from satsuma.query_string import QueryCalls, QueryPatterns, read_query
from satsuma.storage import StorageFactory


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", QueryCalls()),
        ("?utm_source=mail", QueryCalls()),
        ("?ajs_uid=u1&ajs_trait_plan=a+b%21&x=1", QueryCalls(user_id="u1", traits={"plan": "a b!"})),
        ("ajs_event=Opened%20it&ajs_prop_a=1", QueryCalls(event="Opened it", properties={"a": "1"})),
        ("?ajs_aid=a1&ajs_aid=a2", QueryCalls(anonymous_id="a2")),
        ("?ajs_uid=%E0%A4%A", QueryCalls(user_id="%E0%A4%A")),
        ("?ajs_uid=&ajs_event", QueryCalls()),
    ],
)
def test_a_query_string_is_read(query: str, asked: QueryCalls) -> None:
    assert read_query(query, QueryPatterns()) == asked


def test_ids_must_match_the_patterns_where_there_are_any() -> None:
    patterns = QueryPatterns(uid=lambda text: bool(re.match("u", text)), aid=lambda text: False)
    asked = read_query("?ajs_uid=u1&ajs_aid=a1", patterns)
    assert (asked.user_id, asked.anonymous_id) == ("u1", None)
    assert read_query("?ajs_uid=x1&ajs_trait_a=1", patterns).user_id is None


def test_an_advertisement_is_named_by_its_network() -> None:
    assert advertisement("?x=1&urid=ad7") == {"id": "ad7", "type": "millennial-media"}
    assert advertisement("?btid=b") == {"id": "b", "type": "dataxu"}
    assert advertisement("?x=1") is None


def test_a_group_is_not_made_of_an_older_librarys_user(platform: FakePlatform) -> None:
    platform.cookie_jar.cookies["ajs_user"] = ("%7B%22id%22%3A7%7D", platform.time + 1e9)
    user = User(
        StorageFactory(platform.cookie_jar, platform.local_storage, platform.warn),
        IdentityOptions(USER_KEYS),
        platform.new_id,
    )
    assert user.id() == "7"


def test_an_id_that_no_event_may_have_is_none() -> None:
    asked = read_query(f"ajs_uid={'u' * 1500}&ajs_aid={'a' * 1500}&ajs_event=E", QueryPatterns())
    assert (asked.user_id, asked.anonymous_id, asked.event) == (None, None, "E")
