"""Opens the log that the settings name: the embedded one of a folder, or one on NATS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from satsuma_server.errors import SettingsError

from . import EventLog, ReadableLog
from .jetstream.options import NatsSettings
from .shared import SharedLog
from .sqlite import SqliteLog

if TYPE_CHECKING:
    from .jetstream.log import NatsLog

MISSING = 'log: a log on NATS needs more than is installed: pip install "satsuma-server[nats]"'


def open_log(data: Path, url: str | None, nats: NatsSettings, **options: Any) -> EventLog:
    """Return the log as a collector uses it.

    Args:
        data: the folder of the embedded log.
        url: the servers of a log on NATS; None for the embedded one.
        nats: how the log lies on them.
        options: what both kinds of log take; see `SqliteLog`.

    Raises:
        UnavailableError: the embedded log can't be opened. One on NATS is opened by its first call.
        SettingsError: the URL isn't one, or the library for it isn't installed.
    """
    return SqliteLog(data, **options) if url is None else _on_nats(url, nats, **options)


def open_for_reading(data: Path, url: str | None, nats: NatsSettings) -> ReadableLog:
    """Return the log as followers in other processes use it. Raises the errors of `open_log`."""
    return SharedLog(data) if url is None else _on_nats(url, nats)


def open_for_worker(data: Path, url: str | None, nats: NatsSettings) -> ReadableLog:
    """Return the log as the second process uses it, with a lease where others may follow it too. Raises the errors of
    `open_log`."""
    if url is None:
        return SharedLog(data)
    log = _on_nats(url, nats)
    log.share(data)
    return log


def _on_nats(url: str, nats: NatsSettings, **options: Any) -> NatsLog:
    try:
        from .jetstream.log import NatsLog as Log
    except ImportError as error:
        raise SettingsError(MISSING) from error
    return Log(url, nats, **options)
