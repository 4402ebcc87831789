"""The settings file, and what is given beside it: read, checked and laid over each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from satsuma_server.errors import SettingsError
from satsuma_server.forwarding import destinations_from
from satsuma_server.identity.rules import ProfileSettings, Rules
from satsuma_server.log.jetstream.options import NatsSettings, check_options
from satsuma_server.masking import MaskingRule

from .audit import AuditSettings, HealthSettings
from .collector import MetricsMode, Settings
from .sources import Limits, PlanMode, Source, check_keys, check_secrets
from .token import check_token
from .warehouse import WarehouseSettings

MOST_WORKERS = 64
"""How many processes may take requests. One writes for all of them, and can't for so many."""


class _File(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The settings file: each name as in `Settings`."""

    data: str | None = None
    token: str | None = None
    accept_any_key: bool | None = None
    api_host: str | None = None
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] | None = None
    trust_proxy: bool | None = None
    trusted_proxies: tuple[str, ...] | None = None
    mask_ip: bool | None = None
    dedupe_hours: float | None = None
    retention_days: float | None = None
    max_pending: int | None = None
    max_pending_bytes: int | None = None
    worker: bool | None = None
    profiles: ProfileSettings | None = None
    warehouse: WarehouseSettings | None = None
    audit: AuditSettings | None = None
    health: HealthSettings | None = None
    plan: str | None = None
    plan_mode: PlanMode | None = None
    masking: tuple[MaskingRule, ...] | None = None
    masking_key: str | None = None
    limits: Limits | None = None
    metrics: MetricsMode | None = None
    destinations: tuple[dict[str, Any], ...] = ()
    suppression_secret_file: str | None = None
    log: str | None = None
    nats: NatsSettings | None = None
    workers: int | None = None
    sources: tuple[Source, ...] = ()


def make_settings(file: Path | None = None, given: Mapping[str, Any] | None = None) -> Settings:
    """Return settings: what is given (None and empty values aside) over the file's.

    Raises:
        SettingsError: the file can't be read, a setting is unknown or of the wrong kind, no source may write, or the
            token is weak. Where any key is accepted, which is for demos and tests, a weak token is allowed.
    """
    values = {} if file is None else _read(file)
    values |= {name: value for name, value in (given or {}).items() if value not in (None, "", (), frozenset())}
    settings = Settings(**{"data": Path("satsuma-data"), **values})
    if not settings.accept_any_key and not settings.write_keys and not settings.sources:
        raise SettingsError("no source may write: name one with --write-key KEY, or take all with --accept-any-key")
    if not settings.accept_any_key:
        check_token(settings.token)
    # Asked once here, so that a wrong network or limit is told of at the start and not by the first visitor.
    settings.trusts(None)
    settings.masking_for("")
    for limit in (settings.limits.address, settings.limits.source, *(source.limit for source in settings.sources)):
        if limit is not None and not (0 < limit.events_per_second < math.inf and 1 <= limit.most < math.inf):
            raise SettingsError("limits: events_per_second must be more than 0, and burst at least 1")
    _check_retention(settings)
    if settings.destinations and not settings.worker:
        raise SettingsError("destinations need the second process: leave out --no-worker and worker = false")
    if settings.log is not None:
        check_options(settings.log, settings.nats)
    if not 1 <= settings.workers <= MOST_WORKERS:
        raise SettingsError(f"workers: from 1 to {MOST_WORKERS} processes may take requests")
    Rules(settings.profiles)
    for source in settings.sources:
        check_secrets(source)
    check_keys(settings.sources)
    return settings


def _check_retention(settings: Settings) -> None:
    for name, days in (
        ("retention_days", settings.retention_days),
        ("warehouse.retention_days", settings.warehouse_retention_days),
        ("profiles.retention_days", settings.profiles_retention_days),
    ):
        if days is not None and not 0 < days < math.inf:
            raise SettingsError(f"{name}: must be more than 0; leave it out to keep everything for ever")


def log_of(file: Path | None, url: str | None) -> tuple[str | None, NatsSettings]:
    """Return the log's servers and table of a settings file; a URL that is given goes before the file's.

    Raises:
        SettingsError: the file can't be read, or one of them is not valid.
    """
    values = {} if file is None else _read(file)
    servers, nats = url or values.get("log"), values.get("nats", NatsSettings())
    if servers is not None:
        check_options(servers, nats)
    return servers, nats


def profiles_of(file: Path | None) -> ProfileSettings:
    """Return the table of profiles of a settings file. Raises `SettingsError` where it can't be read."""
    found: ProfileSettings = ({} if file is None else _read(file)).get("profiles", ProfileSettings())
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        read = msgspec.toml.decode(file.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error
    values = {name: getattr(read, name) for name in read.__struct_fields__ if getattr(read, name) is not None}
    for name in ("data", "plan", "suppression_secret_file"):
        if name in values:
            values[name] = file.parent / values[name]
    if read.nats is not None:
        paths = {name: str(file.parent / path) for name in ("credentials", "ca") if (path := getattr(read.nats, name))}
        values["nats"] = msgspec.structs.replace(read.nats, **paths)
    values["destinations"] = destinations_from(read.destinations)
    values["sources"] = tuple(
        msgspec.structs.replace(source, plan=str(file.parent / source.plan)) if source.plan else source
        for source in read.sources
    )
    return values
