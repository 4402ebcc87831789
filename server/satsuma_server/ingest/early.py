"""Calls that were made before Python was up: ``POST /v1/early``, sent by the snippet's stub.

A visitor who leaves sends them as a beacon. A page that sends them at once waits for the answer, which tells what has
become of the visitor.

Anybody can send one. So the write key and the origin are checked before anything else is done, and the calls are made
in another process, within bounds; see `replay_queue`.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from satsuma.codec import encode_name
from satsuma.environment import REFERRER_KEY
from satsuma.identity import ANONYMOUS_ID_KEY, GROUP_KEYS, USER_KEYS
from satsuma.platforms.server.cookies import SAFE
from satsuma.server_identity import HANDOVER_KEY
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.errors import BadRequestError, CollectorError
from satsuma_server.http.responses import Faults
from satsuma_server.settings import Settings

from .client_info import ClientInfo
from .decode import read_leniently
from .endpoint import Ingest
from .replay_process import Job, Made
from .replay_queue import Replayer

MAX_BODY_BYTES = 64 * 1024
"""Browsers don't send longer beacons."""

COOKIES = frozenset(
    encode_name(name) for name in (ANONYMOUS_ID_KEY, USER_KEYS.id, GROUP_KEYS.id, REFERRER_KEY, HANDOVER_KEY)
)
"""The cookies that an answer may set. A page can choose their names by load options, but so can a stranger who pretends
to be a page, and who could otherwise set the console's cookie, or one that the site trusts because of its prefix."""


class _Envelope(msgspec.Struct):
    writeKey: Any = None  # noqa: N815


_envelopes = msgspec.json.Decoder(_Envelope)


class Early:
    """Makes events from calls whose page ended before it could."""

    def __init__(self, settings: Settings, ingest: Ingest) -> None:
        self._settings = settings
        self._ingest = ingest
        self._replayer = Replayer()

    def route(self) -> Route:
        """Return the route below ``/v1``."""
        return Route("/early", self._take, methods=["POST"])

    def warm_up(self) -> None:
        """Start the process that makes the calls before there are any: the first visitor need not wait for it."""
        self._replayer.warm_up()

    def close(self) -> None:
        """Stop the process that makes the calls."""
        self._replayer.close()

    async def _take(self, request: Request) -> Response:
        try:
            caller = ClientInfo.of(request.scope, self._settings)
            if caller.write_key:
                self._ingest.source(caller.write_key, caller.origin)
            body = await self._ingest.body(request.receive, caller, MAX_BODY_BYTES)
            source = self._ingest.source(caller.write_key or _write_key(body), caller.origin)
            job = Job(body.decode(errors="replace"), caller.user_agent or "")
            made = await self._replayer.make(job, source.write_key)
            return await self._keep(made, caller, request)
        except CollectorError as error:
            return self._ingest.fail(error)

    async def _keep(self, made: Made, caller: ClientInfo, request: Request) -> Response:
        """Keep the events that were made, and answer."""
        if made.problem is not None:
            raise BadRequestError(made.problem, path=made.path)
        faults = Faults()
        for one in made.refused:
            faults.add(one.index, ".calls", one.reason)
        if not made.events:
            if made.refused:
                raise BadRequestError(made.refused[0].reason, path=".calls", index=made.refused[0].index)
            return Response(status_code=204)
        events = f"[{','.join(made.events)}]"
        answer = await self._ingest.take("batch", f'{{"batch":{events}}}'.encode(), caller, faults)
        told = Response(_with_visitor(answer.body, made, events), answer.status_code, media_type="application/json")
        for cookie in _cookies(made, request):
            told.headers.append("Set-Cookie", cookie)
        return told


def _write_key(body: bytes) -> str | None:
    """Return the write key in a body, without reading anything else of it."""
    try:
        key = _envelopes.decode(body).writeKey
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        key = _lenient_key(body)
    return key if isinstance(key, str) else None


def _lenient_key(body: bytes) -> Any:
    # JavaScript escapes lone surrogates, which msgspec can't decode.
    try:
        whole = read_leniently(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not a stub's: {error}") from error
    return whole.get("writeKey") if isinstance(whole, dict) else None


def _with_visitor(answer: bytes | memoryview, made: Made, events: str) -> bytes:
    """Return an answer that also tells a page that waits for it what its calls have become, and whom they have made."""
    text = bytes(answer)
    if not made.answers:
        return text
    visitor = {"cookies": list(made.cookies.values()), "items": made.items}
    told = f',"visitor":{json.dumps(visitor)},"events":{events}}}'
    return text.removesuffix(b"}") + told.encode(errors="replace")


def _cookies(made: Made, request: Request) -> list[str]:
    """Return the cookies to set; none where the page belongs to another site than the collector."""
    page = request.headers.get("origin", "").partition("://")[2].partition(":")[0]
    here, domain = request.url.hostname or "", made.domain
    if not page or not (_within(page, domain) and _within(here, domain) if domain else page == here):
        return []
    return [header for name, header in made.cookies.items() if name in COOKIES]


def _within(host: str, domain: str) -> bool:
    return bool(SAFE.fullmatch(domain)) and "." in domain and (host == domain or host.endswith(f".{domain}"))
