"""The screen Plan: violations of the tracking plan."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX
from satsuma_server.console.presenters.lint import Advice, Level

from .page import Pages

FILE = "violations.json"
"""The file in which the collector counts violations. ``GET /v1/violations`` answers the same content."""

MOST = 500


class Plan:
    """Shows violations of the tracking plan."""

    def __init__(self, pages: Pages, data: Path) -> None:
        self._pages = pages
        self._file = data / FILE

    def routes(self) -> list[Route]:
        """Return its route."""
        return [Route(f"{PREFIX}/plan", self._show)]

    async def _show(self, request: Request) -> Response:
        counts = await asyncio.to_thread(self._read)
        counts.sort(key=lambda one: (one["type"], one["event"], -one["count"]))
        groups = [
            (kind, event, list(found))
            for (kind, event), found in groupby(counts[:MOST], key=lambda one: (one["type"], one["event"]))
        ]
        groups.sort(key=lambda group: -sum(one["count"] for one in group[2]))
        return self._pages.show(request, "plan.html", groups=groups, cut=len(counts) > MOST)

    def _read(self) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return []
        return found


def violations_of(event: Mapping[str, Any]) -> list[Advice]:
    """Return the violations that an event is marked with, in ``context.protocols.violations``."""
    context = event.get("context")
    protocols = context.get("protocols") if isinstance(context, Mapping) else None
    found = protocols.get("violations") if isinstance(protocols, Mapping) else None
    if not isinstance(found, list):
        return []
    return [
        Advice(Level.WRONG, "Not as planned", f"{one.get('path', '')} {one.get('reason', '')}".strip()[:500])
        for one in found[:20]
        if isinstance(one, Mapping)
    ]
