"""Requests as bytes: a client would make a path normal, add headers or refuse, before anything of ours is asked."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def connect(url: str) -> socket.socket:
    """Return a connection to a server of this machine."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=SECONDS)


def ask(
    url: str, path: bytes | str, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    """Send one request whose path is exactly `path`, on a connection of its own, and return the answer."""
    with connect(url) as connection:
        connection.sendall(request(path, method, body, headers))
        return answer_of(connection)


def request(path: bytes | str, method: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """Return a whole request. Its connection is closed after it, unless `headers` say otherwise."""
    path = path.encode("latin-1") if isinstance(path, str) else path
    sent = {"Host": "collector.test", "Connection": "close", **({"Content-Length": str(len(body))} if body else {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**sent, **(headers or {})}.items())
    return method.encode() + b" " + path + b" HTTP/1.1\r\n" + lines.encode("latin-1") + b"\r\n" + body


def answer_of(connection: socket.socket) -> Answer:
    """Read until the server closes. Raises `ConnectionError` where it does so without an answer."""
    read = b""
    try:
        while piece := connection.recv(65536):
            read += piece
    except ConnectionError:
        pass  # It answered, and closed before all of the request had come.
    if not read:
        raise ConnectionError("closed without an answer")
    head, _, body = read.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)
