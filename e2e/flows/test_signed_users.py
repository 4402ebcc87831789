"""Signed userIds, from a site's page to the person's profile: a login that is proven, and one that is guessed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page
from satsuma.platforms.server import sign_user_id
from satsuma_server import snippet
from satsuma_server.settings import Source
from satsuma_server.testing import Collector, running, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

SECRET = "signing-secret-0123456789abcdef-0123"
VICTIM = "97980cfea0067"
SOURCE = Source("shop", identify="signed", signing_secrets=(SECRET,))


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    folder: Path = tmp_path_factory.mktemp("signed")
    with running(folder, worker=True, write_keys=frozenset(), sources=(SOURCE,), accept_any_key=False) as started:
        yield started


@pytest.fixture(scope="module")
def signing_site(collector: Collector) -> Iterator[str]:
    """A site whose page identifies who is logged in, with a signature; the attacker's page guesses."""
    head = f"<!doctype html><title>Site</title><script>{snippet('shop', collector.url)}</script>"

    def account(request: Request) -> HTMLResponse:
        signature = json.dumps(sign_user_id(VICTIM, SECRET, "shop"))
        return HTMLResponse(
            f"{head}<script>analytics.identify('{VICTIM}', {{plan: 'paid'}}, {{signature: {signature}}});"
            "analytics.track('Bought Medicine')</script>"
        )

    def guess(request: Request) -> HTMLResponse:
        return HTMLResponse(
            f"{head}<script>analytics.identify('{VICTIM}', {{plan: 'forged'}}, {{signature: 'a.guessed.one'}});"
            "analytics.track('Guessed')</script>"
        )

    with serving(Starlette(routes=[Route("/account", account), Route("/guess", guess)])) as url:
        yield url


class Token:
    """Asks the collector with its token."""

    def __init__(self, collector: Collector) -> None:
        headers = {"Authorization": f"Bearer {collector.token}"}
        self._http = httpx.Client(base_url=collector.url, headers=headers, trust_env=False, timeout=30)
        self._last = collector.events()[-1]["seq"]

    def get(self, path: str) -> str:
        """Return an answer, once profiles have everything that was stored."""
        until = time.monotonic() + 60
        while (answer := self._http.get("/v1/profiles/totals")).status_code != 200 or answer.json()["seq"] < self._last:
            assert time.monotonic() < until, answer.text
            time.sleep(0.05)
        return self._http.get(path).raise_for_status().text


def visit(browser: Browser, url: str) -> str:
    """Open a page as somebody new, and return their anonymousId once everything is sent."""
    with browser.new_context() as context:
        page: Page = context.new_page()
        page.goto(url)
        page.wait_for_function("() => window.analytics?.initialized")
        page.evaluate("() => analytics.flush()")
        return str(page.evaluate("() => analytics.user().anonymousId()"))


def test_a_signed_login_is_one_person_and_a_guessed_one_is_not_joined(
    browser: Browser, collector: Collector, signing_site: str
) -> None:
    phone, attacker = visit(browser, f"{signing_site}/account"), visit(browser, f"{signing_site}/guess")
    laptop = visit(browser, f"{signing_site}/account")
    events: list[dict[str, Any]] = collector.wait_for(lambda stored: len(stored) >= 9)
    worth = [(one["type"], one["context"]["verification"]) for one in events if one["anonymousId"] == phone]
    assert worth == [("page", "anonymous"), ("identify", "signed"), ("track", "claimed")], (
        "later events need no signature"
    )
    assert not any("signature" in one["context"] for one in events)

    token = Token(collector)
    victim = json.loads(token.get(f"/v1/profiles/user_id:{VICTIM}"))
    assert {one["id"] for one in victim["external_ids"]} == {VICTIM, phone, laptop}
    assert victim["traits"] == {"plan": "paid"}
    metadata = json.loads(token.get(f"/v1/profiles/user_id:{VICTIM}/metadata"))
    assert metadata["metadata"]["events"] == 6
    given = token.get(f"/v1/people/anonymous_id:{attacker}/export")
    assert "Guessed" in given
    for secret in ("Medicine", "paid", phone, laptop):
        assert secret not in given
    mine = token.get(f"/v1/people/anonymous_id:{phone}/export")
    assert "Medicine" in mine and "Guessed" not in mine
