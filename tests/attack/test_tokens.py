"""What a token without the scope gets: nothing, on no route, also not after it was revoked or has ended."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from attack.conftest import wait_until
from satsuma_server.access import Scope, Tokens, scope_of
from satsuma_server.access.routes import ROUTES
from satsuma_server.access.token_file import FILE, TokenFile
from satsuma_server.errors import TokenError
from satsuma_server.openapi import document
from satsuma_server.projections.table import TABLE, Door
from satsuma_server.testing import Collector, running

DAY = timedelta(days=1)
GUARDED = {(route.method, route.path) for route in ROUTES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scopes")


@pytest.fixture(scope="module")
def collector(folder: Path) -> Iterator[Collector]:
    with running(folder, worker=True) as collector:
        wait_until(lambda: httpx.get(f"{collector.url}/v1/worker").status_code == 200, "the worker")
        yield collector


@pytest.fixture(scope="module")
def tokens(folder: Path, collector: Collector) -> dict[Scope, str]:
    """A token for each scope, with nothing but that."""
    return {scope: TokenFile(folder).create(f"only {scope}", [scope]) for scope in Scope}


def test_the_table_has_every_route_that_is_not_open() -> None:
    behind = {(route.method, route.path) for route in TABLE.routes if route.door is not Door.OPEN}
    described = {
        (method.upper(), re.sub(r"\{\w+\}", "{x}", path))
        for path, methods in document(worker=True)["paths"].items()
        for method, told in methods.items()
        if isinstance(told, dict) and any("token" in one for one in told.get("security", ()))
    }
    assert behind - GUARDED == set()
    spelled = {(method, re.sub(r"\{\w+\}", "{x}", path)) for method, path in GUARDED}
    # In the document, three questions about all people and the parts of a profile have paths of their own.
    unknown = {one for one in described - spelled if not one[1].startswith("/v1/profiles/")}
    # An import takes a token, too; that it has to be one with all scopes is tested below.
    assert unknown - {("POST", "/v1/import")} == set()
    assert {one for one in GUARDED - behind if (one[0], re.sub(r"\{\w+\}", "{x}", one[1])) not in described} == set()


def test_the_document_names_the_scope_of_each_operation() -> None:
    paths = document(worker=True)["paths"]
    assert paths["/v1/events"]["get"]["security"] == [{"token": [Scope.READ_EVENTS]}]
    assert paths["/v1/sql"]["post"]["security"] == [{"token": [Scope.SQL]}]


def test_a_route_that_the_table_forgot_needs_everything() -> None:
    assert scope_of("GET", "/v1/forgotten") is Scope.ADMIN
    assert scope_of("DELETE", "/v1/events") is Scope.ADMIN


@pytest.mark.parametrize("scope", Scope)
def test_a_token_opens_what_its_scope_names_and_nothing_else(
    collector: Collector, tokens: dict[Scope, str], scope: Scope
) -> None:
    wrong = []
    with httpx.Client(base_url=collector.url, headers={"Authorization": f"Bearer {tokens[scope]}"}) as client:
        for route in ROUTES:
            if route.path.startswith("/console"):
                continue
            path = re.sub(r"\{\w+\}", "x", route.path)
            for method in {route.method, "HEAD"} if route.method == "GET" else {route.method}:
                if route.path.endswith("/rebuild") and scope is Scope.ADMIN:
                    continue  # It would take long, and others read what it rebuilds.
                body = {"query": "select 1"} if method == "POST" else None
                status = client.request(method, path, json=body).status_code
                if (status not in (401, 403)) != (scope in (route.scope, Scope.ADMIN)):
                    wrong.append((method, route.path, status))
    assert wrong == []


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ADMIN])
def test_only_a_token_with_all_scopes_speaks_for_the_server(tmp_path: Path, scope: Scope) -> None:
    event = {"type": "track", "event": "Old", "userId": "ann", "timestamp": "2020-01-01T00:00:00.000Z"}
    with running(tmp_path, write_keys=frozenset({"shop"})) as collector:
        for allowed in (scope, Scope.ADMIN):
            token = TokenFile(tmp_path).create(f"t {allowed}", [allowed])
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx.post(
                f"{collector.url}/v1/import", json={"writeKey": "shop", "batch": [event]}, headers=headers
            )
            assert answer.status_code == (200 if allowed is Scope.ADMIN else 403)


def test_a_revoked_token_is_worth_nothing_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as collector:
        file = TokenFile(tmp_path)
        token = file.create("reader", [Scope.READ_EVENTS])
        with httpx.Client(base_url=collector.url, headers={"Authorization": f"Bearer {token}"}) as client:
            assert client.get("/v1/events").status_code == 200
            with client.stream("GET", "/v1/events?follow=1") as feed:
                file.revoke("reader")
                assert client.get("/v1/events").status_code == 401
                httpx.post(f"{collector.url}/v1/track", json={"event": "Secret", "userId": "ann", "writeKey": "shop"})
                assert feed.read() == b""
        assert len(collector.events()) == 1


def test_a_rotated_token_stays_valid_for_a_time_and_no_longer(tmp_path: Path) -> None:
    file, tokens = TokenFile(tmp_path), Tokens(tmp_path, "from the settings")
    first = file.create("reader", [Scope.READ_EVENTS])
    second = file.rotate("reader", overlap=DAY)
    assert [bool(tokens.holder(one)) for one in (first, second)] == [True, True]
    third = file.rotate("reader", overlap=timedelta())
    assert [bool(tokens.holder(one)) for one in (first, second, third)] == [False, False, True]
    file.rotate("reader", overlap=timedelta(microseconds=1))
    assert tokens.holder(third) is None


def test_a_token_ends_in_its_time(tmp_path: Path) -> None:
    token = TokenFile(tmp_path).create("short", [Scope.SQL], lifetime=timedelta(microseconds=1))
    assert Tokens(tmp_path, "from the settings").holder(token) is None


def test_the_file_has_no_token_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    made = [TokenFile(tmp_path).create("a", [Scope.SQL]), TokenFile(tmp_path).rotate("a", overlap=DAY)]
    text = (tmp_path / FILE).read_text()
    assert not any(token in text or token.removeprefix("satsuma_") in text for token in made)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_a_damaged_file_opens_nothing_and_is_not_overwritten(tmp_path: Path) -> None:
    token = TokenFile(tmp_path).create("a", [Scope.ADMIN])
    tokens = Tokens(tmp_path, "from the settings")
    assert tokens.holder(token)
    (tmp_path / FILE).write_text('{"tokens": [')
    assert tokens.holder(token) is None
    assert tokens.holder("from the settings")
    with pytest.raises(TokenError, match="can't be read"):
        TokenFile(tmp_path).create("b", [Scope.SQL])
    assert (tmp_path / FILE).read_text() == '{"tokens": ['


@pytest.mark.parametrize("name", ["", " a", "settings", "a\nb", "x" * 101])
def test_names_that_mislead_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TokenError):
        TokenFile(tmp_path).create(name, [Scope.SQL])


def test_a_hash_is_no_token(tmp_path: Path) -> None:
    TokenFile(tmp_path).create("a", [Scope.ADMIN])
    stored = json.loads((tmp_path / FILE).read_text())["tokens"][0]["secrets"][0]["sha256"]
    assert Tokens(tmp_path, "from the settings").holder(stored) is None
