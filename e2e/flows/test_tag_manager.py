"""A tag manager: puts the HTML that it was given into a page that is there already, script by script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import stock_site
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

Stored = Callable[..., dict[str, Any]]

PAGE = """<!doctype html><title>Tagged</title><link rel="icon" href="data:,"><script>
  /* As Google Tag Manager does: scripts in HTML that is set are not run, so each is made anew. */
  window.insert = (html) => {
    const given = document.createElement("div");
    given.innerHTML = html;
    for (const old of [...given.querySelectorAll("script")]) {
      const script = document.createElement("script");
      for (const { name, value } of old.attributes) script.setAttribute(name, value);
      script.text = old.text;
      old.remove();
      document.body.appendChild(script);
    }
  };
</script><body>"""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    with serving(stock_site(PAGE)) as url:
        yield url


def by_address(collector: Collector, options: str = "") -> str:
    return f'<script src="{collector.url}/analytics.js/snippet.js?writeKey=tagged"{options}></script>'


def test_a_tag_with_the_snippets_address_counts_the_page(
    visitor: Visitor, collector: Collector, stored: Stored
) -> None:
    visitor.page.goto(visitor.base_url)
    visitor.evaluate("(html) => insert(html)", by_address(collector))
    assert stored("page")["anonymousId"] == visitor.identity.anonymous_id
    visitor.evaluate("(html) => insert(html)", "<script>analytics.track('Tagged');</script>")
    assert stored("track", "Tagged")["writeKey"] == "tagged"


def test_a_tag_with_the_snippets_text_takes_calls_in_the_very_next_line(
    visitor: Visitor, collector: Collector, stored: Stored
) -> None:
    visitor.page.goto(visitor.base_url)
    text = f"<script>{snippet('tagged', collector.url)}</script><script>analytics.track('At Once');</script>"
    visitor.evaluate("(html) => insert(html)", text)
    stored("track", "At Once")
    assert [event["type"] for event in collector.events()] == ["page", "track"]


def test_a_tag_keeps_its_options(visitor: Visitor, collector: Collector, stored: Stored) -> None:
    visitor.page.goto(visitor.base_url)
    tag = by_address(collector, """ data-options='{"consent": "required"}'""")
    visitor.evaluate("(html) => insert(html)", tag)
    visitor.page.wait_for_function("() => window.analytics && analytics.initialized")
    assert visitor.cookies.read() == ""
    visitor.evaluate("() => { analytics.consent(true); }")
    stored("page")
