"""The shop's own side: accounts, carts, forms; without a browser."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from satsuma_server.testing import Collector
from starlette.testclient import TestClient

PETER = {"name": "Peter Gibbons", "email": "peter@example.com", "password": "stapler", "plan": "grove"}


PAGES = (
    "/",
    "/search?q=yuzu",
    "/products/yuzu",
    "/cart",
    "/newsletter",
    "/register",
    "/hasty",
    "/login",
    "/app",
    "/nowhere",
)


def calls(text: str) -> list[Any]:
    """Return the analytics calls that a page makes."""
    found = re.search(r'id="analytics-calls">(.*?)</script>', text)
    assert found
    return json.loads(found.group(1))


def send(shop: TestClient, path: str, **fields: str) -> Any:
    """Send a form as a browser does: with the token of the page that holds it."""
    page = shop.get(path if path != "/logout" else "/").text
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    return shop.post(path, data={"csrf": token.group(1), **fields})


def test_registration_gives_an_id_of_the_shops_own_and_tells_analytics_in_order(shop: TestClient) -> None:
    page = send(shop, "/register", **PETER)
    assert page.url.path == "/welcome"
    identify, track = calls(page.text)
    assert identify[0] == "identify"
    assert re.fullmatch(r"[0-9a-f]{13}", identify[1])
    assert identify[2] == {"name": "Peter Gibbons", "email": "peter@example.com", "plan": "grove"}
    assert track == ["track", "Signed Up", {"plan": "grove"}]
    assert calls(shop.get("/welcome").text) == [], "told once"


def test_the_id_stays_when_the_address_changes(shop: TestClient) -> None:
    user_id = calls(send(shop, "/register", **PETER).text)[0][1]
    page = send(shop, "/account", name="Peter", email="new@example.com", plan="pips")
    assert calls(page.text) == [["identify", user_id, {"name": "Peter", "email": "new@example.com", "plan": "pips"}]]
    send(shop, "/logout")
    assert calls(send(shop, "/login", email="new@example.com", password="stapler").text)[0][1] == user_id


def test_logging_out_tells_analytics_to_reset_last(shop: TestClient) -> None:
    send(shop, "/register", **PETER)
    assert calls(send(shop, "/logout").text) == [["track", "Signed Out"], ["reset"]]
    assert shop.get("/account").url.path == "/login"


@pytest.mark.parametrize(
    ("change", "told"),
    [({"email": "no address"}, "e-mail"), ({"password": "short"}, "six characters"), ({"name": " "}, "your name")],
)
def test_a_form_that_cannot_be_taken_is_shown_again(shop: TestClient, change: dict[str, str], told: str) -> None:
    page = send(shop, "/register", **{**PETER, **change})
    assert page.status_code == 422
    assert told in page.text
    assert calls(page.text) == []


def test_one_account_an_address_and_a_wrong_password_opens_none(shop: TestClient) -> None:
    send(shop, "/register", **PETER)
    send(shop, "/logout")
    assert "already" in send(shop, "/register", **{**PETER, "email": "PETER@example.com"}).text
    assert send(shop, "/login", email="peter@example.com", password="wrong!").status_code == 422


def test_a_newsletter_makes_no_account(shop: TestClient) -> None:
    page = send(shop, "/newsletter", first_name="Joe", last_name="Visitor", email="jvisitor@thissite.com")
    told = {"firstName": "Joe", "lastName": "Visitor", "email": "jvisitor@thissite.com"}
    assert calls(page.text) == [["identify", told], ["track", "Newsletter Subscribed"]]
    assert shop.get("/account").url.path == "/login"


def test_cart_to_order(shop: TestClient) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', shop.get("/products/yuzu").text)
    assert token
    data = {"csrf": token.group(1)}
    page = shop.post("/cart/yuzu", data=data)
    assert calls(page.text)[0][:2] == ["track", "Product Added"]
    shop.post("/cart/yuzu", data=data)
    shop.post("/cart/yuzu", data={**data, "by": "-1"})
    [order] = calls(shop.post("/checkout", data=data).text)
    assert order[1] == "Order Completed"
    assert order[2]["total"] == 9.5
    assert shop.post("/checkout", data=data).status_code == 422, "an empty cart can't be ordered"


@pytest.mark.parametrize("path", ["/register", "/login", "/newsletter", "/checkout", "/cart/yuzu", "/logout"])
def test_a_form_from_elsewhere_is_refused(shop: TestClient, path: str) -> None:
    assert shop.post(path, data={**PETER, "csrf": "guessed"}).status_code in (400, 422)


def test_hostile_names_stay_text(shop: TestClient) -> None:
    name = "</script><img src=x onerror=alert(1)>"
    page = send(shop, "/register", **{**PETER, "name": name})
    assert "<img src=x" not in page.text
    assert calls(page.text)[0][2]["name"] == name


def test_the_panel_gets_events_but_nobody_gets_the_token(shop: TestClient, collector: Collector) -> None:
    answer = shop.get("/qa/events?after=0")
    assert answer.json() == {"events": []}
    assert shop.get("/qa/events?after=x").status_code == 400
    for path in ("/", "/cart", "/register", "/static/qa/main.js", "/qa/events"):
        assert collector.token not in shop.get(path).text


def test_every_page_has_the_snippet_once(shop: TestClient) -> None:
    assert {path: shop.get(path).text.count("SNIPPET_VERSION") for path in PAGES} == dict.fromkeys(PAGES, 1)


def test_what_is_not_there_is_said_in_the_shops_own_way(shop: TestClient) -> None:
    answer = shop.get("/products/durian")
    assert answer.status_code == 404
    assert "no such page in the grove" in answer.text


ELSEWHERE = ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\n//evil.example")


def test_a_link_to_the_login_sends_nobody_elsewhere(shop: TestClient) -> None:
    send(shop, "/register", **PETER)

    def gone_to(asked: str) -> str:
        send(shop, "/logout")
        page = shop.get("/login", params={"then": asked})
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token
        fields = {"csrf": token.group(1), "email": PETER["email"], "password": PETER["password"], "then": asked}
        return str(shop.post("/login", data=fields, follow_redirects=False).headers["location"])

    assert gone_to("/cart") == "/cart"
    assert {asked: gone_to(asked) for asked in ELSEWHERE} == dict.fromkeys(ELSEWHERE, "/account")


def test_the_hasty_page_makes_its_calls_and_leaves(shop: TestClient) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', shop.get("/hasty").text)
    assert token
    page = shop.post("/hasty", data={"csrf": token.group(1), **PETER})
    assert [call[0] for call in calls(page.text)] == ["identify", "track"]
    assert page.text.index("/static/calls.js") < page.text.index("/static/redirect.js")
    assert calls(shop.get("/welcome").text) == []


def test_the_search_finds_fruit_and_takes_hostile_words_as_words(shop: TestClient) -> None:
    assert "Yuzu" in shop.get("/search?q=japan+knobbly").text
    query = "<img src=x onerror=alert(1)>"
    page = shop.get("/search", params={"q": query})
    assert "<img src=x" not in page.text
    assert calls(page.text) == [["track", "Products Searched", {"query": query, "found": 0}]]
