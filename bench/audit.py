"""An audit of a large archive, beside plain DuckDB that reads the same file into a table."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from .report import spread, table

AUDIT, PLAIN = "satsuma audit", "plain DuckDB"

CHILD = """
import resource, sys, time
how, file = sys.argv[1:]
began = time.perf_counter()
if how == "satsuma audit":
    from satsuma_server.audit import History, run_audit
    with History() as history:
        with open(file, "rb") as stream:
            history.read(stream)
        events = run_audit(history).input.events
else:
    import duckdb, tempfile
    with tempfile.TemporaryDirectory() as folder:
        config = {"memory_limit": "400MB", "threads": "2", "temp_directory": folder}
        connection = duckdb.connect(folder + "/plain.duckdb", config=config)
        connection.execute("SET enable_progress_bar = false")
        connection.execute("CREATE TABLE events AS SELECT * FROM read_json_auto(?)", [file])
        events = connection.execute("SELECT count(*) FROM events").fetchone()[0]
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, events)
"""

PEOPLE = 1_900
"""Of the shop whose history is written several times, each time with other ids: it has 50,000 events."""


def main(arguments: list[str]) -> None:
    """Measure both, in turn."""
    parser = argparse.ArgumentParser(prog="./dev bench audit", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    seconds: dict[str, list[float]] = {PLAIN: [], AUDIT: []}
    memory: dict[str, list[float]] = {PLAIN: [], AUDIT: []}
    with TemporaryDirectory(prefix="satsuma-bench-") as folder:
        file = Path(folder) / "archive.json"
        count = write_archive(file, given.events)
        size = file.stat().st_size / 1e6
        for _ in range(given.rounds):
            for how in seconds:
                took, peak, events = measure(how, file)
                assert events >= 0.99 * count
                seconds[how].append(took)
                memory[how].append(peak)
    Console().print(f"{count:,} events, {size:,.0f} MB")
    table("from the file to the report, or to a table", "s", PLAIN, seconds, digits=1)
    for how, peaks in memory.items():
        Console().print(f"memory of {how}: {spread(peaks)} MB")


def measure(how: str, file: Path) -> tuple[float, float, int]:
    """Return seconds, the peak of memory in MB, and events, of one contender in a process of its own."""
    done = subprocess.run([sys.executable, "-c", CHILD, how, str(file)], capture_output=True, text=True, check=True)
    took, peak, events = done.stdout.split()
    return float(took), float(peak), int(events)


def write_archive(file: Path, events: int) -> int:
    """Write at least so many events, and return how many they are."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from audit.worlds import World

    lines = [*World(1, PEOPLE).lines()]
    text = b"\n".join(lines) + b"\n"
    copies = -(-events // len(lines))
    with file.open("wb") as stream:
        for copy in range(copies):
            made = text
            for name in (b"anonymousId", b"userId", b"messageId", b"email"):
                made = made.replace(b'"%s":"' % name, b'"%s":"%02x' % (name, copy))
            stream.write(made)
    return copies * len(lines)
