"""The collector on loopback: durable requests beside a Starlette hello-world on the very same server.

Each round loads, in turn, batches of 50, the hello and single events, by wrk; then single events come at half of the
rate that was reached, each at a moment of its own, for the time that an answer takes. Events carry no messageId, so
that each is new. Then come pages of five early calls, of which the collector makes the events. What a request costs the
processor is that of the processes that answer; what is built from the log afterwards is another's.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.progress import track
from satsuma import __version__
from satsuma_server.testing import started

from . import early
from .pace import slowest_percent
from .report import quartiles, spread, table

HELLO, SINGLE, BATCH, EARLY = "hello", "single events", "batches of 50", "pages of five early calls"
BATCH_SIZE = 50
CONNECTIONS = 64
FEW_CONNECTIONS = 4
"""As many pages as may wait for the process that makes early calls, beyond which the collector refuses some."""
HELLO_APP = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from satsuma_server.http.serving import listen, make_server, url_of
async def hello(request):
    return PlainTextResponse("hello")
listener = listen("127.0.0.1", 0)
print(url_of(listener), flush=True)
make_server(Starlette(routes=[Route("/", hello)])).run(sockets=[listener])
"""
EVENT = {
    "type": "track",
    "event": "Product Viewed",
    "anonymousId": "bd077b70-816b-448b-ae79-2f5f7d856513",
    "userId": "97980cfea0067",
    "timestamp": "2020-04-23T22:38:48.550Z",
    "properties": early.PRODUCT,
    "context": {
        "ip": "203.0.113.7",
        "library": {"name": "analytics.js", "version": f"satsuma-{__version__}"},
        "locale": "en-US",
        "timezone": "Europe/Prague",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537",
        "page": {
            "path": "/products/satsuma",
            "referrer": "https://shop.example/",
            "search": "?utm_source=letter",
            "title": "Satsuma, 1 kg",
            "url": "https://shop.example/products/satsuma?utm_source=letter",
        },
    },
    "integrations": {},
}


@contextmanager
def hello() -> Iterator[str]:
    """Run the baseline in a process of its own; give its URL."""
    with subprocess.Popen([sys.executable, "-c", HELLO_APP], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def requests_a_second(url: str, seconds: int, script: Path | None = None, connections: int = CONNECTIONS) -> float:
    """Load a URL with wrk and return what it answered. Any answer but a good one ends the benchmark."""
    chosen = ["-s", str(script)] if script else []
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", *chosen, url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(f"{url} did not answer well:\n{told}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found, told
    return float(found[1])


def wrk_script(folder: Path, name: str, body: Any, more: str = "") -> Path:
    """Write what has wrk post `body`; `more` is Lua."""
    (folder / f"{name}.json").write_text(json.dumps(body))
    script = folder / f"{name}.lua"
    script.write_text(f'wrk.method = "POST"\nwrk.body = [==[{json.dumps(body)}]==]\n{more}')
    return script


class Memory:
    """Watches how much memory a process holds."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self.most = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self.most = max(self.most, self._process.memory_info().rss / 2**20)

    def stop(self) -> float:
        """Return the most, in MiB."""
        self._stop.set()
        self._thread.join()
        return self.most


def main(arguments: list[str]) -> None:
    """Alternate the contenders and print what they did."""
    parser = argparse.ArgumentParser(prog="./dev bench collector")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as name, hello() as hello_url:
        folder = Path(name)
        with started(folder, "serve", "--accept-any-key", "--token", "bench") as told:
            memory = Memory(told["process"].pid)
            rates, slow = measure(folder, hello_url, told["url"], options.rounds, options.seconds)
            costs = processor(folder, told, options.rounds, options.seconds)
            most = memory.stop()
            check(told["url"], rates)
    report(rates, slow, most)
    report_processor(costs)


def processor(folder: Path, told: dict[str, Any], rounds: int, seconds: int) -> dict[str, list[float]]:
    """Return the milliseconds of processor that a request of each kind costs, round by round."""
    url = told["url"]
    kinds = {
        SINGLE: (f"{url}/v1/track", wrk_script(folder, "single", EVENT)),
        EARLY: (f"{url}/v1/early", wrk_script(folder, "early", early.PAGE, early.NUMBERED)),
    }
    costs: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in track(range(rounds), "processor"):
        for name, (address, script) in kinds.items():
            before = early.busy(told["process"].pid)
            rate = requests_a_second(address, seconds, script, FEW_CONNECTIONS)
            costs[name].append((early.busy(told["process"].pid) - before) * 1000 / (rate * seconds))
    return costs


def report_processor(costs: dict[str, list[float]]) -> None:
    """Print what requests cost."""
    table(f"Processor of a request, {len(costs[SINGLE])} rounds", "ms", SINGLE, costs, 2)
    _, median, _ = quartiles(costs[EARLY])
    within = "within" if median <= early.AT_MOST else "MORE THAN"
    Console().print(f"{EARLY}: {median:.2f} ms of processor, {within} {early.AT_MOST}")


def measure(
    folder: Path, hello_url: str, url: str, rounds: int, seconds: int
) -> tuple[dict[str, list[float]], list[float]]:
    """Return requests a second of each contender and the 99th percentiles at half load, round by round."""
    single = wrk_script(folder, "single", EVENT)
    batch = wrk_script(folder, "batch", {"batch": [EVENT] * BATCH_SIZE})
    rates: dict[str, list[float]] = {HELLO: [], SINGLE: [], BATCH: []}
    slow = []
    for _ in track(range(rounds), "collector"):
        # The batches first: the disk has much to do after them, which half a load of single events doesn't cause.
        rates[BATCH].append(requests_a_second(f"{url}/v1/batch", seconds, batch))
        rates[HELLO].append(requests_a_second(f"{hello_url}/", seconds))
        rates[SINGLE].append(requests_a_second(f"{url}/v1/track", seconds, single))
        slow.append(
            slowest_percent(f"{url}/v1/track", folder / "single.json", rates[SINGLE][-1] / 2, seconds, CONNECTIONS)
        )
    return rates, slow


def check(url: str, rates: dict[str, list[float]]) -> None:
    """Make sure that what was acknowledged is there."""
    newest = httpx.get(f"{url}/v1/events?last=1", headers={"Authorization": "Bearer bench"}, trust_env=False)
    if not newest.text or not any(rates[SINGLE]):
        raise SystemExit("the collector has stored nothing")


def report(rates: dict[str, list[float]], slow: list[float], most: float) -> None:
    """Print the tables."""
    console = Console()
    table(f"Requests, {len(slow)} rounds of {CONNECTIONS} connections", "1/s", HELLO, rates)
    events = [rate * BATCH_SIZE for rate in rates[BATCH]]
    scaled = [count / base * 30_000 for count, base in zip(events, rates[HELLO], strict=True)]
    console.print(f"events a second in batches: {spread(events)}; where hello does 30,000 requests: {spread(scaled)}")
    console.print(f"99 % of answers at half load within {spread(slow, 1)} ms; at most {most:,.0f} MiB of memory")
