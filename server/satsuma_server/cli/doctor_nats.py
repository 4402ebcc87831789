"""What ``satsuma doctor`` finds out about a log on NATS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from satsuma_server.errors import CollectorError, SettingsError, UnavailableError
from satsuma_server.log.jetstream.monitoring import look_at_server
from satsuma_server.log.jetstream.options import NatsSettings
from satsuma_server.log.opening import MISSING

from .findings import Finding

SYNC = "write sync_interval: always into the jetstream block of its configuration, and start it again"


def log_findings(url: str, options: NatsSettings, monitors: Sequence[str]) -> Iterator[Finding]:
    """Yield what can be seen of the log's servers, and what can't, at the settings' monitoring addresses too."""
    monitors = [*dict.fromkeys(one.rstrip("/") for one in (*options.monitors, *monitors))]
    try:
        yield from _stream(url, options)
    except (CollectorError, SettingsError) as error:
        yield Finding(False, f"the log's servers: {error}", "start them, or check the setting log")
    for monitor in monitors:
        yield from _server(monitor)
    if len(monitors) < options.replicas:
        unseen = options.replicas - len(monitors)
        yield Finding(
            None,
            f"not seen: whether {unseen} of {options.replicas} servers sync to disk before they acknowledge",
            "NATS tells nobody but its monitoring port: name each in monitors of [nats], or with --nats-monitor "
            "http://HOST:8222. Until then events may be acknowledged that a power cut of several machines takes away",
        )


def _stream(url: str, options: NatsSettings) -> Iterator[Finding]:
    try:
        from satsuma_server.log.jetstream.inspection import look_at
    except ImportError as error:
        raise SettingsError(MISSING) from error
    state = asyncio.run(look_at(url, options))
    if state is None:
        yield Finding(False, f"the stream {options.stream} is there", "start a collector, which makes it")
        return
    yield Finding(
        state.replicas > 1,
        f"each event is kept on {state.replicas} servers",
        "with one server a lost disk loses events: set replicas = 3 in [nats]",
    )
    yield Finding(not state.behind, "all of them are up to date", f"behind or away: {', '.join(state.behind)}")
    yield Finding(
        state.refuses and state.on_disk and state.is_atomic,
        "the stream keeps what it acknowledged",
        "somebody has changed the stream: it needs storage file, discard new, allow_atomic and no max_age",
    )
    yield Finding(
        state.filled < 0.8,
        f"{state.filled:.0%} of the stream's room is taken",
        "raise max_bytes in [nats], or set retention_days or retention_bytes",
    )


def _server(monitor: str) -> Iterator[Finding]:
    try:
        state = look_at_server(monitor)
    except UnavailableError as error:
        yield Finding(False, str(error), "give the monitoring address of a NATS server (http: in its config)")
        return
    yield Finding(state.is_new, f"{monitor} is NATS {state.version}", "atomic batches need 2.12 or newer")
    yield Finding(state.syncs, f"{monitor} syncs to disk before it acknowledges", SYNC)
