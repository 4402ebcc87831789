"""The screen Health: which best practices of identifying users the site breaks, and how its score changed."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.audit import Example
from satsuma_server.audit.output.terminal import percent
from satsuma_server.audit.output.trend import Curve
from satsuma_server.console.forwarded_headers import PREFIX
from satsuma_server.console.presenters.score_line import ScoreLine
from satsuma_server.health import Health, Score

from .page import Pages

SCORES = 720
"""How many scores the line is drawn from: those of a month, where there is one each hour."""


class HealthScreen:
    """Shows the newest report of the audit."""

    def __init__(self, pages: Pages, health: Health, is_per_source: bool) -> None:
        self._pages = pages
        self._health = health
        self._is_per_source = is_per_source
        pages.know(percent=percent, curve=Curve.of)

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [
            Route(f"{PREFIX}/health", self._show),
            Route(f"{PREFIX}/health/audit", self._audit, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        health = self._health
        if health.is_running and "hx-request" in request.headers:
            return Response(status_code=204)  # The page asks again, and what somebody has opened in it stays open.
        if health.report is None and health.newer_events and not health.problem:
            # Whoever looks for the first time need not wait for the hour.
            health.ask()
        scores: Sequence[Score] = health.scores(SCORES)
        return self._pages.show(
            request,
            "health.html",
            health=health,
            report=health.report,
            line=ScoreLine.of(scores) if len(scores) > 1 else None,
            first=scores[0] if scores else None,
            space_of=self._space,
        )

    async def _audit(self, request: Request) -> Response:
        await self._pages.form(request)
        self._health.ask()
        return self._pages.go(request, "health")

    def _space(self, example: Example) -> str:
        return example.source if self._is_per_source else ""
