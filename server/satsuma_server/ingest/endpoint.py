"""The endpoints of the tracking API: ``POST /v1/track``, ``/v1/batch`` and the others."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any, Protocol

from msgspec import UNSET
from satsuma.errors import EventError
from satsuma.validation import EVENT_TYPES, MAX_EVENT_BYTES, MAX_ID_LENGTH, check_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from satsuma_server.errors import BadRequestError, CollectorError, ForbiddenError, UnauthorizedError
from satsuma_server.http.metrics import Metrics
from satsuma_server.http.responses import SUCCESS, Faults, error_response, partial_success
from satsuma_server.log import Appends, Arrivals, Refused
from satsuma_server.masking import WITHHELD, Masking
from satsuma_server.plans.enforcement import Check, Enforcement
from satsuma_server.settings import Settings, Source

from .body import MAX_BODY_BYTES, Bodies
from .client_info import ClientInfo
from .content_hash import NO_HASH, hash_of, hash_of_any, needs_hash
from .decode import BATCHES, SHORT_FORMS, Decoded, Event, decode, decode_event, encode
from .enrichment import Arrival, enrich, enrich_fast
from .fast_path import FastEvent, is_complete
from .signatures import Verifier, take_signature, without_signatures
from .turns import Turns, is_large

KINDS = {name: SHORT_FORMS.get(name, name) for name in (*EVENT_TYPES, *BATCHES, *SHORT_FORMS)}
"""The type of call, or of batch, for each name in a path."""

PREFIXES = ("/v1", "/api/s", "/api/s/s2s", "/sdk")
"""What a call's name stands behind: Segment's, RudderStack's and Customer.io's libraries use the first, June's the last
and Jitsu's those between."""

PATHS = {
    **{f"{prefix}/{name}": kind for prefix in PREFIXES for name, kind in KINDS.items()},
    "/v1/m": "",
    "/v1/metrics": "",
}
"""The type of call, or of batch, for each path; empty for a client's own statistics."""

MORE = "{} more events of the same request were refused, and are not kept"
"""The reason of the last dead letter of a request that has too many."""

CHECKED_AT_ONCE = 50
"""A batch with more events waits for a turn where a plan's schemas or masking rules apply, which take longer than all
other checks."""

logger = logging.getLogger("satsuma.ingest")


class Suppression(Protocol):
    """People who may not be tracked. The list belongs to a layer above this one, so it is passed in."""

    def __len__(self) -> int:
        """Return how many identifiers are suppressed."""
        ...

    def filter(self, arrivals: Arrivals) -> None:
        """Remove the events of suppressed people from a request's events."""
        ...


class SenderLimits(Protocol):
    """Limits how many events an address, and a source, may send.

    Attributes:
        has_addresses: whether addresses have a limit.
    """

    has_addresses: bool

    async def check_address(self, address: str | None) -> None:
        """Count one event of an address. Raises `RateError` where it has sent too many."""
        ...

    def count_more(self, address: str | None, events: int) -> None:
        """Count the other events of a request whose first one `check_address` has counted."""
        ...

    async def check_source(self, source: Source, events: int) -> None:
        """Count events of a source. Raises `RateError` where it has sent too many."""
        ...


