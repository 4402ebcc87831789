"""From a worker to the analytics of the page that has made it; ``python_workers.js`` is the page's end.

The worker posts a port to its page, so that no other tab can take it for its own. What is said on it is JSON.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from pyodide.ffi import create_proxy, to_js

from satsuma.errors import ArgumentError, BootError

PATIENCE = 10.0
"""Seconds until a page has to answer. Some apps are given the script a moment after their worker."""

PAUSE = 0.5
"""Seconds between two tries to reach the page."""

MOST_WAITING = 1000
"""Calls that may wait for an answer."""

NO_PAGE = (
    "Python runs in a worker here, and its page has no analytics to talk to. "
    "Put two scripts into the page, as high in <head> as possible: "
    '<script src="COLLECTOR/analytics.js/snippet.js?writeKey={key}"></script> and '
    '<script src="COLLECTOR/analytics.js/python-workers.js"></script>. Then call load() again.'
)
OTHER_SOURCE = (
    "The page's {name} is of the source {found!r} and not of {key!r}: load that source, or give the second snippet a "
    "name of its own by the option globalAnalyticsKey, in the page and in load()."
)
FULL = f"{MOST_WAITING} calls wait for an answer of the page already: await some of them"


class PageChannel:
    """The line to one page. It must be made in a worker, while an event loop runs."""

    def __init__(self, scope: Any, write_key: str, name: str) -> None:
        """Begin to look for the page.

        Args:
            scope: the worker's global object, as from ``import js``.
            write_key: the source that the page must have.
            name: the page's global that holds its analytics.
        """
        self._scope = scope
        self._key = write_key
        self._name = name
        self._port: Any = None
        self._failure: BootError | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._unsent: list[str] = []
        self._last = 0
        self._search = asyncio.ensure_future(self._find())

    def ask(self, path: Sequence[str], args: Sequence[Any]) -> asyncio.Future[Any]:
        """Have the page call a method of its analytics; return its answer, which nobody has to wait for.

        Args:
            path: the method's name, as ``["track"]`` or ``["user", "id"]``.
            args: values that JSON can write.

        The answer is one of these errors where there is none: `BootError` where the page has no such analytics, and
        `ArgumentError` where the page refuses the call.
        """
        answer: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
        # Who does not wait for the answer has been told of a missing page once.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self._failure is not None or len(self._waiting) >= MOST_WAITING:
            answer.set_exception(self._failure or ArgumentError(FULL))
            return answer
        self._last += 1
        self._waiting[self._last] = answer
        self._send(json.dumps({"id": self._last, "path": list(path), "args": list(args)}))
        return answer

    def warn(self, text: str) -> None:
        """Write a line into the worker's console."""
        self._scope.console.warn(f"[satsuma] {text}")

    def _send(self, text: str) -> None:
        if self._port is None:
            self._unsent.append(text)
        else:
            self._port.postMessage(text)

    async def _find(self) -> None:
        loop = asyncio.get_event_loop()
        end = loop.time() + PATIENCE
        while self._port is None and self._failure is None:
            if loop.time() >= end:
                self._fail(NO_PAGE.format(key=self._key))
                return
            self._knock()
            await asyncio.sleep(PAUSE)

    def _knock(self) -> None:
        channel = self._scope.MessageChannel.new()
        channel.port1.onmessage = create_proxy(lambda event: self._heard(channel.port1, json.loads(event.data)))
        greeting = to_js({"satsuma": self._name}, dict_converter=self._scope.Object.fromEntries)
        self._scope.postMessage(greeting, to_js([channel.port2]))

    def _heard(self, port: Any, said: dict[str, Any]) -> None:
        if "writeKey" in said:
            self._open(port, said["writeKey"])
            return
        answer = self._waiting.pop(said["id"], None)
        if answer is None or answer.done():
            return
        if "error" in said:
            answer.set_exception(ArgumentError(said["error"]))
        else:
            answer.set_result(said.get("value"))

    def _open(self, port: Any, found: str) -> None:
        if self._port is not None or self._failure is not None:
            return
        if found != self._key:
            self._fail(OTHER_SOURCE.format(name=self._name, found=found, key=self._key))
            return
        self._port = port
        for text in self._unsent:
            port.postMessage(text)
        self._unsent.clear()

    def _fail(self, text: str) -> None:
        self._failure = BootError(text)
        self._unsent.clear()
        self.warn(text)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._failure)
        self._waiting.clear()
