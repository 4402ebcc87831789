"""Segment's own library for browsers, unchanged, in a real one: what it posts is what the log keeps.

It is ``@segment/analytics-next`` behind Segment's own snippet, on a page of another origin than the collector's.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flows.contract import check_kept
from flows.faults import Faults
from flows.reference_library import reference_cdn, stock_page, stock_site
from pytest_satsuma import Visitor
from satsuma import __version__
from satsuma_server.testing import Collector, serving

CALLS = """<script>
  const odd = {fruit: "Žlutá 🍊", price: 12.5, big: 2 ** 53 - 1, none: null, empty: {}, list: [1, {deep: [[]]}]};
  analytics.identify("u1", {plan: "pips", ...odd});
  analytics.track("Order Completed", odd, {
    context: {ip: "203.0.113.9"}, integrations: {All: false, A: {}}, timestamp: new Date(Date.UTC(2020, 0)),
  });
  analytics.screen("Basket", {rows: 3});
  analytics.group("g1", {employees: 4, since: new Date(0)});
  analytics.alias("u2", "u1");
</script>"""
TYPES = ["alias", "group", "identify", "page", "screen", "track"]
AUTHORIZATION = "Basic cmVmZXJlbmNlOg=="  # reference:

OF_THE_BROWSER = pytest.mark.library("@segment/analytics-next")


@pytest.fixture
def site(watched: Collector) -> Iterator[str]:
    """A page that makes a call of every type before its library is there."""
    with reference_cdn(watched.url) as cdn, serving(stock_site(stock_page(cdn, body=CALLS))) as url:
        yield url


def kept(watched: Collector, faults: Faults, count: int) -> None:
    """Wait until all calls have come, and check that each was kept as it was posted."""
    check_kept(watched.wait_for(lambda events: len(events) >= count), faults, count)


def forgive(visitor: Visitor, *statuses: int) -> None:
    """Check that the page's errors are what the browser says of these answers, and forget them."""
    visitor.until(lambda: len(visitor.errors) >= len(statuses), "the browser to tell of the answers")
    assert len(visitor.errors) == len(statuses)
    for status in statuses:
        assert any(f"the server responded with a status of {status}" in error for error in visitor.errors)
    visitor.errors.clear()


@OF_THE_BROWSER
def test_what_the_browser_posts_is_what_is_kept(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    """Each call is a post of its own, as text/plain; its Authorization makes the browser ask with a preflight."""
    visitor.visit("/")
    visitor.evaluate("() => analytics.page('Docs', 'Home', {section: 'peel'})")
    kept(watched, faults, 7)
    assert sorted({event["type"] for event in watched.events()}) == TYPES
    assert {post.path for post in faults.posted} == {f"/v1/{kind[0]}" for kind in TYPES}
    assert {post.headers["content-type"] for post in faults.posted} == {"text/plain"}
    assert {post.headers["authorization"] for post in faults.posted} == {AUTHORIZATION}
    assert {event["anonymousId"] for event in watched.events()} == {visitor.identity.anonymous_id}


@OF_THE_BROWSER
def test_the_browsers_batches_are_kept_too(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    """With the strategy "batching" events go to /v1/b and leave ``sentAt`` to the batch."""
    strategy = {"strategy": "batching", "config": {"size": 6, "timeout": 10_000}}
    with (
        reference_cdn(watched.url, deliveryStrategy=strategy) as cdn,
        serving(stock_site(stock_page(cdn, body=CALLS))) as url,
    ):
        visitor.visit(url)
        kept(watched, faults, 6)
    [post] = faults.posted
    assert post.path == "/v1/b"
    assert not any("sentAt" in event for event in post.events)


@OF_THE_BROWSER
def test_the_browser_tries_again_and_everything_is_kept_once(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    """Any 5xx but 501, 505 and 511 is tried again, within a second the first time, also where the answer was lost."""
    faults.answer_next(500, 503)
    faults.answer_next(502, lost=True)
    visitor.visit("/")
    visitor.until(lambda: faults.answered == 9, "three posts to be tried again")
    kept(watched, faults, 6)
    counts = [post.headers.get("x-retry-count") for post in faults.posted]
    assert sorted(filter(None, counts)) == ["1"] * 3
    forgive(visitor, 500, 503, 502)


@OF_THE_BROWSER
def test_the_browser_comes_back_when_it_is_told_to(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    """It minds Retry-After with a 429 only, and only where CORS shows it the header; else it is back in a second."""
    faults.answer_next(429, retry_after="1")
    visitor.visit("/")
    kept(watched, faults, 6)
    told, again = (post for post in faults.posted if post.body["messageId"] == faults.posted[0].body["messageId"])
    assert again.at - told.at >= 1
    forgive(visitor, 429)


@OF_THE_BROWSER
def test_the_browser_gives_up_on_what_cannot_succeed(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    faults.answer_next(400, 401, 413, 501)
    visitor.visit("/")
    kept(watched, faults, 2)
    assert len(faults.posted) == 6
    forgive(visitor, 400, 401, 413, 501)


@pytest.mark.library("@segment/snippet")
def test_segments_snippet_boots_our_library_where_its_cdn_is_the_collector(
    visitor: Visitor, watched: Collector
) -> None:
    with serving(stock_site(stock_page(watched.url, body=CALLS))) as url:
        visitor.visit(url)
        events = watched.wait_for(lambda events: len(events) == 6)
    assert sorted(event["type"] for event in events) == TYPES
    assert {event["context"]["library"]["version"] for event in events} == {f"satsuma-{__version__}"}
