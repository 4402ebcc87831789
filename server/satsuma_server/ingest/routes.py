"""The tracking API: ``POST /v1/track`` and its kin."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass, field
from typing import Any

from satsuma.checks import EVENT_TYPES, check_event
from satsuma.errors import EventError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from satsuma_server.errors import BadRequestError, CollectorError, UnauthorizedError
from satsuma_server.log import Entry, EventLog, Refused
from satsuma_server.metrics import Metrics
from satsuma_server.settings import Settings

from . import decode
from .body import read_body
from .stamp import Arrival, stamp

NO_SOURCE = "default"
"""Source of events without a write key, where any key is accepted."""


@dataclass(slots=True)
class _Sorted:
    entries: list[Entry] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)


class Ingest:
    """Takes events in."""

    def __init__(self, settings: Settings, log: EventLog, metrics: Metrics) -> None:
        self._settings = settings
        self._log = log
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Return the routes below ``/v1``."""
        names = [*EVENT_TYPES, *decode.BATCHES, *decode.SHORT_FORMS]
        routes = [
            Route(f"/{name}", self._endpoint(decode.SHORT_FORMS.get(name, name)), methods=["POST"]) for name in names
        ]
        return [*routes, *(Route(f"/{name}", self._count_metrics, methods=["POST"]) for name in ("m", "metrics"))]

    def _endpoint(self, kind: str) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                return await self._take(request, kind)
            except CollectorError as error:
                self._metrics.answers.labels(status=error.status).inc()
                return error_response(error)

        return endpoint

    async def _take(self, request: Request, kind: str) -> Response:
        body = await read_body(request)
        decoded = decode.decode(body, kind)
        source = self._source(basic_user(request) or request.headers.get("x-write-key") or decoded.write_key)
        found = self._sort(decoded, source, self._arrival(request, decoded, kind))
        if not found.entries and found.faults:
            await self._log.append((), found.refused)
            self._metrics.refused.inc(len(found.faults))
            first = found.faults[0]
            raise BadRequestError(first["reason"], path=first["path"], index=first["index"])
        new = await self._log.append(found.entries, found.refused)
        self._metrics.count(accepted=new, duplicates=len(found.entries) - new, refused=len(found.faults))
        answer: dict[str, Any] = {"success": True}
        if found.faults:
            answer["refused"] = found.faults
        return JSONResponse(answer)

    def _source(self, write_key: str | None) -> str:
        if not self._settings.accepts(write_key):
            known = "is unknown" if write_key else "is missing: send it as Basic auth user or as writeKey"
            raise UnauthorizedError(f"the write key {known}")
        return write_key or NO_SOURCE

    def _arrival(self, request: Request, decoded: decode.Decoded, kind: str) -> Arrival:
        return Arrival(
            at=time.time() * 1000,
            ip=client_ip(request, trust_proxy=self._settings.trust_proxy),
            user_agent=request.headers.get("user-agent"),
            sent_at=decoded.sent_at,
            context=decoded.context,
            keep_timestamp=kind == "import",
        )

    def _sort(self, decoded: decode.Decoded, source: str, arrival: Arrival) -> _Sorted:
        found = _Sorted()
        for index, (raw, event) in enumerate(decoded.events):
            try:
                if isinstance(event, EventError):
                    raise event
                check_event(event)
                stamped = stamp(event, arrival)
                found.entries.append(Entry(source, stamped["messageId"], decode.encode(stamped), arrival.at))
            except EventError as error:
                found.refused.append(Refused(source, str(error), raw, arrival.at))
                found.faults.append({"index": index, "path": error.path, "reason": error.reason})
        return found

    async def _count_metrics(self, request: Request) -> Response:
        """Take the stock client's own statistics: counted, not kept."""
        try:
            await read_body(request)
        except CollectorError as error:
            return error_response(error)
        self._metrics.client_metrics.inc()
        return JSONResponse({"success": True})


def error_response(error: CollectorError) -> JSONResponse:
    """Return the answer that tells of an error."""
    detail: dict[str, Any] = {"message": str(error)}
    if isinstance(error, BadRequestError):
        detail |= {"path": error.path, "index": error.index}
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return JSONResponse({"success": False, "error": detail}, error.status, headers)


def basic_user(request: Request) -> str | None:
    """Return the user name of Basic auth, None where there is none."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user or None


def client_ip(request: Request, *, trust_proxy: bool) -> str | None:
    """Return the visitor's address: the proxy's word where it is trusted, the connection's otherwise."""
    forwarded = request.headers.get("x-forwarded-for", "") if trust_proxy else ""
    first = forwarded.partition(",")[0].strip()
    return first or (request.client.host if request.client else None)
