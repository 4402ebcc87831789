"""The process that makes the early calls of pages that have ended.

It is run as ``python -m satsuma_server.ingest.replay_process``. Anybody can cause calls to be made, with any options
and values. In a separate process, calls that take too long or too much memory delay nobody, and end only that process.

Jobs arrive on stdin and results are written to stdout, each as JSON in one line. The process ends when stdin is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from satsuma.environment import Environment
from satsuma.platforms.server.beacon_replay import Departure, RefusedCall, replay
from satsuma.platforms.server.cookies import CookieChange, set_cookie

from satsuma_server.errors import BadRequestError
from satsuma_server.times import parse_time

from .decode import read_well_formed

LIBRARY_VERSION = "satsuma-early"

CALLS_SECONDS = 0.5
"""Seconds of processor time after which no further call of a page is made."""

PROCESSOR_SECONDS = 3.0
"""Seconds of processor time after which a timer ends this process, together with its job."""

MEMORY_BYTES = 512 << 20
"""The most bytes of address space of this process. A usual job needs a small part of it."""


class Job(msgspec.Struct):
    """The body of a beacon as text, with what the collector knows about its sender."""

    body: str
    user_agent: str = ""


class Made(msgspec.Struct):
    """The result of a job.

    Attributes:
        events: the events, each as JSON.
        refused: calls that were not valid.
        cookies: Set-Cookie headers for cookies that the calls changed, by the name of the cookie.
        items: items of localStorage that the calls changed, by key; None for an item that was removed.
        domain: the domain of these cookies.
        answers: whether the page is still open and waits for the answer.
        problem: why no call could be made; None where calls were made.
        path: where in the body the problem is.
    """

    events: list[str] = []
    refused: list[RefusedCall] = []
    cookies: dict[str, str] = {}
    items: dict[str, str | None] = {}
    domain: str = ""
    answers: bool = False
    problem: str | None = None
    path: str = ""


class _Body(msgspec.Struct):
    calls: list[list[Any]]
    events: list[dict[str, Any]] = []
    writeKey: str = ""  # noqa: N815
    sentAt: str = ""  # noqa: N815
    cookies: str = ""
    storage: dict[str, str] = {}
    options: dict[str, Any] = {}
    domain: str = ""
    locale: str | None = None
    timezone: str | None = None
    answer: bool = False


def make(job: Job) -> Made:
    """Make the calls of a body."""
    try:
        body = _decoded(job.body)
        return _made(body, job.user_agent)
    except BadRequestError as error:
        return Made(problem=str(error).removeprefix(f"{error.path} "), path=error.path)


def _decoded(text: str) -> _Body:
    try:
        return msgspec.convert(read_well_formed(text), _Body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not a stub's: {error}") from error


def _made(body: _Body, user_agent: str) -> Made:
    try:
        page = asyncio.run(replay(_departure(body, user_agent), _is_spent()))
    except Exception as error:
        raise BadRequestError(f"can't be used: {error}", path=".options") from error
    return Made(
        events=page.bodies,
        refused=page.refused,
        cookies=_set_cookies(page.cookie_jar.changes, body.domain),
        items=page.local_storage.changes,
        domain=body.domain,
        answers=body.answer,
    )


def _set_cookies(changes: Mapping[str, CookieChange], domain: str) -> dict[str, str]:
    found = {}
    for name, change in changes.items():
        # Attributes of a wrong type only mean that there is no such cookie.
        with contextlib.suppress(TypeError, ValueError, ArithmeticError, AttributeError):
            if header := set_cookie(name, change, domain):
                found[name] = header
    return found


def _is_spent() -> Callable[[], bool]:
    """Return a function that tells whether a job has used up `CALLS_SECONDS` of processor time."""
    end = time.process_time() + CALLS_SECONDS
    return lambda: time.process_time() > end


def _departure(body: _Body, user_agent: str) -> Departure:
    return Departure(
        write_key=body.writeKey,
        calls=body.calls,
        events=[json.dumps(event) for event in body.events],
        cookies=body.cookies,
        storage=body.storage,
        options=body.options,
        environment=Environment(
            user_agent=user_agent,
            locale=body.locale,
            timezone=body.timezone,
            library_version=LIBRARY_VERSION,
        ),
        sent_at=parse_time(body.sentAt) or 0.0,
    )


def to_line(value: Job | Made) -> bytes:
    """Return a job or a result as one line of JSON, whatever characters it has."""
    return json.dumps(msgspec.to_builtins(value)).encode() + b"\n"


def from_line[T](line: bytes, kind: type[T]) -> T:
    """Decode a line of `to_line`."""
    return msgspec.convert(json.loads(line), kind)


def _bound_memory() -> None:
    with contextlib.suppress(ValueError, OSError):  # The system's limit is already lower.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> None:
    """Make calls until stdin ends."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C also reaches this process. The collector ends it when it is done.
    _bound_memory()
    for line in sys.stdin.buffer:
        # The timer's signal ends the process, even while native code is running.
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        answer = to_line(make(from_line(line, Job)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
