"""Clients that drip their bytes, or send too many of them, keep nobody else out, and are cut off."""

from __future__ import annotations

import contextlib
import resource
import select
import socket
from collections.abc import Iterator

import httpx
import pytest
from satsuma_server.http.timeouts import MAX_HEAD_BYTES, TimeLimitedProtocol, most_connections
from satsuma_server.ingest import body

CROWD = 200
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: a\r\n"
BODY = HEAD + b"Content-Length: 100\r\n\r\n"
UNREAD = b"POST /v1/health HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
DONE = b"GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.contextmanager
def connected(client: httpx.Client, count: int = 1) -> Iterator[list[socket.socket]]:
    url = client.base_url
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection((url.host, url.port), timeout=10)) for _ in range(count)]


def drip_until_cut(slow: socket.socket, first: bytes = b"x") -> bytes:
    """Send a byte now and then until the connection is closed; return what was answered.

    What is sent before a first answer is `first`: a whole request may still be on its way to its answer, however busy
    the machine is, and another letter behind it would make it a broken one.
    """
    answer = b""
    slow.settimeout(0.02)
    for _ in range(500):
        try:
            with contextlib.suppress(TimeoutError):
                got = slow.recv(65536)
                answer += got
                if not got:
                    return answer
            slow.sendall(b"\n" if answer.startswith(b"HTTP/1.1 200") else first)
        except ConnectionError:
            return answer
    raise AssertionError(f"still open after {answer!r}")


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    # Far apart: on a machine that stands still for a moment, several of these bounds may be over at once, and the body
    # reader, which can say what was wrong, has to come before the protocol, which only cuts.
    monkeypatch.setattr(TimeLimitedProtocol, "header_seconds", 1)
    monkeypatch.setattr(TimeLimitedProtocol, "body_seconds", 3)
    monkeypatch.setattr(body, "BODY_SECONDS", 0.3)


@pytest.mark.parametrize(
    ("start", "answer"),
    [
        pytest.param(b"", b"", id="a head"),
        pytest.param(BODY, b"HTTP/1.1 408", id="a body"),
        pytest.param(UNREAD, b"HTTP/1.1 405", id="a body that nobody reads"),
        pytest.param(DONE, b"HTTP/1.1 200", id="empty lines between two requests"),
        pytest.param(DONE + HEAD, b"HTTP/1.1 200", id="the head of a second request"),
    ],
)
def test_who_drips_is_cut(client: httpx.Client, start: bytes, answer: bytes) -> None:
    with connected(client) as [slow]:
        slow.sendall(start or HEAD)
        assert drip_until_cut(slow, b"\n" if start == DONE else b"x").startswith(answer)


def test_a_crowd_that_drips_keeps_nobody_else_out(client: httpx.Client) -> None:
    event = {"event": "E", "anonymousId": "a"}
    with connected(client, CROWD) as crowd:
        for number, slow in enumerate(crowd):
            slow.sendall(HEAD if number % 2 else BODY)
        for _ in range(10):
            assert client.post("/v1/track", json=event).status_code == 200
        for slow in crowd:
            assert drip_until_cut(slow)[:12] in (b"", b"HTTP/1.1 408")


def test_a_head_without_end_is_cut(client: httpx.Client) -> None:
    with connected(client) as [endless]:
        endless.sendall(HEAD)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 100 * MAX_HEAD_BYTES:
                endless.sendall(b"X-Long: " + b"x" * 10_000 + b"\r\n")
                sent += 10_000
            raise AssertionError(f"{sent} bytes were taken")
    assert client.get("/v1/health").status_code == 200


def test_idle_connections_make_room_and_requests_under_way_are_kept(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeLimitedProtocol, "header_seconds", 60)
    monkeypatch.setattr(TimeLimitedProtocol, "body_seconds", 60)
    monkeypatch.setattr(body, "BODY_SECONDS", 60)
    monkeypatch.setattr("satsuma_server.http.timeouts.most_connections", lambda: 20)
    with connected(client) as [busy]:
        busy.sendall(BODY)
        assert client.get("/v1/health").status_code == 200  # By then, what was sent before is read.
        with connected(client, 120) as crowd:
            for _ in range(3):
                assert httpx.get(client.base_url.join("/v1/health")).status_code == 200
            while len(crowd) > 20:
                closed, _, _ = select.select(crowd, [], [], 30)
                assert closed, f"{len(crowd)} connections are open"
                assert {one.recv(1) for one in closed} == {b""}
                crowd = [one for one in crowd if one not in closed]
        busy.settimeout(30)
        busy.sendall(b'{"event":"E","anonymousId":"a"}'.ljust(100))
        assert busy.recv(65536).startswith(b"HTTP/1.1 200")


def test_connections_leave_descriptors_to_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, most in ((1024, 512), (65_536, 65_024), (100, 50), (resource.RLIM_INFINITY, 65_024)):
        monkeypatch.setattr(resource, "getrlimit", lambda kind, limit=limit: (limit, limit))
        assert most_connections() == most
