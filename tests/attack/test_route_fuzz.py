"""Requests that are made up of every path there is: without a token, with a wrong one and with a wrong scope, in odd
spellings and by all methods. What doesn't answer a stranger as named here must answer nobody."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attack.raw import Answer, ask
from satsuma_server.access import Scope, route_of
from satsuma_server.access.routes import ROUTES
from satsuma_server.access.token_file import TokenFile
from satsuma_server.app import create_app
from satsuma_server.log.shared import SharedLog
from satsuma_server.openapi import document
from satsuma_server.projections.app import create_worker
from satsuma_server.projections.internal import AnswersCollector
from satsuma_server.projections.table import TABLE
from satsuma_server.settings import Settings
from satsuma_server.testing import Collector
from starlette.routing import BaseRoute

PUBLIC = [
    (method, re.compile(path))
    for methods, path in (
        ("GET HEAD", r"/v1/(health|worker)|/openapi\.json|/sourceConfig/?"),
        ("GET HEAD", r"(/customerio)?/v1/projects/[^/]+/settings|/analytics\.js/.+"),
        ("GET HEAD", r"/console/(login|assets/[^/]+/[^/]+)"),
        ("GET HEAD", r"/v1/pixel/[^/]+"),
        ("POST", r"/v1/(track|identify|page|screen|group|alias|batch|[tipsgabm]|metrics|early)|/console/login"),
    )
    for method in methods.split()
]
"""All that answers without a token. The metrics do so too, but not for the host that these requests name."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "GETX")
REFUSED = {303, 400, 401, 403, 404, 405, 411, 413, 415, 421, 501}
"""A redirect leads to the console's login."""

SECRETS = (b"ann@shop.test", b"odd@shop.test", b"device-1")
ROUNDS = 1_500
SEED = 20_261_129

Spell = Callable[[random.Random, str], str]


def _inserted(*texts: str) -> Spell:
    def spell(rng: random.Random, path: str) -> str:
        at = rng.choice([match.start() for match in re.finditer("/", path)] or [0])
        return path[:at] + rng.choice(texts) + path[at:]

    return spell


def _escaped(rng: random.Random, path: str) -> str:
    at = rng.randrange(len(path))
    code = f"{ord(path[at]) % 256:02x}"
    escape = rng.choice(
        (f"%{code}", f"%{code.upper()}", f"%25{code}", f"%c0%{int(code, 16) | 0x80:02x}", f"%u00{code}")
    )
    return path[:at] + escape + path[at + 1 :]


SPELLINGS: tuple[Spell, ...] = (
    _inserted(
        "/.", "/x/..", "/..", "/", "/console/..", "/v1/..", "/%2e", "/%2e%2e", "/..%2f", "/..;", "/;x=y", "\\", "/%00"
    ),
    _escaped,
    _escaped,
    lambda rng, path: (
        path + rng.choice(("/", "/.", "/..", "//", ";", "%00", "%20", "%0a", ".json", "?", "#", "/x/..", "%2f"))
    ),
    lambda rng, path: path.upper() if rng.random() < 0.5 else path.title(),
    lambda rng, path: rng.choice(("http://worker", "http://127.0.0.1", "//worker", "/http://worker")) + path,
    lambda rng, path: (
        path + rng.choice(("?x=..", "?token=test-token", "?/v1/health", "?#", "?access_token=test-token"))
    ),
    lambda rng, path: path,
)


def _paths(routes: list[BaseRoute], before: str = "") -> Iterator[str]:
    for route in routes:
        below = getattr(route, "routes", None)
        yield from _paths(below, before + route.path) if below else (before + route.path,)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Each path of the document, of the tables, of the collector, and of the second process, also its internal ones."""
    folder = tmp_path_factory.mktemp("routes")
    collector = create_app(Settings(folder))
    worker = create_worker(Settings(folder), SharedLog(folder))
    internal = [
        one for part in worker.state.parts if isinstance(part, AnswersCollector) for one in part.internal_routes()
    ]
    found = {*_paths(collector.routes), *_paths(worker.routes), *_paths(internal), *document(worker=True)["paths"]}
    found |= {route.path for route in (*TABLE.routes, *ROUTES)}
    asyncio.run(collector.state.log.close())
    assert len(internal) >= 2
    return sorted(re.sub(r"\{person(:\w+)?\}", "user_id:ann", path) for path in found)


@pytest.fixture(scope="module")
def holders(attacked: Collector, attacked_folder: Path) -> list[tuple[str, frozenset[Scope]]]:
    """Authorization headers, with the scopes that they stand for. All others stand for none."""
    named = [(TokenFile(attacked_folder).create(f"fuzz {one}", [one]), one) for one in Scope if one is not Scope.ADMIN]
    none = ("", "Bearer wrong", "Bearer", "Basic dGVzdC10b2tlbjo=", "Basic c2hvcDo=", f"Token {attacked.token}")
    return [(header, frozenset()) for header in none] + [(f"Bearer {token}", frozenset({one})) for token, one in named]


def is_named(method: str, path: str, scopes: frozenset[Scope]) -> bool:
    """Tell whether a request is one of those that may be answered."""
    # A request may name the whole URL, as for a proxy: it is one for that path.
    plain = re.sub(r"^https?://[^/]+(?=/)", "", path.partition("?")[0].partition("#")[0])
    if any(method == one and pattern.fullmatch(plain) for one, pattern in PUBLIC):
        return True
    scope = route_of(method, plain).scope
    return bool(scopes) and (scope in scopes or scope is None)


def test_what_nobody_named_answers_nobody(
    attacked: Collector, paths: list[str], holders: list[tuple[str, frozenset[Scope]]]
) -> None:
    rng = random.Random(SEED)
    answered: list[tuple[str, str, str, Answer]] = []
    asked = 0
    while asked < ROUNDS:
        path = re.sub(
            r"\{\w+(:\w+)?\}", lambda _: rng.choice(("x", "1", "shop", "user_id:ann", "..")), rng.choice(paths)
        )
        for _ in range(rng.randrange(3)):
            path = rng.choice(SPELLINGS)(rng, path)
        method, (header, scopes) = rng.choice(METHODS), rng.choice(holders)
        if is_named(method, path, scopes):
            continue
        asked += 1
        headers = {"Authorization": header} if header else {}
        answer = ask(attacked.url, path, method, headers=headers)
        leads_in = answer.status == 303 and "/console/login" not in answer.headers.get("location", "")
        if answer.status not in REFUSED or leads_in or any(secret in answer.body for secret in SECRETS):
            answered.append((method, path, header, answer))
    assert answered == []


def test_people_are_as_they_were(attacked: Collector) -> None:
    headers = {"Authorization": f"Bearer {attacked.token}"}
    answer = ask(attacked.url, "/v1/profiles/user_id:ann", headers=headers)
    assert answer.status == 200
    assert b"device-1" in ask(attacked.url, "/v1/people/user_id:ann/export", headers=headers).body
