"""``./dev bench WHAT``."""

from __future__ import annotations

import importlib
import sys

BENCHES = {
    "collector": "durable events a second, beside a Starlette hello-world on the same server",
    "acceptors": "a collector with several processes that take requests, beside one with a single process",
    "stalls": "how long one source's visitors wait while another source does its worst",
    "client": "the clients on a server and a device, beside Segment's own for Python: a call's cost, events a second",
    "profiles": "what an event costs the profiles as they grow, and whether scipy agrees with them",
    "scale": "the log on NATS, beside a bare publisher of nats-py on the same servers",
    "warehouse": "the log into the warehouse, beside dlt with the same tables",
    "audit": "an audit of a million events, beside plain DuckDB reading the same file",
    "boot": "a page's way to its first event and what it costs, beside plain Pyodide and analytics-next",
    "engines": "the way to the first event in Firefox, WebKit and Chromium, beside analytics-next in the same engine",
    "worker": "Python in a worker beside Python in the page: what is left on the page's thread",
}


def main() -> None:
    """Run the benchmark that is named, or list them."""
    chosen = sys.argv[1:2]
    if not chosen or chosen[0] not in BENCHES:
        print("usage: ./dev bench WHAT [OPTIONS]\n")
        print(*(f"  {name:<12} {what}" for name, what in BENCHES.items()), sep="\n")
        sys.exit(0 if not chosen else 2)
    importlib.import_module(f"bench.{chosen[0]}").main(sys.argv[2:])


main()
