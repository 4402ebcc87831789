"""How long one source's visitors wait while another source does its worst.

The visitors of one source send single events at an even pace. In turn they are alone, and beside a hostile source that
sends one kind of requests without pause: wide events in gzip, bodies of the largest size, early calls that are slow to
replay, batches of ever new ids, and batches of which nothing is an event. The aim is that no request of anybody waits
longer than 250 ms because of one source.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import string
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table
from satsuma_server.testing import started

from .collector import EVENT
from .pace import answer_times

ALONE = "alone"
AIM_MS = 250
RATE, CONNECTIONS, HOSTILE_CONNECTIONS = 50, 16, 8
BODIES = 6
"""How many bodies of a kind there are. They are sent again and again; without messageIds, each event is a new one."""

LARGEST, LARGEST_BATCH = 1_950_000, 480_000
"""The most bytes of a body that is read, and of a batch that is accepted, or nearly so many."""

COOKIES = ";".join(f"{one}{other}" for one in string.ascii_letters for other in string.digits)[:900]

SENDER = """
import asyncio, sys
from pathlib import Path
from urllib.parse import urlsplit
url, folder, connections = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
requests = [file.read_bytes() for file in sorted(folder.iterdir())]
async def send(number):
    parts = urlsplit(url)
    while True:
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            while True:
                number += 1
                writer.write(requests[number % len(requests)])
                await writer.drain()
                head = await reader.readuntil(b"\\r\\n\\r\\n")
                _, told, length = head.lower().partition(b"content-length:")
                await reader.readexactly(int(length.split(b"\\r\\n", 1)[0]) if told else 0)
        except (OSError, ValueError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.05)
async def main():
    await asyncio.gather(*(send(number) for number in range(connections)))
asyncio.run(main())
"""
"""Sends prepared requests without pause, with as little work of its own as possible: an attacker has a machine of its
own, and this one shares its processors with the collector."""


def request(path: str, body: bytes, *headers: str) -> bytes:
    """Return a request with a body, as it is sent."""
    head = [f"POST {path} HTTP/1.1", "Host: collector", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def batch(events: list[dict[str, Any]]) -> bytes:
    return json.dumps({"writeKey": "hostile", "batch": events}).encode()


def hostile() -> dict[str, list[bytes]]:
    """Return requests of each kind."""
    numbers = count()
    wide = [
        gzip.compress(batch([_track(properties={f"p{next(numbers)}": 1 for _ in range(1_800)}) for _ in range(20)]))
        for _ in range(BODIES)
    ]
    large = batch([_track(properties={"pad": "x" * 15_000})] * (LARGEST_BATCH // 15_100))
    too_large = batch([_track(properties={"pad": "x" * 15_000})] * (LARGEST // 15_200))
    early = {"writeKey": "hostile", "calls": [["reset"]] * 60, "options": {"storage": {"stores": ["cookie"] * 60}}}
    ids = [batch([_track(userId=f"u{next(numbers)}", anonymousId=f"a{next(numbers)}") for _ in range(2_000)])]
    return {
        "wide events in gzip": [request("/v1/batch", one, "Content-Encoding: gzip") for one in wide],
        "batches of 500 kB": [request("/v1/batch", large)],
        "refused bodies of 2 MB": [request("/v1/batch", too_large)],
        "early calls": [request("/v1/early", json.dumps({**early, "cookies": COOKIES}).encode())],
        "ever new ids": [request("/v1/batch", one) for one in ids],
        "no events at all": [request("/v1/batch", b'{"writeKey":"hostile","batch":[%s0]}' % (b"0," * 20_000))],
    }


def _track(**more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "E", "anonymousId": "a", **more}


@contextmanager
def beside(url: str, folder: Path, requests: list[bytes]) -> Iterator[None]:
    """Send hostile requests meanwhile."""
    folder.mkdir()
    for number, one in enumerate(requests):
        (folder / str(number)).write_bytes(one)
    command = [sys.executable, "-c", SENDER, url, str(folder), str(HOSTILE_CONNECTIONS)]
    with subprocess.Popen(command, preexec_fn=lambda: os.nice(10)) as process:
        try:
            yield
        finally:
            process.kill()


def main(arguments: list[str]) -> None:
    """Take turns with all kinds, and print how long answers to the well-behaved source took."""
    parser = argparse.ArgumentParser(prog="./dev bench stalls")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", help="one kind of hostile requests, as the table names it")
    options = parser.parse_args(arguments)
    kinds: dict[str, list[bytes]] = {ALONE: [], **hostile()}
    if options.only:
        kinds = {kind: kinds[kind] for kind in (ALONE, options.only)}
    times: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
    with TemporaryDirectory() as name:
        folder = Path(name)
        single = folder / "single.json"
        single.write_text(json.dumps({**EVENT, "writeKey": "shop"}))
        env = {"SATSUMA_WORKER": "1"}
        with started(folder, "serve", "--accept-any-key", "--token", "bench", env=env) as told:
            url = told["url"]
            for turn in track(range(options.rounds), "stalls"):
                for place, (kind, requests) in enumerate(kinds.items()):
                    if not requests:
                        found = answer_times(f"{url}/v1/track", single, RATE, options.seconds, CONNECTIONS)
                    else:
                        with beside(url, folder / f"{turn}-{place}", requests):
                            found = answer_times(f"{url}/v1/track", single, RATE, options.seconds, CONNECTIONS)
                    times[kind].append(found)
            newest = httpx.get(f"{url}/v1/events?last=1", headers={"Authorization": "Bearer bench"}, trust_env=False)
            if not newest.text:
                raise SystemExit("the collector has stored nothing")
    report(times)


def report(times: dict[str, list[list[float]]]) -> None:
    """Print the median of the rounds, each with its ratio to the same round alone."""
    shown = Table(title=f"Answers to {RATE} single events a second", title_justify="left")
    for name in ("beside", "p50 ms", "ratio", "p99 ms", "ratio", "longest ms", "ratio"):
        shown.add_column(name, justify="left" if name == "beside" else "right")
    for kind, rounds in times.items():
        row = [kind]
        for place in (0.5, 0.99, 1.0):
            here, alone = ([_at(one, place) for one in some] for some in (rounds, times[ALONE]))
            ratios = [value / base for value, base in zip(here, alone, strict=True)]
            row += [f"{statistics.median(here):,.1f}", f"{statistics.median(ratios):,.1f}"]
        shown.add_row(*row)
    Console().print(shown)
    longest = max(max(one) for rounds in times.values() for one in rounds)
    Console().print(f"the longest wait of all: {longest:,.0f} ms; the aim is {AIM_MS} ms")


def _at(times: list[float], place: float) -> float:
    return sorted(times)[round(len(times) * place) - 1]
