"""The clients of a process that are not closed: its end closes them, and a fork starts them anew in the child."""

from __future__ import annotations

import atexit
import os
import threading
from typing import Protocol


class OpenClient(Protocol):
    """A client that has a thread and a queue."""

    def close(self) -> bool: ...

    def _forked(self) -> None:
        """Start anew: this is a forked process, which has none of the threads."""
        ...


class OpenClients:
    """The open clients of one kind."""

    def __init__(self) -> None:
        self._clients: set[OpenClient] = set()
        self._lock = threading.Lock()
        atexit.register(self.close_all)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._lock.acquire, after_in_parent=self._lock.release, after_in_child=self._start_anew
            )

    def add(self, client: OpenClient) -> None:
        """Close this client at the end of the process."""
        with self._lock:
            self._clients.add(client)

    def discard(self, client: OpenClient) -> None:
        """Forget a client that was closed."""
        with self._lock:
            self._clients.discard(client)

    def all(self) -> list[OpenClient]:
        """Return the open clients."""
        with self._lock:
            return list(self._clients)

    def close_all(self) -> None:
        """Close every client."""
        for client in self.all():
            client.close()

    def _start_anew(self) -> None:
        self._lock.release()
        for client in list(self._clients):
            client._forked()
