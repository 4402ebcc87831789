"""The tracking API: ``POST /v1/track`` and its kin."""

from __future__ import annotations

import time
from typing import Any

from satsuma.checks import EVENT_TYPES, MAX_ID_LENGTH, check_event
from satsuma.errors import EventError
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from satsuma_server.errors import BadRequestError, CollectorError, ForbiddenError, UnauthorizedError
from satsuma_server.log import Arrivals, EventLog, Refused
from satsuma_server.metrics import Metrics
from satsuma_server.settings import Settings, Source

from .answers import SUCCESS, Fault, error_response, partly
from .body import Bodies
from .caller import Caller
from .decode import BATCHES, SHORT_FORMS, Decoded, decode, encode
from .stamp import Arrival, stamp

KINDS = {f"/{name}": SHORT_FORMS.get(name, name) for name in (*EVENT_TYPES, *BATCHES, *SHORT_FORMS)}
"""What each path takes."""


class Ingest:
    """Takes events in."""

    def __init__(self, settings: Settings, log: EventLog, metrics: Metrics) -> None:
        self._settings = settings
        self._log = log
        self._metrics = metrics
        self._bodies = Bodies(settings.max_pending_bytes)

    async def post(self, kind: str, scope: Scope, receive: Receive) -> Response:
        """Answer a POST of `kind`: an event type, or one of `BATCHES`."""
        started = time.perf_counter()
        try:
            caller = Caller.of(scope, self._settings)
            body = await self._bodies.read(receive, caller.encoding)
            answer = await self.take(kind, body, caller)
        except CollectorError as error:
            answer = self.fail(error)
        self._metrics.took(kind, time.perf_counter() - started)
        return answer

    async def count(self, receive: Receive) -> Response:
        """Take the stock client's own statistics: counted, not kept."""
        try:
            await self._bodies.read(receive)
        except CollectorError as error:
            return self.fail(error)
        self._metrics.client_metrics.inc()
        return SUCCESS

    async def take(self, kind: str, body: bytes, caller: Caller) -> Response:
        """Keep the events of a body, and answer once they are durable.

        Raises:
            CollectorError: nothing was kept.
        """
        decoded = decode(body, kind)
        source = self._source(caller.write_key or decoded.write_key, caller.origin)
        arrivals, faults = _sort(decoded, source.write_key, _arrival(decoded, caller, kind))
        new = await self._log.append(arrivals)
        kept = len(arrivals.bodies)
        self._metrics.count(accepted=new, duplicates=kept - new, refused=len(faults))
        if not faults:
            return SUCCESS
        if not kept:
            first = faults[0]
            raise BadRequestError(first["reason"], path=first["path"], index=first["index"])
        return partly(faults)

    def fail(self, error: CollectorError) -> Response:
        """Return, and count, the answer to an error."""
        self._metrics.answers.labels(status=error.status).inc()
        return error_response(error)

    def _source(self, write_key: str | None, origin: str | None) -> Source:
        if write_key and len(write_key) > MAX_ID_LENGTH:
            raise UnauthorizedError(f"the write key is longer than {MAX_ID_LENGTH} characters")
        source = self._settings.source(write_key)
        if source is None:
            known = "is unknown" if write_key else "is missing: send it as Basic auth user or as writeKey"
            raise UnauthorizedError(f"the write key {known}")
        if not source.allows(origin):
            raise ForbiddenError(f"pages of {origin} may not write to this source: add it to the source's origins")
        return source


class TrackingRoute(BaseRoute):
    """All paths of the tracking API in one look-up, since they take nearly all requests."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["method"] == "POST":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path in KINDS or path in ("/m", "/metrics"):
                return Match.FULL, {"path_params": {"kind": KINDS.get(path)}}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["path_params"]["kind"]
        answer = await (self._ingest.post(kind, scope, receive) if kind else self._ingest.count(receive))
        await answer(scope, receive, send)


def _arrival(decoded: Decoded, caller: Caller, kind: str) -> Arrival:
    return Arrival(
        at=time.time() * 1000,
        ip=caller.ip,
        user_agent=caller.user_agent,
        sent_at=decoded.sent_at,
        context=decoded.context,
        integrations=decoded.integrations,
        keep_timestamp=kind == "import",
    )


def _sort(decoded: Decoded, source: str, arrival: Arrival) -> tuple[Arrivals, list[Fault]]:
    arrivals = Arrivals(source, arrival.at)
    faults: list[dict[str, Any]] = []
    for index, (raw, event) in enumerate(decoded.events):
        try:
            if isinstance(event, EventError):
                raise event
            check_event(event)
            stamped = stamp(event, arrival)
            arrivals.bodies.append(encode(stamped))
            arrivals.message_ids.append(stamped["messageId"])
        except EventError as error:
            arrivals.refused.append(Refused(str(error), raw))
            faults.append({"index": index, "path": error.path, "reason": error.reason})
    return arrivals, faults
