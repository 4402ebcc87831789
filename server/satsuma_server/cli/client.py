"""A running collector, as the command's verbs ask it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
from satsuma.backoff import backoff

from .console import fail

TRIES = 8
FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0
"""Seconds before the second try where the collector can't be reached, and at most before any further one."""

PAGE = 1000


class Client:
    """Asks one collector."""

    def __init__(self, url: str, token: str = "") -> None:
        """Take the collector's origin and, for what reads data back, its token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=30)
        self.url = url

    def events(self, after: int) -> Iterator[str]:
        """Yield stored events after a seq, each as a line of JSON, up to the newest."""
        while True:
            page = self._lines("/v1/events", after=after, limit=PAGE)
            if not page:
                return
            yield from page
            after = json.loads(page[-1])["seq"]

    def follow(self, last: int) -> Iterator[str]:
        """Yield the newest `last` events and all that come."""
        params = {"follow": 1, "last": last}
        try:
            with self.http.stream("GET", "/v1/events", params=params, timeout=httpx.Timeout(30, read=None)) as answer:
                self._check(answer)
                yield from answer.iter_lines()
        except httpx.HTTPError as error:
            fail(f"{self.url} can't be followed: {error}")

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post events, patiently while the collector is busy, and return its answer."""
        problem = ""
        for attempt in range(TRIES):
            try:
                answer = self.http.post(path, json=body)
            except httpx.TransportError as error:
                wait, problem = backoff(attempt + 1, FIRST_WAIT, LONGEST_WAIT), str(error)
            else:
                if answer.status_code not in (429, 503):
                    told: dict[str, Any] = answer.json()
                    return told
                wait, problem = float(answer.headers.get("Retry-After", 1)), answer.text
            if attempt < TRIES - 1:
                time.sleep(wait)
        return fail(f"{self.url} takes no events: {problem}")

    def _lines(self, path: str, **params: int) -> list[str]:
        try:
            answer = self.http.get(path, params=params)
        except httpx.TransportError as error:
            fail(f"{self.url} can't be reached: {error}")
        self._check(answer)
        return answer.text.splitlines()

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == 401:
            fail("the token is missing or wrong: give --token or SATSUMA_TOKEN")
        if answer.status_code != 200:
            answer.read()
            fail(f"{self.url} answers {answer.status_code}: {answer.text[:300]}")
