"""Durable events a second of the log on NATS, beside a bare publisher of nats-py, in the same round.

Both run in this process, without HTTP, against the same servers on loopback, each of which syncs before it
acknowledges. The bare publisher sends the same events in atomic batches of a hundred, or one by one. It recognizes no
repetition. The aim is 0.6 of what it does. ``--http`` measures whole collectors instead; see `scale_http`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import nats
from rich.console import Console
from satsuma_server.log import Arrivals
from satsuma_server.log.jetstream.log import NatsLog
from satsuma_server.log.jetstream.options import NatsSettings
from satsuma_server.log.jetstream.subjects import LANES

from . import scale_http
from .report import spread, table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

UNDER_WAY = 100
BLOCK = 50
A_BATCH = 100
"""Messages in an atomic batch of the bare publisher."""

BODY = json.dumps({"type": "track", "event": "Paid", "properties": {"text": "x" * 1_400}}).encode()
BARE = "nats-py"

Send = Callable[[], Awaitable[int]]
"""Has something stored, and returns how many events it was."""


async def measure(send: Send, tasks: int, seconds: float) -> tuple[float, float]:
    """Return events a second, and microseconds of this process for each, of so many tasks that send all the time."""
    until = time.perf_counter() + seconds
    count = 0

    async def work() -> None:
        nonlocal count
        while time.perf_counter() < until:
            stored = await send()  # Not in one statement: it would read `count` before it waits.
            count += stored

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(tasks)))
    return count / (time.perf_counter() - began), (time.process_time() - worked) / count * 1e6


def append(log: NatsLog, size: int) -> Send:
    """Return a sender of requests with so many events, of eight sources in turn."""
    numbers = itertools.count()

    async def send() -> int:
        number = next(numbers)
        ids = [f"{size}.{number}.{index}" for index in range(size)]
        return await log.append(Arrivals(f"source-{number % LANES}", time.time() * 1000, ids, [BODY] * size))

    return send


def publish(client: nats.NATS, size: int) -> Send:
    """Return a sender of one atomic batch, or of single messages where the size is 1."""
    numbers = itertools.count()

    async def send() -> int:
        subject = f"bare.{next(numbers) % LANES}"
        if size == 1:
            answer = await client.request(subject, BODY, timeout=10)
        else:
            headers = {"Nats-Batch-Id": secrets.token_hex(8)}
            for number in range(1, size):
                await client.publish(subject, BODY, headers={**headers, "Nats-Batch-Sequence": str(number)})
            last = {**headers, "Nats-Batch-Sequence": str(size), "Nats-Batch-Commit": "1"}
            answer = await client.request(subject, BODY, timeout=10, headers=last)
        if "error" in (told := json.loads(answer.data)):
            raise RuntimeError(told["error"])
        return size

    return send


async def run(nodes: int, rounds: int, seconds: float) -> None:
    from nats_servers import nats_servers

    with TemporaryDirectory() as folder, nats_servers(Path(folder), nodes, most="20GB") as servers:
        await servers.ready()
        log = NatsLog(servers.url, NatsSettings(replicas=nodes))
        client = await nats.connect(servers.url.removeprefix("nats://").split(","))
        bare = {"name": "bare", "subjects": ["bare.*"], "num_replicas": nodes, "storage": "file", "allow_atomic": True}
        await client.request("$JS.API.STREAM.CREATE.bare", json.dumps({**bare, "retention": "limits"}).encode())
        await log.ready()
        for title, contenders in (
            ("single events", {BARE: (publish(client, 1), UNDER_WAY), "our log": (append(log, 1), UNDER_WAY)}),
            (
                f"requests of {BLOCK}",
                {BARE: (publish(client, A_BATCH), LANES), "our log": (append(log, BLOCK), UNDER_WAY)},
            ),
        ):
            speeds, costs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
            for _ in range(rounds):
                for name, (send, tasks) in contenders.items():
                    speed, cost = await measure(send, tasks, seconds)
                    speeds[name].append(speed)
                    costs[name].append(cost)
            table(f"{title}, {nodes} servers", "events/s", BARE, speeds)
            for name, values in costs.items():
                Console().print(f"{name}: {spread(values)} µs of this process for each event")
        await log.close()
        await client.close()


def main(arguments: list[str]) -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(prog="./dev bench scale", description=__doc__)
    options.add_argument("--nodes", type=int, default=3, help="servers: 1 or 3")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--http", action="store_true", help="through HTTP, with one and two collectors")
    options.add_argument(
        "--workers", type=int, default=2, help="processes of a collector that has several, with --http"
    )
    chosen = options.parse_args(arguments)
    if chosen.http:
        scale_http.run(chosen.nodes, chosen.rounds, round(chosen.seconds), chosen.workers)
        return
    asyncio.run(run(chosen.nodes, chosen.rounds, chosen.seconds))
