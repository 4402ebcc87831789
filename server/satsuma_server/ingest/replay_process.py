"""The process in which calls of departed pages are made: ``python -m satsuma_server.ingest.replay_process``.

What a page's calls do is Python that anybody can have run, with whatever options and values. In a process of its own it
keeps nobody waiting, and where it takes too long or too much memory it is that process which ends, and no other.

Jobs come on stdin and results go to stdout, each as JSON in one line. The process ends with its stdin.
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
"""Seconds of the processor after which no further call of a page is made."""

PROCESSOR_SECONDS = 3.0
"""Seconds of the processor after which a job is ended from outside, together with this process."""

MEMORY_BYTES = 512 << 20
"""Of addresses: what a job needs is a small part of it."""


class Job(msgspec.Struct):
    """A beacon's body, as text, and what the collector knows of who sent it."""

    body: str
    user_agent: str = ""


class Made(msgspec.Struct):
    """What became of a job.

    Attributes:
        events: each as JSON.
        refused: calls that came to nothing.
        cookies: Set-Cookie headers for what the calls changed, by the cookie's name.
        domain: on which they would be set.
        problem: why nothing could be done; None where something was.
        path: of what was the problem.
    """

    events: list[str] = []
    refused: list[RefusedCall] = []
    cookies: dict[str, str] = {}
    domain: str = ""
    problem: str | None = None
    path: str = ""


class _Body(msgspec.Struct):
    calls: list[list[Any]]
    writeKey: str = ""  # noqa: N815
    sentAt: str = ""  # noqa: N815
    cookies: str = ""
    storage: dict[str, str] = {}
    options: dict[str, Any] = {}
    domain: str = ""
    locale: str | None = None
    timezone: str | None = None


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
    return Made(page.bodies, page.refused, _set_cookies(page.cookie_jar.changes, body.domain), body.domain)


def _set_cookies(changes: Mapping[str, CookieChange], domain: str) -> dict[str, str]:
    found = {}
    for name, change in changes.items():
        # With attributes that are of another type than a page's there is no such cookie, and that is all.
        with contextlib.suppress(TypeError, ValueError, ArithmeticError, AttributeError):
            if header := set_cookie(name, change, domain):
                found[name] = header
    return found


def _is_spent() -> Callable[[], bool]:
    """Return what tells, by the processor's time alone, whether a job has had its share."""
    end = time.process_time() + CALLS_SECONDS
    return lambda: time.process_time() > end


def _departure(body: _Body, user_agent: str) -> Departure:
    return Departure(
        write_key=body.writeKey,
        calls=body.calls,
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
    """Return a job or a result as a line, whatever characters are in it."""
    return json.dumps(msgspec.to_builtins(value)).encode() + b"\n"


def from_line[T](line: bytes, kind: type[T]) -> T:
    """Return what `to_line` was given."""
    return msgspec.convert(json.loads(line), kind)


def _bound_memory() -> None:
    with contextlib.suppress(ValueError, OSError):  # The system allows less already.
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> None:
    """Make calls until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The collector ends this, in its own time.
    _bound_memory()
    for line in sys.stdin.buffer:
        # Its signal ends the process, also in the midst of native code.
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        answer = to_line(make(from_line(line, Job)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
