"""Which of the module's functions pages call, as ``satsuma-runtime record`` noted it while browser tests ran."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from . import split
from .errors import BuildError

FILE = "called.txt"
ADDRESS = 0x370000
"""Where a recording module notes what has run: the far end of its stack, which no test fills."""

RECORDER = """
  const marks = () => new Uint8Array(memory.buffer).slice(%d, %d);
  const tell = () => fetch("%s", { method: "POST", mode: "no-cors", keepalive: true, body: marks() }).catch(() => {});
  setInterval(tell, 300);
  self.addEventListener("pagehide", tell);
"""


def parts(module: bytes, runtime: Path) -> tuple[bytes, bytes]:
    """Return a module's first part, with the functions that pages call, and its second part.

    Raises:
        BuildError: the record is of another module.
    """
    made_of, _, record = (runtime / FILE).read_text().partition("\n")
    if made_of != hashlib.sha256(module).hexdigest():
        raise BuildError(f"{FILE} is a record of another module: make it anew with satsuma-runtime record")
    marks = bytes.fromhex(record)
    return split.split(module, [number for number in range(8 * len(marks)) if marks[number // 8] >> number % 8 & 1])


def recording(module: bytes) -> tuple[bytes, bytes]:
    """Return the same two parts of a module that notes what it calls: the first has everything."""
    return split.split(split.recorded(module, ADDRESS), range(split.functions(module)))


def recorder(module: bytes, url: str) -> str:
    """Return JavaScript that tells a listener what a recording module has noted."""
    return RECORDER % (ADDRESS, ADDRESS + split.functions(module), url)


class Listener:
    """Hears what recording pages have called.

    Attributes:
        called: numbers of functions.
        url: where it listens.
    """

    def __init__(self) -> None:
        self.called: set[int] = set()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.hear(self.rfile.read(int(self.headers["Content-Length"] or 0)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *said: object) -> None:
                """Say nothing of each request."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def hear(self, marks: bytes) -> None:
        """Take what one page has called."""
        self.called.update(number for number, mark in enumerate(marks) if mark == 1)

    def write(self, module: bytes, runtime: Path, more: set[int]) -> None:
        """Write the record, with what an earlier one of the same module had."""
        marks = bytearray(-(-split.functions(module) // 8))
        for number in self.called | more:
            marks[number // 8] |= 1 << number % 8
        lines = [bytes(marks[at : at + 60]).hex() for at in range(0, len(marks), 60)]
        (runtime / FILE).write_text("\n".join([hashlib.sha256(module).hexdigest(), *lines]) + "\n")


def known(module: bytes, runtime: Path) -> Iterator[int]:
    """Yield what the record of this very module has."""
    try:
        made_of, _, record = (runtime / FILE).read_text().partition("\n")
    except FileNotFoundError:
        return
    if made_of == hashlib.sha256(module).hexdigest():
        marks = bytes.fromhex(record)
        yield from (number for number in range(8 * len(marks)) if marks[number // 8] >> number % 8 & 1)
