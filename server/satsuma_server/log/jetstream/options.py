"""How the log lies on NATS: its stream, how often each message is kept, and how much room it may take."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from satsuma_server.errors import SettingsError

WORKER_ID = "worker-id"
"""File in the data folder with the id by which the worker of that folder is known. No other folder may have it."""

SCHEMES = ("nats", "tls")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NatsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table ``[nats]`` of the settings, for a log on NATS JetStream.

    Attributes:
        stream: the stream's name, and the first word of its subjects.
        replicas: on how many servers each event is kept; more than half of them acknowledge it. 1, 3 or 5.
        max_bytes: how many bytes the stream may take on each server; None for as many as the servers allow. A full
            log takes nothing more, and says so.
        retention_bytes: bytes above which the oldest events go that all followers have read; None for no such bound.
        credentials: file with a user's JWT and key (``nsc generate creds``); None for what the URL has, or nothing.
        monitors: monitoring addresses of the servers, as ``http://one:8222``. A log isn't opened on a server that tells
            there that it acknowledges before it syncs.
        ca: file with the certificates of who signed the servers' own, for URLs with ``tls://``; None for the system's.
    """

    stream: str = "satsuma"
    replicas: int = 3
    max_bytes: int | None = None
    retention_bytes: int | None = None
    credentials: str | None = None
    ca: str | None = None
    monitors: tuple[str, ...] = ()


def check_options(url: str, options: NatsSettings) -> None:
    """Check the address of the servers and the table. Raises `SettingsError` where one is not valid."""
    servers_of(url)
    if not _NAME.fullmatch(options.stream):
        raise SettingsError("nats: stream has to be of letters, digits, - and _, at most 64")
    if options.replicas not in (1, 3, 5):
        raise SettingsError("nats: replicas has to be 1, 3 or 5")
    if options.max_bytes is not None and options.max_bytes < 1 << 20:
        raise SettingsError("nats: max_bytes has to be at least 1048576")
    if any(urlsplit(one).scheme not in ("http", "https") for one in options.monitors):
        raise SettingsError("nats: monitors has to be of addresses as http://HOST:8222")
    if options.retention_bytes is not None and options.retention_bytes >= (options.max_bytes or 2**63):
        raise SettingsError("nats: retention_bytes has to be less than max_bytes, or nothing would be removed in time")


def servers_of(url: str) -> list[str]:
    """Return the servers of a URL with one or more of them, as ``nats://one:4222,two:4222``.

    Raises:
        SettingsError: it isn't one.
    """
    scheme, _, rest = url.partition("://")
    hosts = [host for host in rest.split(",") if host]
    if scheme not in SCHEMES or not hosts:
        raise SettingsError("log: write it as nats://HOST:4222, or nats://ONE:4222,TWO:4222,THREE:4222")
    servers = [f"{scheme}://{host}" for host in hosts]
    for server in servers:
        try:
            parts = urlsplit(server)
            known = parts.hostname and (parts.port or True) and parts.path in ("", "/") and not parts.query
        except ValueError:
            known = False
        if not known:
            # The address may have a password, so it is not repeated.
            raise SettingsError("log: one of the servers has no valid address: write HOST:PORT")
    return servers
