"""A device: one browser context, and what its pages send and report."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .libraries import Library, is_up
from .timeline import Kind, Timeline, describe, short

TRACKING = re.compile(r"/v1/\w+$|/api/s/(?:s2s/)?\w+$")
"""Paths of the tracking APIs of Segment and of Jitsu."""


class Device:
    """What the tabs of one visitor share.

    Attributes:
        context: Playwright's browser context, of either API.
        libraries: the libraries that may be on the pages.
        label: the visitor's name in timelines.
        errors: errors that pages wrote to the console or threw.
        under_way: posts to a tracking API that have no answer yet.
        ahead: by how many seconds the pages' clock is ahead.
        blocks_cookies: whether pages may not use cookies.
        under_itp: whether cookies that pages write are limited as Safari limits them.
    """

    def __init__(self, context: Any, libraries: tuple[Library, ...], label: str, timeline: Timeline) -> None:
        self.context = context
        self.libraries = libraries
        self.label = label
        self.timeline = timeline
        self.errors: list[str] = []
        self.under_way: set[Any] = set()
        self.ahead = 0.0
        self.blocks_cookies = False
        self.under_itp = False
        self.is_up = is_up(libraries)
        context.on("weberror", lambda error: self._complain(f"page error: {error.error}"))
        context.on("console", self._hear)
        context.on("request", self._sent)
        context.on("requestfinished", lambda request: self.under_way.discard(request))
        context.on("requestfailed", lambda request: self.under_way.discard(request))

    def note(self, kind: Kind, text: str, detail: Any = None) -> None:
        """Add an entry to the timeline."""
        self.timeline.note(self.label, kind, text, detail)

    def _hear(self, line: Any) -> None:
        if line.type == "error":
            self._complain(f"console: {line.text}")

    def _complain(self, text: str) -> None:
        self.errors.append(text)
        self.note(Kind.ERROR, text)

    def _sent(self, request: Any) -> None:
        if request.method != "POST" or not TRACKING.search(urlsplit(request.url).path):
            return
        self.under_way.add(request)
        path = urlsplit(request.url).path
        for event in events_of(_body(request), path):
            self.note(Kind.SENT, f"{describe(event)} → {path}", event)


def _body(request: Any) -> bytes:
    try:
        return request.post_data_buffer or b""
    except Exception:
        return b""  # Playwright doesn't show the content of a beacon's Blob.


def events_of(body: bytes, path: str) -> Iterator[dict[str, Any]]:
    """Yield the events, or early calls, in a post to a tracking API; none where it can't be read."""
    try:
        content = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    except (ValueError, OSError, EOFError, zlib.error):
        return
    if not isinstance(content, dict):
        return
    for call in content.get("calls") or ():
        if isinstance(call, list) and call:
            yield {"type": str(call[0]), "name": short(call[1:2]), "arguments": call[1:]}
    events = content.get("batch", [] if "calls" in content else [content])
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict):
            yield {"type": path.rpartition("/")[2], **event}
