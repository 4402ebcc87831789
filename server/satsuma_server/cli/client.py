"""A running collector, as the command's verbs ask it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from satsuma.backoff import backoff

from .console import fail

TRIES = 8
FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0
"""Seconds before the second try where the collector can't be reached, and at most before any further one."""

PAGE = 1000
NEXT_AFTER = "X-Satsuma-Next-After"

Filters = dict[str, list[str] | str | None]
"""Conditions that ``/v1/events`` knows, by its names for them; None for no condition."""


def event_filters(
    source: list[str] | None,
    type: list[str] | None,
    user_id: list[str] | None,
    anonymous_id: list[str] | None,
    received_after: str | None,
    received_before: str | None,
) -> Filters:
    """Return the conditions that a command was given by its options."""
    return {
        "source": source,
        "type": type,
        "userId": user_id,
        "anonymousId": anonymous_id,
        "receivedAfter": received_after,
        "receivedBefore": received_before,
    }


class Client:
    """Asks one collector."""

    def __init__(self, url: str, token: str = "") -> None:
        """Take the collector's origin and, for what reads data back, its token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=30)
        self.url = url

    def events(self, after: int, filters: Filters | None = None) -> Iterator[str]:
        """Yield stored events after a seq, each as a line of JSON, up to the newest."""
        while True:
            answer = self._get("/v1/events", {"after": after, "limit": PAGE, **_conditions(filters)})
            # A page may be empty though there is more.
            lines = [*_lines(answer)]
            yield from lines
            seq = json.loads(lines[-1])["seq"] if lines else after
            # Collectors of an older version send no such header.
            following = int(answer.headers.get(NEXT_AFTER, seq))
            if following == after:
                return
            after = following

    def audit_log(self, last: int, person: str = "") -> Iterator[str]:
        """Yield the newest entries of the audit log, each as a line of JSON."""
        yield from _lines(self._get("/v1/audit-log", {"limit": last, **({"person": person} if person else {})}))

    def follow(self, last: int, filters: Filters | None = None) -> Iterator[str]:
        """Yield those of the newest `last` events that meet the filters, and all such that come."""
        params = {"follow": 1, "last": last, **_conditions(filters)}
        try:
            with self.http.stream("GET", "/v1/events", params=params, timeout=httpx.Timeout(30, read=None)) as answer:
                self._check(answer)
                yield from _lines(answer)
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

    def _get(self, path: str, params: dict[str, Any]) -> httpx.Response:
        try:
            answer = self.http.get(path, params=params)
        except httpx.TransportError as error:
            fail(f"{self.url} can't be reached: {error}")
        self._check(answer)
        return answer

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == 401:
            fail("the token is missing or wrong: give --token or SATSUMA_TOKEN")
        if answer.status_code != 200:
            answer.read()
            fail(f"{self.url} answers {answer.status_code}: {answer.text[:300]}")


def decoded[T](answer: httpx.Response, url: str, kind: type[T]) -> T:
    """Return what the collector at `url` answered; end the command with its reason where it refused."""
    if answer.status_code == 401:
        fail("the token is missing or wrong: give --token or SATSUMA_TOKEN")
    if answer.status_code != 200:
        try:
            fail(answer.json()["error"]["message"])
        except (ValueError, LookupError, TypeError):
            fail(f"{url} answers {answer.status_code}: {answer.text[:300]}")
    return msgspec.json.decode(answer.content, type=kind)


def _lines(answer: httpx.Response) -> Iterator[str]:
    """Yield the lines of NDJSON. Those of `str.splitlines` and httpx end at U+2028 too, which JSON may hold."""
    rest = b""
    for piece in answer.iter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode() for line in lines)


def _conditions(filters: Filters | None) -> Filters:
    return {name: value for name, value in (filters or {}).items() if value is not None}
