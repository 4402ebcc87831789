"""Every path there is, with every method, without a token and with a wrong one: only what is public answers."""

from __future__ import annotations

import re

import httpx
import pytest
from attack.raw import ask
from satsuma_server.openapi import document
from satsuma_server.projections.table import TABLE
from satsuma_server.testing import Collector

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
REFUSED = {303, 400, 401, 403, 404, 405, 413}
"""A redirect leads to the console's login."""

PUBLIC = re.compile(
    r"/v1/(track|identify|page|screen|group|alias|batch|import|[tipsgabm]|metrics|pixel/.*|early|health|worker)"
    r"|/v1/projects/.*|/analytics\.js/.*|/metrics|/openapi\.json|/console/(login|assets/.*)"
)
PATHS = sorted({*document(worker=True)["paths"], *(route.path for route in TABLE.routes)})
FILLED = [re.sub(r"\{\w+\}", "x", path) for path in PATHS]
PRIVATE = [path for path in FILLED if not PUBLIC.fullmatch(path)]


@pytest.fixture(scope="module", params=["", "Bearer wrong", "Basic dGVzdC10b2tlbjo=", "bearer"])
def stranger(attacked: Collector, request: pytest.FixtureRequest) -> httpx.Client:
    headers = {"Authorization": request.param} if request.param else {}
    return httpx.Client(base_url=attacked.url, headers=headers, trust_env=False, timeout=30)


def test_there_is_something_to_protect() -> None:
    assert len(PRIVATE) > 25


def test_nothing_private_answers_a_stranger(stranger: httpx.Client) -> None:
    answered = [
        (method, path, answer.status_code)
        for path in PRIVATE
        for method in METHODS
        if (answer := stranger.request(method, path)).status_code not in REFUSED
    ]
    assert answered == []


@pytest.mark.parametrize("change", ["/x/..{}", "/{}", "/.{}", "{}/.", "{}/..", "{}%00", "{}%2f", "/%2e{}", "{}\\"])
def test_no_path_answers_in_another_spelling(attacked: Collector, change: str) -> None:
    headers = {"Authorization": f"Bearer {attacked.token}"}
    asked = {path: ask(attacked.url, change.format(path), headers=headers).status for path in FILLED}
    assert {path: status for path, status in asked.items() if status != 400} == {}
