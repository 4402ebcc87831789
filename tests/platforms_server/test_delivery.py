"""The client against a real collector: on a bad network, at the end of its process, and over a fork."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flows.contract import check_kept
from flows.faults import Faults
from satsuma.platforms.cpython.transport import LONGEST_PAUSE, retry_after
from satsuma.platforms.server import Client, HttpTransport
from satsuma_server.app import create_app
from satsuma_server.http.serving import make_server
from satsuma_server.settings import Settings
from satsuma_server.testing import Collector, running, serving

CALLS = 6


def make_calls(client: Client) -> None:
    client.identify("u1", {"plan": "pips"})
    client.track("u1", "Order Completed", {"fruit": "Žlutá 🍊", "list": [1, {"deep": [[]]}]}, message_id="mine")
    client.page("u1", "Docs", "Home", {"path": "/"}, context={"ip": "203.0.113.9"})
    client.screen("u1", None, "Basket", integrations={"All": False})
    client.group("u1", "g1", {"employees": 4})
    client.alias("u1", "u2")


@pytest.mark.parametrize("gzip", [False, True])
def test_what_is_posted_is_what_is_kept(watched: Collector, faults: Faults, gzip: bool) -> None:
    with Client("demo", watched.url, gzip=gzip) as client:
        make_calls(client)
    check_kept(watched.events(), faults, CALLS)
    assert [event["type"] for event in watched.events()] == ["identify", "track", "page", "screen", "group", "alias"]
    [post] = faults.posted
    assert post.headers.get("content-encoding") == ("gzip" if gzip else None)


def test_through_errors_and_lost_answers_everything_is_kept_once(watched: Collector, faults: Faults) -> None:
    faults.answer_next(500, retry_after="0")
    faults.answer_next(429, retry_after="0")
    faults.answer_next(502, lost=True, retry_after="0")
    with Client("demo", watched.url) as client:
        make_calls(client)
        assert client.flush()
        assert client.delivery.retried == 3 * CALLS
    check_kept(watched.events(), faults, CALLS)


def test_a_refused_source_is_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    with (
        running(tmp_path, write_keys=["known"]) as collector,
        Client("unknown", collector.url, on_error=lambda error, events: told.append(str(error))) as client,
    ):
        client.track("u1", "E")
        assert client.flush()
    assert told == ["refused 401: the collector answered 401"]


def test_a_collector_that_is_not_up_yet_gets_everything_once_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))  # Taken, but nobody listens.
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Client("demo", url, batch_wait=0.01) as client, caplog.at_level(logging.WARNING, "satsuma"):
            make_calls(client)
            while not caplog.records:
                time.sleep(0.01)
            assert "ConnectionRefusedError" in caplog.records[0].message
            server = make_server(create_app(Settings(tmp_path, token="t", accept_any_key=True)))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            assert client.flush(30)
        assert len(Collector(url, "t").events()) == CALLS
        server.should_exit = True
        thread.join()


def test_a_slow_answer_is_given_up_and_the_events_are_kept_once(tmp_path: Path) -> None:
    app = create_app(Settings(tmp_path, token="t", accept_any_key=True))
    clients: list[Any] = []
    again = asyncio.Event()

    async def slow_once(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            clients.append(scope["client"])
            if len(clients) > 1:
                again.set()
            else:

                async def late(message: Any) -> None:
                    await again.wait()
                    await send(message)

                await app(scope, receive, late)
                return
        await app(scope, receive, send)

    with serving(slow_once) as url, Client("demo", url, timeout=2) as client:
        make_calls(client)
        assert client.flush(60)
        client.track("u1", "Afterwards")
        assert client.flush()
        assert len(Collector(url, "t").events()) == CALLS + 1
    first, *others = clients
    assert len(set(others)) == 1, "the connection is kept open"
    assert first not in others


@contextmanager
def closes_after_each_answer() -> Iterator[tuple[str, list[bytes]]]:
    """A server that promises to keep connections open, and doesn't; give its URL and what it was sent."""
    requests: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", requests
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_connection_that_turns_out_to_be_closed_is_opened_anew() -> None:
    with closes_after_each_answer() as (url, requests):
        transport = HttpTransport(url, "demo")
        assert [transport.post("b", b"{}", {}).status for _ in range(3)] == [200] * 3
        transport.close()
    assert len(requests) == 3
    assert all(b"Authorization: Basic ZGVtbzo=" in request for request in requests)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with closes_after_each_answer() as (url, requests):
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("http_proxy", url.replace("http://", "http://me:secret@").removesuffix("/v1"))
        assert HttpTransport("http://collector.test/v1", "demo").post("b", b"{}", {}).status == 200
    assert requests[0].startswith(b"POST http://collector.test:80/v1/b ")
    assert b"Proxy-Authorization: Basic " in requests[0]


