"""The clients on a server and on a device, beside Segment's own for Python: what a call costs its caller, and how fast
events arrive.

All send the same events, with the same batches of 100, to the same collector in a process of its own. A call's cost is
the median of calls made with the sending going on, as in an app; `AT_MOST` microseconds are allowed. Events a second
are those of a flood, until the collector has acknowledged all.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import httpx
from rich.progress import track
from satsuma.platforms import device
from satsuma.platforms.server import Client
from satsuma_server.testing import started
from segment.analytics import Client as SegmentClient

from .collector import EVENT
from .report import table

OURS, DEVICE, SEGMENTS = "satsuma on a server", "satsuma on a device", "segment-analytics-python"
QUEUE = 1_000_000
AT_MOST = 30
"""Microseconds that a call may take, in the median."""

FLOOD = 2_000
"""Calls of a flood at a time."""

Track = Callable[..., Any]


def ours(url: str) -> tuple[Track, Callable[[], Any], Callable[[], Any]]:
    """Return what tracks, what flushes and what ends."""
    client = Client(OURS, url, max_queue=QUEUE, max_queue_bytes=2**30, on_error=_fail)
    return client.track, lambda: client.flush(120), client.close


def segments(url: str) -> tuple[Track, Callable[[], Any], Callable[[], Any]]:
    """The same of the peer."""
    client = SegmentClient(SEGMENTS, host=url, max_queue_size=QUEUE, upload_size=100, on_error=_fail)
    return client.track, client.flush, client.shutdown


def on_device(url: str) -> tuple[Track, Callable[[], Any], Callable[[], Any]]:
    """The same of the client on a device, with its file and its queue on disk."""
    folder = TemporaryDirectory()
    app = device.App("bench")
    given = {"max_queue": QUEUE, "max_queue_bytes": 2**30, "batch_wait": 0.5, "lifecycle": False}
    client = device.Client(DEVICE, url, app=app, folder=folder.name, on_error=_fail, **given)

    def track_call(user_id: str, event: str, properties: dict[str, Any], context: dict[str, Any]) -> None:
        client.track(event, properties, context=context)

    def end() -> None:
        client.close(60)
        folder.cleanup()

    return track_call, lambda: client.flush(120), end


def _fail(error: Exception, events: list[Any]) -> None:
    raise SystemExit(f"{len(events)} events were lost: {error}")


def measure(make: Callable[[str], Any], url: str, calls: int, pace: float) -> tuple[float, float]:
    """Return the median of microseconds a call, made at `pace` calls a second, and events a second of a flood."""
    track_call, flush, end = make(url)
    spent = []
    started_at = time.perf_counter()
    for number in range(int(pace)):
        before = time.perf_counter()
        _call(track_call)
        spent.append(time.perf_counter() - before)
        time.sleep(max(0.0, started_at + number / pace - time.perf_counter()))
    flush()
    before = time.perf_counter()
    for number in range(calls):
        _call(track_call)
        if number % FLOOD == FLOOD - 1:
            flush()  # As many as a device lets wait.
    flush()
    rate = calls / (time.perf_counter() - before)
    end()
    return statistics.median(spent) * 1e6, rate


def _call(track_call: Track) -> None:
    # A context of one's own for each call, as apps give it: the peer writes into it.
    track_call("97980cfea0067", EVENT["event"], EVENT["properties"], context=dict(EVENT["context"]))


def main(arguments: list[str]) -> None:
    """Alternate the contenders and print what they did."""
    parser = argparse.ArgumentParser(prog="./dev bench client")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--pace", type=int, default=500, help="calls a second while a call's cost is measured")
    options = parser.parse_args(arguments)
    logging.getLogger("segment").setLevel(logging.ERROR)
    contenders = {SEGMENTS: segments, OURS: ours, DEVICE: on_device}
    costs: dict[str, list[float]] = {name: [] for name in contenders}
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    with (
        TemporaryDirectory() as folder,
        mock.patch.dict("os.environ", NO_PROXY="127.0.0.1"),
        started(Path(folder), "serve", "--accept-any-key", "--token", "bench") as told,
    ):
        for _ in track(range(options.rounds), "client"):
            for name, make in contenders.items():
                cost, rate = measure(make, told["url"], options.calls, options.pace)
                costs[name].append(cost)
                rates[name].append(rate)
        expected = len(contenders) * options.rounds * (options.calls + options.pace)
        check(told["url"], expected)
    table(f"A call of track(), {options.rounds} rounds of {options.pace}", "µs", SEGMENTS, costs, 1)
    table(f"Events until all are acknowledged, {options.rounds} rounds of {options.calls}", "1/s", SEGMENTS, rates)
    for name in (OURS, DEVICE):
        median = statistics.median(costs[name])
        print(f"{name}: {median:.0f} µs a call, {'within' if median <= AT_MOST else 'MORE THAN'} {AT_MOST}")


def check(url: str, expected: int) -> None:
    """Make sure that everything arrived, and once."""
    newest = httpx.get(f"{url}/v1/events?last=1", headers={"Authorization": "Bearer bench"}, trust_env=False).json()
    if newest["seq"] != expected:
        raise SystemExit(f"the collector has {newest['seq']} events, not {expected}")
