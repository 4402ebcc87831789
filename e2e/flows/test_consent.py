"""A visitor who has not been asked, says yes, changes their mind, or has their browser say no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE, stock_site
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

Stored = Callable[..., dict[str, Any]]
OPTIONS = {"consent": "required", "respectGlobalPrivacyControl": True}
REFUSES = "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true});"


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page that asks first."""
    html = PAGE.format(title="Asks first", snippet=snippet("asking", collector.url, options=OPTIONS), body="")
    with serving(stock_site(html)) as url:
        yield url


def nothing_kept(visitor: Visitor) -> bool:
    return visitor.cookies.read() == "" and visitor.storage.all() == {}


def test_nothing_is_kept_or_sent_before_the_yes_and_nothing_is_lost_after_it(
    visitor: Visitor, collector: Collector, stored: Stored
) -> None:
    posts: list[str] = []
    visitor.page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    visitor.visit("/")
    anonymous_id = visitor.evaluate(
        "() => { analytics.identify('u1', {a: 1}); return analytics.user().anonymousId(); }"
    )
    assert nothing_kept(visitor)
    assert posts == []

    visitor.evaluate("() => { analytics.consent(true); return analytics.track('Agreed').then(() => null); }")
    page, identify, agreed = collector.wait_for(lambda events: len(events) == 3)
    assert [event["type"] for event in (page, identify, agreed)] == ["page", "identify", "track"]
    assert {event["anonymousId"] for event in (page, identify, agreed)} == {anonymous_id}
    assert page["originalTimestamp"] < agreed["originalTimestamp"]
    assert visitor.identity.cookie_user_id == "u1"


def test_withdrawal_clears_the_visitors_traces(visitor: Visitor, collector: Collector, stored: Stored) -> None:
    visitor.visit("/")
    visitor.evaluate("() => { analytics.consent(true); analytics.identify('u1', {plan: 'pips'}); }")
    stored("identify")
    cancelled = visitor.evaluate("""async () => {
        document.cookie = "satsuma_refreshed=1; path=/; max-age=86400"; // As a server that renews the ids does.
        analytics.consent(false);
        return (await analytics.track("Never")).cancelled;
    }""")
    assert "consented" in cancelled
    assert nothing_kept(visitor)
    visitor.visit("/later")
    assert nothing_kept(visitor)
    assert [event["type"] for event in collector.events()] == ["page", "identify"]


def test_a_yes_before_python_is_up_counts(visitor: Visitor, stored: Stored) -> None:
    visitor.page.add_init_script("document.addEventListener('DOMContentLoaded', () => analytics.consent(true))")
    visitor.visit("/")
    assert stored("page")["anonymousId"] == visitor.identity.cookie_anonymous_id


def test_global_privacy_control_is_a_no(visitor: Visitor, collector: Collector) -> None:
    visitor.page.add_init_script(REFUSES)
    visitor.visit("/")
    assert visitor.evaluate("() => analytics.track('Never').then((context) => context.cancelled)")
    assert nothing_kept(visitor)
    assert collector.events() == []
