"""A call looks at the page's cookies and localStorage once, and leaves alone what is as it should be."""

from __future__ import annotations

import pytest
from fakes import FakePlatform
from satsuma.glance import RENEWAL, Glance
from satsuma.storage import CookieOptions

YEAR = CookieOptions()


@pytest.fixture
def glance(platform: FakePlatform) -> Glance:
    return Glance(platform.jar, platform.area, platform.now)


def test_what_another_tab_does_in_the_meantime_counts_after_it(glance: Glance, platform: FakePlatform) -> None:
    platform.jar.cookies["a"] = ("1", platform.time * 2)
    platform.area.items["a"] = "1"
    with glance:
        assert (glance.jar.read(), glance.area.get_item("a")) == ("a=1", "1")
        platform.jar.cookies["a"] = ("2", platform.time * 2)
        platform.area.items["a"] = "2"
        assert (glance.jar.read(), glance.area.get_item("a")) == ("a=1", "1")
    assert (glance.jar.read(), glance.area.get_item("a")) == ("a=2", "2")


def test_what_is_written_is_seen_at_once(glance: Glance) -> None:
    with glance:
        assert (glance.jar.read(), glance.area.get_item("a")) == ("", None)
        glance.jar.write("a", "1", days=1, options=YEAR)
        glance.area.set_item("a", "1")
        assert (glance.jar.read(), glance.area.get_item("a")) == ("a=1", "1")
        glance.jar.write("a", "", days=-1, options=YEAR)
        glance.area.remove_item("a")
        assert (glance.jar.read(), glance.area.get_item("a")) == ("", None)


def test_a_cookie_is_written_again_when_its_minute_is_over_or_somebody_changed_it(
    glance: Glance, platform: FakePlatform
) -> None:
    for _ in range(3):
        glance.jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.jar.written) == 1
    platform.time += RENEWAL
    glance.jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.jar.written) == 2
    platform.jar.cookies["a"] = ("of-another-tab", platform.time * 2)
    glance.jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.jar.written) == 3


def test_a_cookie_that_was_there_is_given_its_year_at_the_first_call(glance: Glance, platform: FakePlatform) -> None:
    platform.jar.cookies["a"] = ("1", platform.time + 1000)
    glance.jar.write("a", "1", days=365, options=YEAR)
    assert len(platform.jar.written) == 1


def test_nothing_is_removed_that_is_not_there(glance: Glance, platform: FakePlatform) -> None:
    glance.jar.write("a", "", days=-1, options=YEAR)
    assert platform.jar.written == []
