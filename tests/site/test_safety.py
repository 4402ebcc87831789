"""The content policy, forms of other sites, and what only a demo shows."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from satsuma_shop.safety import local_path
from starlette.testclient import TestClient

PAGES = (
    "/",
    "/search?q=x",
    "/products/yuzu",
    "/cart",
    "/register",
    "/login",
    "/app",
    "/notebook",
    "/qa/blank",
    "/nowhere",
)
OPEN = Callable[..., TestClient]


def rules(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (rule.split() for rule in policy.split(";"))}


def test_no_page_may_run_what_it_does_not_hold_itself(shop: TestClient) -> None:
    for path in PAGES:
        check_policy(shop.get(path))


def check_policy(page: Any) -> None:
    allowed = rules(page.headers["content-security-policy"])
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "http:", "https:"} & {
        source for sources in allowed.values() for source in sources
    }
    assert allowed["default-src"] == allowed["base-uri"] == ["'none'"]
    inline = re.findall(r"<script>(.*?)</script>", page.text, re.S)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline}
    assert hashes == {source for source in allowed["script-src"] if source.startswith("'sha256-")}
    assert " style=" not in page.text
    assert not re.search(r"\son\w+=", re.sub(r"<script.*?</script>", "", page.text, flags=re.S))


OURS: tuple[dict[str, str], ...] = ({}, {"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"})
FOREIGN = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
)


def test_forms_of_other_sites_are_refused_even_with_a_token(shop: TestClient) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', shop.get("/products/yuzu").text)
    assert token

    def status(headers: dict[str, str]) -> int:
        form = {"csrf": token.group(1)}
        return shop.post("/cart/yuzu", data=form, headers=headers, follow_redirects=False).status_code

    assert [status(headers) for headers in OURS] == [303] * len(OURS)
    assert [status(headers) for headers in FOREIGN] == [403] * len(FOREIGN)


def test_without_the_demo_nobody_sees_what_testers_see(open_shop: OPEN) -> None:
    shop = open_shop(qa=False)
    assert [shop.get(path).status_code for path in ("/lab", "/lab/reset", "/qa/events", "/qa/blank")] == [404] * 4
    assert "/static/qa/" not in shop.get("/").text


def test_without_the_demo_no_cookie_makes_the_collector_fail(open_shop: OPEN) -> None:
    shop = open_shop(qa=False)
    shop.cookies.set("grove_weather", "down")
    event = {"anonymousId": "a", "event": "Hello", "writeKey": "demo"}
    assert shop.post("/v1/track", json=event).status_code == 200


@pytest.mark.parametrize(
    ("text", "path"), [("/cart?x=1#y", "/cart?x=1#y"), ("cart", "/"), ("/\t/evil", "/"), ("http:/x", "/")]
)
def test_paths_of_this_site_and_no_others(text: str, path: str) -> None:
    assert local_path(text, "/") == path
