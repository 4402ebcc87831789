"""A request with several cookies of one name: whom the server takes the visitor for, and what its answer removes."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from satsuma.platforms.server import Client, Visitor, Visitors
from wire import Wire

URL = "https://www.shop.test/account/orders"
SAID = quote(json.dumps(["mine", "ann", None]), safe="")
TWO = "ajs_anonymous_id=stray; ajs_user_id=ann; ajs_anonymous_id=mine"


Come = Callable[[str], Visitor]


@pytest.fixture
def come(client: Client) -> Come:
    headers = {"sec-fetch-dest": "document", "host": "www.shop.test"}
    return lambda cookie: Visitors(client, refresh=True).visitor("GET", URL, {**headers, "cookie": cookie}, None)


def removed(answer: list[str], name: str) -> set[tuple[str | None, str]]:
    """Return the places, domain and path, of which a cookie is removed."""
    headers = [dict(part.partition("=")[::2] for part in header.split("; ")) for header in answer]
    return {(one.get("Domain"), one["Path"]) for one in headers if one.get(name) == "" and one["Max-Age"] == "0"}


def test_a_logout_removes_it_everywhere(come: Come) -> None:
    visitor = come(TWO)
    visitor.reset()
    answer = visitor.set_cookies()
    paths = ["/", "/account", "/account/", "/account/orders"]
    places = {(domain, path) for domain in (None, "shop.test", "www.shop.test") for path in paths}
    assert removed(answer, "ajs_anonymous_id") == places - {("shop.test", "/")}, "where the new one is"
    assert removed(answer, "ajs_user_id") == {(None, "/"), ("shop.test", "/")}
    assert visitor.anonymous_id not in ("stray", "mine")
    assert len("".join(answer)) < 3000, "what a proxy takes"


def test_what_a_server_said_decides(come: Come, client: Client, wire: Wire) -> None:
    visitor = come(f"{TWO}; satsuma_handover={SAID}")
    visitor.track("Looked")
    assert visitor.anonymous_id == "mine"
    answer = visitor.set_cookies()
    assert (None, "/account") in removed(answer, "ajs_anonymous_id")
    assert any(header.startswith("ajs_anonymous_id=mine;") for header in answer)
    assert client.flush()
    assert wire.kept[0]["context"]["satsuma"] == {"strays": ["ajs_anonymous_id:removed"]}


def test_without_it_the_answer_leaves_them_to_the_page(come: Come, client: Client, wire: Wire) -> None:
    visitor = come(TWO)
    visitor.track("Looked")
    visitor.track("Looked")
    assert visitor.anonymous_id == "stray"
    assert [header for header in visitor.set_cookies() if "anonymous" in header] == [], "the next visitor has another"
    assert client.flush()
    assert [event["context"].get("satsuma") for event in wire.kept] == [{"strays": ["ajs_anonymous_id:stays"]}, None]


def test_cookies_of_one_value_are_no_strays(come: Come) -> None:
    visitor = come("ajs_anonymous_id=a; ajs_anonymous_id=a")
    assert removed(visitor.set_cookies(), "ajs_anonymous_id") == set()
    assert visitor.anonymous_id == "a"
