"""An id is text, for ever: what was set is what every store gives back, in the page as on a server."""

from __future__ import annotations

import json

import pytest
from fakes import FakePlatform
from hypothesis import example, given
from hypothesis import strategies as st
from satsuma.identity import ANONYMOUS_ID_KEY, USER_KEYS, IdentityOptions, User
from satsuma.storage import StorageFactory, StoreKind

LIKE_JSON = [
    "1724633695283.638279",
    "1e5",
    "65e500",
    "true",
    "null",
    "-0",
    '"quoted"',
    "{}",
    '["a"]',
    "007",
    "NaN",
    " 1",
]
texts = st.one_of(
    st.sampled_from(LIKE_JSON), st.text(min_size=1), st.from_regex(r"\A[0-9]+e[0-9]+\Z"), st.floats().map(str)
)


def visitor(platform: FakePlatform) -> User:
    factory = StorageFactory(platform.cookie_jar, platform.local_storage, platform.warn)
    return User(factory, IdentityOptions(USER_KEYS), platform.new_id)


@given(texts, st.sampled_from(["both", "cookie", "localStorage"]))
@example("\ud83d", "cookie")
@example("\ud83d", "localStorage")
def test_an_id_comes_back_as_it_was_set_from_whichever_store_is_left(id: str, left: str) -> None:
    platform = FakePlatform()
    user = visitor(platform)
    user.anonymous_id(id)
    user.id(id)
    if left == "cookie":
        platform.local_storage.items.clear()
    if left == "localStorage":
        platform.cookie_jar.cookies.clear()
    next_page = visitor(platform)
    assert (next_page.anonymous_id(), next_page.id()) == (id, id)
    assert (next_page.anonymous_id(), next_page.id()) == (id, id), "what was healed says the same"


@pytest.mark.parametrize("kind", [StoreKind.COOKIE, StoreKind.LOCAL])
@pytest.mark.parametrize(
    ("written", "id"),
    [("42", "42"), ('"42"', "42"), ('"old"', "old"), ("old", "old"), ("null", None), ("1e5", "1e5"), ("true", "true")],
)
def test_what_other_libraries_wrote_is_read(kind: StoreKind, written: str, id: str | None) -> None:
    platform = FakePlatform()
    if kind is StoreKind.COOKIE:
        platform.cookie_jar.cookies["ajs_user_id"] = (written.replace('"', "%22"), platform.time * 2)
    else:
        platform.local_storage.items["ajs_user_id"] = written
    assert visitor(platform).id() == id


def test_the_stores_hold_an_ordinary_id_as_analytics_js_does() -> None:
    platform = FakePlatform()
    visitor(platform).id("97980cfea0067")
    assert platform.cookie_jar.cookies["ajs_user_id"][0] == "97980cfea0067"
    assert json.loads(platform.local_storage.items["ajs_user_id"]) == "97980cfea0067"
    assert ANONYMOUS_ID_KEY not in platform.local_storage.items
