"""Sends requests to a service over HTTP, within bounds of time and bytes, and judges its answers by their status.

What a service is sent, and what its answers mean beyond the status, is decided by an `HttpService`, which does no I/O.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx
import msgspec

from satsuma_server import __version__

from . import LONGEST_ANSWER, DeletedPerson, Fate, Links, Message, Outcome, Payload
from .secrets import Secrets

MOST_ANSWER_BYTES = 256 << 10
"""The most bytes of an answer that are read. Services that tell of each event need some."""

SET_UP = frozenset({401, 402, 403, 404, 405, 407, 410})
"""Statuses that say that an address, a key or an account is wrong. No event is at fault, so all of them wait."""

BUSY = frozenset({408, 409, 421, 423, 425, 429})

AGENT = f"satsuma/{__version__}"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, before it is sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


class HttpService(Protocol):
    """One service: what it is sent, and what it answers.

    Attributes:
        most_messages, most_bytes: bounds of one request.
        takes_claims: see `DestinationClient`.
        secrets: what must not be shown.
    """

    most_messages: int
    most_bytes: int
    takes_claims: bool
    secrets: Secrets

    def translate(self, event: dict[str, Any], links: Links) -> Sequence[Payload]:
        """Do what `DestinationClient.translate` does."""
        ...

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        """Do what `DestinationClient.forget` does."""
        ...

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        """Return the request for messages of one channel. For the same messages it has the same body."""
        ...

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        """Return what an answer means, given what its status means in general."""
        ...


@dataclass(slots=True)
class _Connections:
    """A pool of connections, and how many requests are under way in it."""

    client: httpx.AsyncClient
    users: int = 0


class HttpDestination:
    """A destination that is reached over HTTP."""

    def __init__(self, service: HttpService, timeout_seconds: float, connections: int) -> None:
        self._service = service
        self._seconds = timeout_seconds
        self.most_messages, self.most_bytes = service.most_messages, service.most_bytes
        self.takes_claims = service.takes_claims
        self._most_connections = connections
        self._connections = self._connect()

    def translate(self, event: dict[str, Any], links: Links) -> Sequence[Payload]:
        return self._service.translate(event, links)

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return self._service.forget(person)

    async def send(self, messages: Sequence[Message]) -> Outcome:
        request = self._service.request(messages)
        connections = self._connections
        connections.users += 1
        try:
            async with asyncio.timeout(self._seconds):
                status, headers, body = await self._exchange(connections.client, request)
        except TimeoutError:
            self._renew(connections)
            return Outcome(Fate.LATER, f"no answer within {self._seconds:g} s")
        except (httpx.TransportError, httpx.InvalidURL) as error:
            self._renew(connections)
            return Outcome(Fate.LATER, self._service.secrets.hide(f"{type(error).__name__}: {error}")[:300])
        except UnicodeError:
            return Outcome(Fate.LATER, "a header has characters that can't be sent: check its secrets")
        except asyncio.CancelledError:
            self._renew(connections)
            raise
        finally:
            connections.users -= 1
            await self._close_if_old(connections)
        answer = self._service.secrets.hide(body.decode("utf-8", "replace"))[:LONGEST_ANSWER]
        return self._service.judge(judge_status(status, headers, answer), body, messages)

    def preview(self, messages: Sequence[Message]) -> str:
        request = self._service.request(messages)
        headers = {"Host": httpx.URL(request.url).netloc.decode(), "User-Agent": AGENT, **request.headers}
        told = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in headers.items()), ""]
        body = request.body.decode("utf-8", "replace")
        # A body that is no JSON, but a form or lines, is shown as it is.
        with contextlib.suppress(msgspec.DecodeError):
            body = msgspec.json.format(body)
        return self._service.secrets.hide("\n".join([*told, body]))

    async def close(self) -> None:
        await self._connections.client.aclose()

    def _connect(self) -> _Connections:
        most = self._most_connections
        limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
        return _Connections(
            httpx.AsyncClient(
                timeout=self._seconds, limits=limits, follow_redirects=False, headers={"User-Agent": AGENT}
            )
        )

    def _renew(self, connections: _Connections) -> None:
        """Use new connections from now on. A request that was cut off leaves its place in httpx's pool taken, and when
        all places are, every request fails."""
        if self._connections is connections:
            self._connections = self._connect()

    async def _close_if_old(self, connections: _Connections) -> None:
        if self._connections is not connections and not connections.users:
            await connections.client.aclose()

    async def _exchange(self, client: httpx.AsyncClient, request: HttpRequest) -> tuple[int, httpx.Headers, bytes]:
        made = client.build_request(request.method, request.url, headers=dict(request.headers), content=request.body)
        answer = await client.send(made, stream=True)
        try:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) >= MOST_ANSWER_BYTES:
                    break
            return answer.status_code, answer.headers, bytes(body[:MOST_ANSWER_BYTES])
        finally:
            await answer.aclose()


def judge_status(status: int, headers: Mapping[str, str], answer: str) -> Outcome:
    """Return what an HTTP answer means by its status alone."""
    if 200 <= status < 300:
        return Outcome(Fate.DELIVERED, "", status, answer)
    reason = f"it answers {status}"
    if status in SET_UP or 300 <= status < 400:
        return Outcome(Fate.LATER, f"{reason}: check its address and its keys", status, answer)
    if status in BUSY or status >= 500 or status < 200:
        return Outcome(Fate.LATER, reason, status, answer, retry_after_in(headers))
    return Outcome(Fate.REFUSED, reason, status, answer)


def retry_after_in(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds in a header Retry-After, which has a number or a date (RFC 9110, 10.2.3); None without one."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def address_of(url: str) -> str:
    """Return a URL for people: without user, query and fragment, which may have secrets."""
    parsed = httpx.URL(url)
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.scheme}://{parsed.host}{port}{parsed.path}"