class Ingest:
    """Takes events in."""

    def __init__(
        self,
        settings: Settings,
        log: Appends,
        metrics: Metrics,
        suppression: Suppression,
        limits: SenderLimits,
        plans: Enforcement | None = None,
    ) -> None:
        self._suppression = suppression
        self._plans = plans
        self._settings = settings
        self._log = log
        self._metrics = metrics
        self._bodies = Bodies(settings.max_pending_bytes)
        self._turns = Turns(settings.max_pending_bytes)
        self._limits = limits

    async def post(self, kind: str, scope: Scope, receive: Receive) -> Response:
        """Answer a POST; `kind` is an event type, or one of `BATCHES`."""
        started = time.perf_counter()
        try:
            caller = ClientInfo.of(scope, self._settings)
            body = await self.body(receive, caller)
            answer = await self.take(kind, body, caller)
        except CollectorError as error:
            answer = self.fail(error)
        self._metrics.took(kind, time.perf_counter() - started)
        return answer

    async def body(self, receive: Receive, caller: ClientInfo, most: int = MAX_BODY_BYTES) -> bytes:
        """Return a request's body, within the bounds of `Bodies`.

        Raises:
            RateError: the sender's address has sent too much already.
            CollectorError: as `Bodies.read` has it.
        """
        await self.check_rate(caller)
        return await self._bodies.read(receive, caller.encoding, most)

    async def count(self, receive: Receive) -> Response:
        """Count the statistics that stock clients send about themselves. They are not kept."""
        try:
            await self._bodies.read(receive)
        except CollectorError as error:
            return self.fail(error)
        self._metrics.client_metrics += 1
        return SUCCESS

    async def take(self, kind: str, body: bytes, caller: ClientInfo, faults: Faults | None = None) -> Response:
        """Keep the events of a body, and answer once they are safe on disk.

        Args:
            kind: an event type, or one of `BATCHES`.
            body: the body as JSON.
            caller: the sender of the request.
            faults: faults that were found before; the answer lists them, too.

        Raises:
            CollectorError: nothing was kept.
        """
        known = self._settings.source_of_secret(caller.write_key)
        if known and caller.write_key:
            # Some clients write their secret key into the body, which must not be kept.
            body = body.replace(caller.write_key.encode(), known.write_key.encode())
        sender = caller.address or ""
        decode_body = partial(decode, body, kind)
        decoded = await self._turns.work(sender, len(body), decode_body) if is_large(body) else decode_body()
        count = len(decoded.events)
        # A secret key counts only in the headers, and not in the body.
        source = known or self.source(caller.write_key or decoded.write_key, caller.origin)
        is_server = known is not None or caller.has_token
        if kind == "import":
            self._allow_import(source, is_server=is_server)
        await self._limits.check_source(source, max(1, count))
        if not is_server:
            self._limits.count_more(caller.address, count - 1)
        check = self._plans.check_for(source.write_key) if self._plans else None
        faults = faults or Faults()
        before = faults.count
        verifier = Verifier.of(source, is_server=is_server)
        masking = self._settings.masking_for(source.write_key)
        arrival = _arrival(decoded, caller, kind, verifier, masking)
        arrival.mask_ip = self._settings.mask_ip
        of_letters = self._settings.letter_masking_for(source.write_key)
        job = partial(_sort, decoded, source.write_key, arrival, faults, check, masking, of_letters)
        waits = is_large(body, count) or ((check or masking) and count > CHECKED_AT_ONCE)
        arrivals = await self._turns.work(sender, len(body), job) if waits else job()
        # Freed before the wait, so that the next request is decoded into the same memory, which is still in the
        # processor's cache (with 64 concurrent batches of 50: 78,000 events a second instead of 60,000).
        del decoded, job
        if self._suppression:
            self._suppression.filter(arrivals)
        new = await self._log.append(arrivals)
        kept = len(arrivals.bodies)
        self._metrics.count(accepted=new, duplicates=kept - new, refused=faults.count)
        if not faults.count:
            return SUCCESS
        if faults.count - before == count:
            first = faults.told[0]
            raise BadRequestError(first["reason"], path=first["path"], index=first["index"])
        return partial_success(faults)

    def fail(self, error: CollectorError) -> Response:
        """Return the answer for an error, and count it."""
        self._metrics.failed(error.status)
        return error_response(error)

    async def check_rate(self, caller: ClientInfo) -> None:
        """Count one event of a sender's address, unless it is a server. Raises `RateError` where there are too many."""
        if (
            self._limits.has_addresses
            and not caller.has_token
            and self._settings.source_of_secret(caller.write_key) is None
        ):
            await self._limits.check_address(caller.address)

    def _allow_import(self, source: Source, *, is_server: bool) -> None:
        """Check that a sender may choose the times of events. Raises `ForbiddenError` otherwise."""
        if not is_server and (source.secret_keys or not self._settings.accept_any_key):
            raise ForbiddenError(
                "a write key is public and may not import: send one of the source's secret_keys as Basic auth user, or "
                "the collector's token as Authorization: Bearer TOKEN; events of now go to /v1/batch"
            )

    def source(self, write_key: str | None, origin: str | None) -> Source:
        """Return the source that a request writes to.

        Raises:
            UnauthorizedError: the key is missing or unknown.
            ForbiddenError: pages of that origin may not write to it.
        """
        if write_key and len(write_key) > MAX_ID_LENGTH:
            raise UnauthorizedError(f"the write key is longer than {MAX_ID_LENGTH} characters")
        source = self._settings.source(write_key)
        if source is None:
            known = "is unknown" if write_key else "is missing: send it as Basic auth user or as writeKey"
            raise UnauthorizedError(f"the write key {known}")
        if not source.allows(origin):
            raise ForbiddenError(f"pages of {origin} may not write to this source: add it to the source's origins")
        return source