@pytest.mark.parametrize(
    ("header", "milliseconds"),
    [
        (None, None),
        ("7", 7000),
        ("soon", None),
        ("-1", None),
        ("99999999999999999999", LONGEST_PAUSE),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90_000),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0),
    ],
)
def test_retry_after_is_read_and_bounded(header: str | None, milliseconds: float | None) -> None:
    assert retry_after(header, now=10) == milliseconds


PROLOGUE = """
import atexit, os, sys, threading
from satsuma.platforms.server import Client
client = Client("demo", sys.argv[1], batch_wait=float(sys.argv[2]))
"""

AT_THE_END = """
atexit.register(lambda: client.track("u1", "At The End"))
"""

PRELOADED = """
client.track("master", "Preloaded")
for name in ("first", "second"):
    if os.fork() == 0:
        for number in range(50):
            client.track(name, "Worked", {"n": number})
        sys.exit()
for _ in range(2):
    assert os.wait()[1] == 0
client.track("master", "Done")
"""

FORKED_IN_FULL_SWING = """
def work():
    for number in range(300):
        client.track("parent", "Worked", {"n": number})
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for child in range(5):
    if os.fork() == 0:
        client.track(f"child{child}", "Worked")
        assert client.flush(10)
        os._exit(0)
for thread in threads: thread.join()
for _ in range(5):
    assert os.wait()[1] == 0
"""


@pytest.mark.parametrize(
    ("code", "wait", "counts"),
    [
        ('client.track("u1", "E")', 60, {"u1": 1}),
        (AT_THE_END, 60, {"u1": 1}),
        (PRELOADED, 60, {"master": 2, "first": 50, "second": 50}),
        (FORKED_IN_FULL_SWING, 0, {"parent": 1200, **{f"child{number}": 1 for number in range(5)}}),
    ],
    ids=["exit", "at-exit", "preloaded", "forked"],
)
def test_nothing_is_lost_or_sent_twice_over_the_end_of_a_process_or_a_fork(
    watched: Collector, faults: Faults, code: str, wait: float, counts: dict[str, int]
) -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROLOGUE + code, watched.url, str(wait)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    posted = [event for post in faults.posted for event in post.events]
    assert {name: sum(event["userId"] == name for event in posted) for name in counts} == counts
    assert len({event["messageId"] for event in posted}) == len(posted) == sum(counts.values())


TERMINATED = """
import signal, sys, threading
from satsuma.platforms.server import Client
def stop(*_):
    print("asked to stop", flush=True)
    raise SystemExit(7)
if sys.argv[2] == "a handler":
    signal.signal(signal.SIGTERM, stop)
client = Client("demo", sys.argv[1], batch_wait=60, flush_on_sigterm=True)
client.track("u1", "E")
print("ready", flush=True)
while True:
    client.track("u2", "Busy")
    threading.Event().wait(0.001)
"""


@pytest.mark.parametrize(
    ("handler", "status", "says"),
    [("none", -signal.SIGTERM, ""), ("a handler", 7, "asked to stop\n")],
)
def test_sigterm_ends_a_process_as_before_and_loses_nothing(
    watched: Collector, faults: Faults, handler: str, status: int, says: str
) -> None:
    command = [sys.executable, "-c", TERMINATED, watched.url, handler]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        told, complaints = process.communicate(timeout=60)
    assert (process.returncode, told, complaints) == (status, says, "")
    assert "u1" in {event["userId"] for post in faults.posted for event in post.events}
