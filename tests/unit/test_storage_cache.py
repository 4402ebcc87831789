"""A call looks at the page's cookies and localStorage once, and leaves alone what is as it should be."""

from __future__ import annotations

import pytest
from fakes import FakePlatform
from satsuma.cookie_jar import CookieOptions
from satsuma.storage_cache import RENEWAL, StorageCache

YEAR = CookieOptions()


@pytest.fixture
def cache(platform: FakePlatform) -> StorageCache:
    return StorageCache(platform.cookie_jar, platform.local_storage, platform.now)


def test_what_another_tab_does_in_the_meantime_counts_after_it(cache: StorageCache, platform: FakePlatform) -> None:
    platform.cookie_jar.cookies["a"] = ("1", platform.time * 2)
    platform.local_storage.items["a"] = "1"
    with cache:
        assert (cache.cookie_jar.read(), cache.local_storage.get_item("a")) == ("a=1", "1")
        platform.cookie_jar.cookies["a"] = ("2", platform.time * 2)
        platform.local_storage.items["a"] = "2"
        assert (cache.cookie_jar.read(), cache.local_storage.get_item("a")) == ("a=1", "1")
    assert (cache.cookie_jar.read(), cache.local_storage.get_item("a")) == ("a=2", "2")


def test_what_is_written_is_seen_at_once(cache: StorageCache) -> None:
    with cache:
        assert (cache.cookie_jar.read(), cache.local_storage.get_item("a")) == ("", None)
        cache.cookie_jar.write("a", "1", days=1, options=YEAR)
        cache.local_storage.set_item("a", "1")
        assert (cache.cookie_jar.read(), cache.local_storage.get_item("a")) == ("a=1", "1")
        cache.cookie_jar.write("a", "", days=-1, options=YEAR)
        cache.local_storage.remove_item("a")
        assert (cache.cookie_jar.read(), cache.local_storage.get_item("a")) == ("", None)


def test_a_cookie_is_written_again_when_its_minute_is_over_or_somebody_changed_it(
    cache: StorageCache, platform: FakePlatform
) -> None:
    for _ in range(3):
        cache.cookie_jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.cookie_jar.written) == 1
    platform.time += RENEWAL
    cache.cookie_jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.cookie_jar.written) == 2
    platform.cookie_jar.cookies["a"] = ("of-another-tab", platform.time * 2)
    cache.cookie_jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.cookie_jar.written) == 3


def test_a_cookie_that_was_there_is_given_its_year_at_the_first_call(
    cache: StorageCache, platform: FakePlatform
) -> None:
    platform.cookie_jar.cookies["a"] = ("1", platform.time + 1000)
    cache.cookie_jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.cookie_jar.written) == 1


def test_nothing_is_removed_that_is_not_there(cache: StorageCache, platform: FakePlatform) -> None:
    cache.cookie_jar.write("a", "", days=-1, options=YEAR)
    assert platform.cookie_jar.written == []


def test_what_a_server_refreshes_is_not_written_again_by_a_script(cache: StorageCache, platform: FakePlatform) -> None:
    held = {"a": "1", "satsuma_refreshed": "1"}
    platform.cookie_jar.cookies |= {name: (text, platform.time + 1000) for name, text in held.items()}
    cache.cookie_jar.write("a", "1", days=365, options=YEAR)
    assert platform.cookie_jar.written == [], "Safari would let the script's cookie live for seven days only"
    cache.cookie_jar.write("a", "2", days=365, options=YEAR)
    cache.cookie_jar.write("b", "1", days=365, options=YEAR)
    assert len(platform.cookie_jar.written) == 2
