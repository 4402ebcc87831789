"""The interface between a client and the network, with one small method, and its implementation over HTTP."""

from __future__ import annotations

import base64
import contextlib
import encodings.idna  # noqa: F401 - see below
import http.client
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from satsuma import __version__
from satsuma.errors import ArgumentError

# Imported here, because the first connection imports it, and a process forked at that moment could never import it.

LONGEST_PAUSE = 300_000
"""The most milliseconds that Retry-After may ask for."""

MOST_ANSWER = 64 * 1024
"""The most bytes that are read of an answer. A connection with a longer answer is not used again."""


_inherited: list[http.client.HTTPConnection] = []
"""Connections that belong to processes that this one was forked from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The collector's answer to a request.

    Attributes:
        status: HTTP status.
        retry_after: milliseconds that it asks to wait; None where it doesn't.
    """

    status: int
    retry_after: float | None = None


class Transport(Protocol):
    """Sends a client's requests to the collector."""

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post below the collector's ``/v1``; return its answer. Any exception means that there was none."""
        ...

    def close(self) -> None:
        """Close the connection. The next post opens another one."""
        ...

    def forked(self) -> None:
        """Stop using the connection, which belongs to the process that this one was forked from."""
        ...


class HttpTransport:
    """Posts over one connection that is kept open. Use it in one thread at a time."""

    def __init__(self, url: str, write_key: str, timeout: float = 10) -> None:
        """Take the collector's ``/v1``.

        Args:
            timeout: seconds to wait for the network at each step.

        Raises:
            ArgumentError: `url` is not an HTTP URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ArgumentError(f"{url!r} is not a collector's address: give one such as https://collector.example")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._secure else 80)
        self._path = parts.path.rstrip("/")
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None
        self._prefix = self._path
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"satsuma-python/{__version__}",
            "Authorization": _basic(write_key),
        }

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post. If the open connection turns out to be closed, try again with a new one."""
        kept_open = self._connection is not None
        try:
            return self._post(path, body, headers)
        except (ConnectionError, http.client.RemoteDisconnected):
            self.close()
            if not kept_open:
                raise
        except BaseException:
            self.close()
            raise
        return self.post(path, body, headers)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def forked(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Never closed or garbage-collected: a thread that doesn't exist in this process may have held its buffer's
            # lock.
            _inherited.append(connection)
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    os.close(connection.sock.detach())

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connection = self._connection or self._connect()
        connection.request("POST", f"{self._prefix}/{path}", body, {**self._headers, **headers})
        response = connection.getresponse()
        response.read(MOST_ANSWER)
        if not response.isclosed():
            self.close()
        return Answer(response.status, retry_after(response.headers.get("Retry-After"), time.time()))

    def _connect(self) -> http.client.HTTPConnection:
        """Return a connection, through the proxy that the environment names, as urllib reads it."""
        proxy = None if proxy_bypass(self._host) else getproxies().get("https" if self._secure else "http")
        if not proxy:
            return self._direct(self._host, self._port)
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        authorization = {"Proxy-Authorization": _basic(parts.username, parts.password)} if parts.username else {}
        through = self._direct(parts.hostname or "", parts.port or 80)
        if self._secure:
            through.set_tunnel(self._host, self._port, authorization)
        else:
            self._prefix = urlunsplit(("http", f"{self._host}:{self._port}", self._path, "", ""))
            self._headers |= authorization
        return through

    def _direct(self, host: str, port: int) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=self._timeout)


def retry_after(header: str | None, now: float) -> float | None:
    """Return the milliseconds of a Retry-After header, which has seconds or a date; None for none.

    Args:
        now: seconds since 1970.
    """
    text = (header or "").strip()
    if text.isdecimal():
        wait = float(text[:12]) * 1000
    else:
        try:
            wait = (parsedate_to_datetime(text).timestamp() - now) * 1000
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait, 0.0), LONGEST_PAUSE)


def _basic(user: str, password: str | None = None) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password or ''}".encode()).decode()