class TrackingRoute:
    """Routes all paths of the tracking API by one look-up, wherever the collector is mounted."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def takes(self, scope: Scope) -> bool:
        """Tell whether a request is for the tracking API."""
        return scope["type"] == "http" and scope["method"] == "POST" and _path(scope) in PATHS

    def reveals_token(self, scope: Scope) -> bool:
        """Tell whether the answer to a request that `takes` is true for depends on the collector's token."""
        return PATHS[_path(scope)] == "import"

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to the tracking API. Every error is answered here, since nothing else would handle it."""
        kind = PATHS[_path(scope)]
        try:
            answer = await (self._ingest.post(kind, scope, receive) if kind else self._ingest.count(receive))
        except Exception:
            logger.exception("a request could not be answered")
            answer = self._ingest.fail(CollectorError("the collector failed: its log tells more"))
        await answer(scope, receive, send)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _arrival(
    decoded: Decoded, caller: ClientInfo, kind: str, verifier: Verifier | None = None, masking: Masking | None = None
) -> Arrival:
    signature = take_signature(decoded.context)
    shared = {"context": decoded.context, "integrations": decoded.integrations}
    told = {"ip": caller.ip, "userAgent": caller.user_agent}
    if masking is not None:
        # Once for all events of the request, which get copies of it.
        of_sender = {"context": told}
        for part in (shared, of_sender):
            masking.apply(part)
        told = of_sender["context"]
    return Arrival(
        at=time.time() * 1000,
        ip=told.get("ip"),
        user_agent=told.get("userAgent"),
        sent_at=decoded.sent_at,
        signature=signature,
        verify=verifier.verify if verifier else None,
        context=shared["context"],
        integrations=shared["integrations"],
        keep_timestamp=kind == "import",
    )


def _sort(
    decoded: Decoded,
    source: str,
    arrival: Arrival,
    faults: Faults,
    check: Check | None = None,
    masking: Masking | None = None,
    of_letters: Masking | None = None,
) -> Arrivals:
    arrivals = Arrivals(source, arrival.at)
    bodies, ids, hashes = arrivals.bodies, arrivals.message_ids, arrivals.hashes
    before = faults.besides
    is_plain = check is None and masking is None
    for index, event in enumerate(decoded.events):
        if is_plain and type(event) is FastEvent and is_complete(event):
            hashed = needs_hash(event.messageId)
            body = encode(enrich_fast(event, arrival))
            if len(body) <= MAX_EVENT_BYTES:
                bodies.append(body)
                hashes.append(hash_of(event) if hashed else NO_HASH)
                ids.append(event.messageId)  # type: ignore[arg-type]
                continue
        try:
            checked, signature = _checked(decoded.raw(index), event, masking)
            if check is not None:
                check(checked)
            hashed = needs_hash(checked.get("messageId"))
            enriched = enrich(checked, arrival, signature)
            bodies.append(encode(enriched))
            hashes.append(hash_of_any(enriched) if hashed else NO_HASH)
            ids.append(enriched["messageId"])
        except EventError as error:
            if faults.add(index, error.path, error.reason):
                arrivals.refused.append(_refused(error, decoded.raw(index), of_letters))
    if faults.besides > before:
        arrivals.refused.append(Refused(MORE.format(faults.besides - before), b""))
    return arrivals


def _checked(raw: bytes, event: Event, masking: Masking | None) -> tuple[dict[str, Any], Any]:
    """Return an event that may be kept, and its signature. Raises `EventError` where it may not be kept."""
    if isinstance(event, FastEvent):
        kind, event = event.type, decode_event(raw)
        if isinstance(event, dict) and kind is not UNSET:
            event["type"] = kind
    if isinstance(event, EventError):
        raise event
    signature = _take_signature(event)
    if masking is not None:
        # Before the checks, so that what they tell of an event has nothing that is masked.
        masking.apply(event)
        if len(encode(event)) > 2 * MAX_EVENT_BYTES:
            raise EventError("", "the event is too large once the source's masking rules are applied")
    check_event(event)
    return event, signature


def _take_signature(event: dict[str, Any]) -> Any:
    context = event.get("context")
    return take_signature(context) if isinstance(context, dict) else None


def _refused(error: EventError, raw: bytes, masking: Masking | None) -> Refused:
    """Return a refused event as it is kept: as it was sent, but without signatures and what rules mask."""
    if masking is None:
        return Refused(str(error), without_signatures(raw))
    reason, event = masking.apply_to_text(str(error)), decode_event(raw)
    if not isinstance(event, dict):
        return Refused(reason + WITHHELD, b"")
    _take_signature(event)
    masking.apply(event)
    return Refused(reason, without_signatures(encode(event)))
