"""How a collector and what follows its log are doing: ``GET /v1/status``, and metrics of the followers."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from importlib.metadata import version

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .destinations.figures import DestinationFigures
from .disk import room_for
from .errors import UnavailableError
from .http.auth import authorize
from .http.metrics import Metrics
from .http.responses import UNCACHED
from .log import EventLog
from .log.holds import is_follower
from .settings import Settings


class LogState(msgspec.Struct, frozen=True):
    """The log.

    Attributes:
        place: ``file``, or ``nats``.
        last: seq of the newest event.
        pending: how many events wait to be written.
        filled: the part of its room that is taken, from 0 to 1.
    """

    place: str
    last: int
    pending: int
    filled: float


class FollowerState(msgspec.Struct, frozen=True):
    """Something that reads the log.

    Attributes:
        lag: how many events the log has after its cursor.
        kind: ``follower``, or ``destination``.
        paused: whether somebody has paused it.
        failed: how many messages a destination has set aside.
    """

    name: str
    kind: str
    cursor: int
    lag: int
    paused: bool = False
    failed: int = 0


class CollectorStatus(msgspec.Struct, frozen=True):
    """The answer of ``GET /v1/status``.

    Attributes:
        satsuma, python: versions.
        worker: whether this collector runs the second process.
        events: how many were accepted, duplicate and refused since its start.
        disk_free: free bytes on the disk of the data folder.
        problem: why the log can't be read now; None where it can.
    """

    satsuma: str
    python: str
    worker: bool
    log: LogState
    followers: list[FollowerState]
    events: dict[str, int]
    disk_free: int
    problem: str | None = None


class FollowerFigures(Collector):
    """The followers' lag for Prometheus, as it was when `refresh` read it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._cursors: dict[str, int] = {}

    async def refresh(self) -> None:
        """Read the cursors. Where the log can't be read, there are none."""
        self._cursors = {}
        with contextlib.suppress(UnavailableError):
            self._cursors = await read_cursors(self._log)

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        lag = GaugeMetricFamily(
            "satsuma_follower_lag_events", "Events that a follower of the log has not read", labels=["follower"]
        )
        for name, cursor in self._cursors.items():
            lag.add_metric([name], max(0, self._log.last - cursor))
        yield lag


class Status:
    """Answers ``GET /v1/status``."""

    def __init__(self, settings: Settings, log: EventLog, metrics: Metrics, figures: DestinationFigures | None) -> None:
        self._settings = settings
        self._log = log
        self._metrics = metrics
        self._figures = figures

    def route(self) -> Route:
        """Return the route below ``/v1``."""
        return Route("/status", self._answer)

    async def _answer(self, request: Request) -> Response:
        authorize(request, self._settings)
        return Response(msgspec.json.encode(await self.read()), media_type="application/json", headers=UNCACHED)

    async def read(self) -> CollectorStatus:
        """Return the status as it is now."""
        problem, cursors = None, dict[str, int]()
        await self._metrics.refresh(guarded=False)
        try:
            await self._log.ready()
            cursors = await read_cursors(self._log)
        except UnavailableError as error:
            problem = str(error)
        last = self._log.last
        followers = [FollowerState(name, "follower", at, max(0, last - at)) for name, at in cursors.items()]
        for name, at, paused, _, _, failed, _ in self._figures.rows() if self._figures else ():
            followers.append(FollowerState(name, "destination", at, max(0, last - at), bool(paused), failed))
        return CollectorStatus(
            satsuma=version("satsuma-server"),
            python=platform.python_version(),
            worker=self._settings.worker,
            log=LogState("file" if self._settings.log is None else "nats", last, self._log.pending, self._log.filled),
            followers=followers,
            events=self._metrics.counts,
            # A log on NATS needs no data folder at first.
            disk_free=room_for(self._settings.data)[1],
            problem=problem,
        )


async def read_cursors(log: EventLog) -> dict[str, int]:
    """Return the cursors of those who follow the log. Raises `UnavailableError`."""
    known = sorted((await log.cursors()).items())
    return {name: seq for name, seq in known if is_follower(name, seq)}
