"""The collector as an ASGI app, which runs alone or is mounted in a site's own app."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .assets.routes import Assets
from .destinations.figures import DestinationFigures
from .errors import CollectorError
from .http.guesses import GuessLimit
from .http.metrics import Metrics, MetricsEndpoint
from .http.rate_limits import RateLimits
from .http.responses import HANDLERS, error_response
from .identity.rules import Rules
from .ingest.early import Early
from .ingest.endpoint import Ingest, TrackingRoute
from .ingest.pixel import Pixel
from .log import EventLog
from .log.opening import open_log
from .openapi import document
from .paths import path_of
from .plans.enforcement import Enforcement
from .plans.violations import Violations
from .privacy.deleted_ids import FILE as DELETED
from .privacy.deleted_ids import DeletedIds
from .privacy.deletion import Deletion, no_worker
from .privacy.suppression import Suppressed, read_secret
from .projections.internal import InternalClient
from .projections.process import WorkerProcess
from .projections.proxy import Proxy
from .projections.table import TABLE
from .read_api import ReadApi
from .settings import Settings
from .status import FollowerFigures, Status

PREFLIGHT_SECONDS = 86_400


class ChecksGuesses(Protocol):
    """Limits how many tokens may be tried."""

    async def check(self, scope: Scope) -> None:
        """Count a request's token, if it has one. Raises `CollectorError` where there were too many."""
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What belongs to a collector as a whole, where several processes take its requests."""

    log: EventLog
    metrics: Metrics
    suppressed: Suppressed
    limits: RateLimits
    guesses: GuessLimit
    violations: Violations


class CollectorApp(Starlette):
    """Starlette with a faster way for the tracking API, which gets nearly all requests.

    Its paths go through the middleware and then directly to their route, without the router and without Starlette's
    exception handling, because that route answers every exception itself.
    """

    def __init__(self, tracking: TrackingRoute, guesses: ChecksGuesses, **given: Any) -> None:
        super().__init__(**given)
        self._tracking = tracking
        self._guesses = guesses

    def build_middleware_stack(self) -> ASGIApp:
        whole = super().build_middleware_stack()
        tracking: ASGIApp = self._tracking.handle
        for middleware, args, kwargs in reversed(self.user_middleware):
            tracking = middleware(tracking, *args, **kwargs)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            takes = self._tracking.takes(scope)
            if scope["type"] == "http":
                try:
                    path_of(scope)
                    if not takes or self._tracking.reveals_token(scope):
                        await self._guesses.check(scope)
                except CollectorError as error:
                    await error_response(error)(scope, receive, send)
                    return
            await (tracking if takes else whole)(scope, receive, send)

        return answer


def create_app(settings: Settings) -> Starlette:
    """Return a collector that keeps its log in ``settings.data``, or on the servers that ``settings.log`` names.

    The log is opened here, so that an app that mounts this one needs no lifespan of ours to take events. The lifespan
    starts the worker and closes the log at its end. Starlette doesn't run that of a mounted app: whoever mounts this
    one has ``async with collector.router.lifespan_context(collector):`` in a lifespan of its own, or sets
    ``worker=False`` and awaits ``collector.state.log.close()``.

    Raises:
        UnavailableError: the log can't be opened.
        SettingsError: the log's servers are not given as a URL, or the library for them isn't installed.
        PlanError: a tracking plan can't be used.
    """
    log = open_log(
        settings.data,
        settings.log,
        settings.nats,
        dedupe_hours=settings.dedupe_hours,
        retention_days=settings.retention_days,
        max_pending=settings.max_pending,
        max_pending_bytes=settings.max_pending_bytes,
    )
    metrics = Metrics()
    metrics.watch("satsuma_log_pending_events", "Events that wait to be written", lambda: log.pending, guarded=True)
    metrics.watch("satsuma_log_last_seq", "Number of the newest event", lambda: log.last, guarded=True)
    metrics.watch("satsuma_log_filled_ratio", "Part of the log's room that is taken", lambda: log.filled, guarded=True)
    figures: DestinationFigures | None = None
    if settings.destinations:
        names = [one.name for one in settings.destinations]
        figures = DestinationFigures(settings.data.absolute(), names, lambda: log.last)
        metrics.register(figures, guarded=True)
    followers = FollowerFigures(log)
    metrics.register(followers, guarded=True)
    metrics.before_each(followers.refresh, guarded=True)

    worker = _Worker(settings) if settings.worker else None
    violations = Violations(settings.data)  # Where no plan is there any more, its counts still are.
    plans = Enforcement(settings, violations) if settings.has_plan else None
    if plans is not None:
        metrics.watch("satsuma_plan_violations", "What was not as planned", lambda: violations.total)
    limits, guesses = RateLimits(settings), GuessLimit(settings)
    metrics.watch("satsuma_limited_requests", "Requests that came too soon", lambda: limits.refused)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if worker:
            worker.process.start()
            early.warm_up()
        starting = asyncio.create_task(_get_ready(log))
        yield
        starting.cancel()
        if worker:
            await worker.stop()
        early.close()
        await log.close()
        violations.save()

    secret = read_secret(settings.suppression_secret_file, settings.data)
    suppressed = Suppressed(settings.data, Rules(settings.profiles), secret)
    deleted = DeletedIds(settings.data / DELETED, secret)
    deleted.save()
    ask = worker.internal.ask if worker else no_worker
    deletion = Deletion(settings, log, suppressed, deleted, violations, ask)
    ingest = Ingest(settings, log, metrics, suppressed, limits, plans)
    early = Early(settings, ingest)
    assets = Assets(settings)
    v1 = [
        Pixel(settings, ingest).route(),
        early.route(),
        *ReadApi(settings, log, violations if plans else None).routes(),
        assets.settings_route(),
        Status(settings, log, metrics, figures).route(),
    ]
    routes = [
        *deletion.routes(),
        *(worker.routes() if worker else ()),
        Mount("/v1", app=Router(v1, redirect_slashes=False)),
        *assets.routes(),
        Route("/metrics", MetricsEndpoint(settings, metrics).answer),
        Route("/openapi.json", _openapi(worker=worker is not None)),
    ]
    app = CollectorApp(
        TrackingRoute(ingest),
        guesses,
        routes=routes,
        lifespan=lifespan,
        middleware=[cors(settings)],
        exception_handlers=HANDLERS,
    )
    # A path with an additional slash is not found. Starlette would redirect it to the path without.
    app.router.redirect_slashes = False
    app.state.log = log
    app.state.deletion = deletion
    app.state.shared = Shared(log, metrics, suppressed, limits, guesses, violations)
    app.state.leave = worker.proxy.leave if worker else None
    return app


async def _get_ready(log: EventLog) -> None:
    # Where the log's servers are away, requests are answered 503 until they are back.
    with contextlib.suppress(CollectorError):
        await log.ready()


class _Worker:
    """The second process, with the proxy and the client that reach it."""

    def __init__(self, settings: Settings) -> None:
        self.process = WorkerProcess(settings)
        self.proxy = Proxy(self.process.public_socket, settings)
        self.internal = InternalClient(self.process.internal_socket, self.process.secret)

    def routes(self) -> list[Route]:
        """Return routes for everything below the prefixes of the route table. The proxy checks the rest of the path."""
        return [Route(f"{prefix}{rest}", self.proxy) for prefix in TABLE.prefixes for rest in ("", "/{path:text}")]

    async def stop(self) -> None:
        await self.proxy.close()
        await self.internal.close()
        await self.process.stop()


class _PagesCors(CORSMiddleware):
    """CORS for pages only. A POST without an Origin comes from a server, and needs no CORS headers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from_server = scope.get("method") == "POST" and all(name != b"origin" for name, _ in scope["headers"])
        await (self.app if from_server else super().__call__)(scope, receive, send)


def cors(settings: Settings) -> Middleware:
    """Return the middleware that lets pages send events."""
    return Middleware(
        _PagesCors,
        allow_origins=settings.origins(),
        allow_methods=["*"],
        allow_headers=["*"],
        # Otherwise browsers hide this header from pages, and analytics.js would try again too early.
        expose_headers=["Retry-After"],
        max_age=PREFLIGHT_SECONDS,
    )


def _openapi(*, worker: bool) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JSONResponse(document(worker=worker))

    return answer
