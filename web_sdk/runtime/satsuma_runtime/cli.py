"""The command ``satsuma-runtime``."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

from . import called
from .build import UNSPLIT, build
from .console import build_console
from .errors import BuildError
from .sources import Sources

CHECKOUT = Path(__file__).resolve().parents[3]


def main() -> None:
    """Build the runtime; say what is done, and nothing where there is nothing to do."""
    parser = argparse.ArgumentParser(prog="satsuma-runtime", description="Build the files that boot satsuma in a page.")
    parser.add_argument("command", choices=["build", "record"])
    parser.add_argument("tests", nargs="*", help="record: the command that has pages call what they call")
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    parser.add_argument("--target", type=Path, default=None, help="folder to write (default: the server's assets)")
    parser.add_argument("--cache", type=Path, default=CHECKOUT / ".cache" / "runtime", help="folder for what is kept")
    given = parser.parse_args()
    try:
        if given.command == "record":
            return _record(_server() / "assets" / "runtime", given.cache, given.tests)
        build(given.target or _server() / "assets" / "runtime", given.cache, _say, force=given.force)
        if given.target is None:
            server = _server()
            build_console(server.parent / "libraries", server / "console" / "libraries", given.cache, _say)
    except BuildError as error:
        print(f"satsuma-runtime: {error}", file=sys.stderr)
        sys.exit(1)


def _record(target: Path, cache: Path, command: list[str]) -> None:
    """Build an interpreter that tells what it calls, run a command that opens pages, and write down what was told."""
    listener = called.Listener()
    build(target, cache, _say, force=True, record=listener.url)
    runtime = Sources.of_checkout().runtime
    module = (target / UNSPLIT).read_bytes()
    _say(f"running {' '.join(command)}")
    subprocess.run(command, check=False)
    listener.write(module, runtime, set(called.known(module, runtime)))
    _say(f"{len(listener.called)} functions are called: build again")


def _server() -> Path:
    # Found, not imported: the build needs nothing of the server but the place of its files.
    found = importlib.util.find_spec("satsuma_server")
    if found is None or found.origin is None:
        raise BuildError("satsuma-server is not installed: give --target")
    return Path(found.origin).parent


def _say(line: str) -> None:
    print(f"runtime: {line}", file=sys.stderr, flush=True)
