"""A SOCKS server by which all names lead to this machine. WebKitGTK can be told of a proxy, and of no names."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

HERE = "127.0.0.1"
NO_PASSWORD, CONNECTED, REFUSED = b"\x05\x00", b"\x05\x00", b"\x05\x05"
ADDRESS = b"\x00\x01" + socket.inet_aton(HERE) + b"\x00\x00"
IPV4, NAME = 1, 3


class _Line(StreamRequestHandler):
    """One connection, whatever host it asks for. Source: RFC 1928."""

    def handle(self) -> None:
        with suppress(OSError, struct.error):
            port = self._asked()
            try:
                there = socket.create_connection((HERE, port))
            except OSError:
                self.connection.sendall(REFUSED + ADDRESS)
                return
            with there:
                self.connection.sendall(CONNECTED + ADDRESS)
                back = Thread(target=_carry, args=(there, self.connection), daemon=True)
                back.start()
                _carry(self.connection, there)
                back.join()

    def _asked(self) -> int:
        """Return the port that is asked for."""
        _, methods = self._read(2)
        self._read(methods)
        self.connection.sendall(NO_PASSWORD)
        *_, kind = self._read(4)
        self._read(4 if kind == IPV4 else self._read(1)[0] if kind == NAME else 16)
        port: int = struct.unpack("!H", self._read(2))[0]
        return port

    def _read(self, size: int) -> bytes:
        # Unbuffered: what comes after the greeting is read from the socket itself.
        received: bytes = self.connection.recv(size, socket.MSG_WAITALL)
        return received


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(1 << 16):
            target.sendall(chunk)
    for end, how in ((source, socket.SHUT_RD), (target, socket.SHUT_WR)):
        with suppress(OSError):
            end.shutdown(how)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def names_lead_here() -> Iterator[str]:
    """Start the server, and return its URL."""
    with _Server((HERE, 0), _Line) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"socks5://{HERE}:{server.server_address[1]}"
        server.shutdown()
