"""What the tester's panel asks the shop's server: the collector's events, without showing anybody the token."""

from __future__ import annotations

import json

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MAX_EVENTS = 500


class Qa:
    """Answers the panel."""

    def __init__(self, collector_url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.AsyncClient(base_url=collector_url, headers=headers, timeout=5, trust_env=False)

    def routes(self) -> list[Route]:
        """Return the panel's routes."""
        return [Route("/qa/events", self._events)]

    async def _events(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdigit():
            return JSONResponse({"error": "after is not a number"}, 400)
        try:
            answer = await self.client.get("/v1/events", params={"after": after[:18], "limit": MAX_EVENTS})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            return JSONResponse({"error": f"the collector can't be asked: {type(error).__name__}"}, 502)
        events = [json.loads(line) for line in answer.text.splitlines()]
        return JSONResponse({"events": events}, headers={"Cache-Control": "no-store"})
