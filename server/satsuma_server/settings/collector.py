"""All settings of one collector."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from satsuma_server.access import AuditLog, Tokens
from satsuma_server.errors import SettingsError
from satsuma_server.forwarding import AnyDestination
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.log.jetstream.options import NatsSettings
from satsuma_server.masking import Masking, MaskingRule

from .audit import AuditSettings, HealthSettings
from .sources import Limits, PlanMode, Source
from .warehouse import WarehouseSettings, days_kept

RUNTIME = Path(__file__).parents[1] / "assets" / "runtime"
"""Where `./dev build`, or the wheel, puts the browser's files."""

MetricsMode = Literal["local", "token", "public"]
"""Who may read metrics without a token: programs of this machine, nobody, or everybody."""


@dataclass(frozen=True)
class Settings:
    """Settings of one collector.

    Attributes:
        data: folder of the log; made where it is missing.
        token: opens what reads data back, with all scopes. Unlike write keys it is secret. By default a random one is
            made. Others are named ones; see docs/tokens.md.
        write_keys: sources that need nothing but a key.
        sources: sources with a name or origins.
        accept_any_key: take events of any source, also of none. For demos and tests.
        api_host: host (and port) that browsers post to; None follows the request's Host header.
        public_url: where browsers reach the collector, as ``https://collector.example``; None follows `api_host` and
            the request.
        allowed_hosts: hosts that a request may have been sent to where an answer repeats its Host header, as
            ``collector.example``, ``localhost:8000`` or ``*.shop.example``; empty for any.
        trust_proxy: believe X-Forwarded-For, -Proto and -Host of whoever connects.
        trusted_proxies: addresses and networks whose X-Forwarded-* are believed, as ``10.0.0.0/8``.
        mask_ip: keep visitors' addresses without their last part (IPv4: 8 bits, IPv6: 80 bits).
        dedupe_hours: how long a messageId is remembered.
        retention_days: how long events are kept, and what is built from them unless `warehouse` and `profiles` have
            settings of their own; None for ever. See docs/retention.md.
        max_pending: events that may wait to be written; beyond, clients are asked to come back.
        max_pending_bytes: bytes of events and of bodies under way that may.
        runtime: folder of the browser's files.
        worker: run the second process, which builds from the log what is asked of it.
        profiles: which ids make a person, and where profiles are kept.
        warehouse: the tables that it builds.
        audit: how the audit of the site's identity calls is made.
        health: how often the collector makes one of its own events, and of how many.
        plan: file of the tracking plan of all sources that have none of their own.
        plan_mode: what becomes of what is not as planned.
        masking: what is dropped, hashed or masked in the events of all sources.
        masking_key: the key of hashes, which rules that hash need.
        limits: how many events a source, and an address, may send.
        metrics: who may read metrics without a token; see docs/security.md.
        destinations: where events go on to. See docs/destinations.md.
        suppression_secret_file: file of the secret that the suppression list is wrapped with, outside of `data`; None
            for a list without one. See docs/security.md.
        log: servers that keep the log, as ``nats://one:4222,two:4222,three:4222``; None for a file in `data`. See
            docs/scaling.md.
        nats: how the log lies on them.
        workers: processes that take requests. With more than one, another process writes for all; see
            docs/scaling.md. It counts for ``satsuma serve`` alone.
    """

    data: Path
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    write_keys: frozenset[str] = frozenset()
    sources: tuple[Source, ...] = ()
    accept_any_key: bool = False
    api_host: str | None = None
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    trust_proxy: bool = False
    trusted_proxies: tuple[str, ...] = ()
    mask_ip: bool = False
    dedupe_hours: float = 24
    retention_days: float | None = None
    max_pending: int = 50_000
    max_pending_bytes: int = 64 << 20
    runtime: Path = RUNTIME
    worker: bool = True
    profiles: ProfileSettings = field(default_factory=ProfileSettings)
    warehouse: WarehouseSettings = field(default_factory=WarehouseSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    plan: Path | None = None
    plan_mode: PlanMode = "mark"
    masking: tuple[MaskingRule, ...] = ()
    masking_key: str = field(default="", repr=False)
    limits: Limits = field(default_factory=Limits)
    metrics: MetricsMode = "local"
    destinations: tuple[AnyDestination, ...] = ()
    suppression_secret_file: Path | None = None
    log: str | None = field(default=None, repr=False)
    nats: NatsSettings = field(default_factory=NatsSettings)
    workers: int = 1

    @property
    def warehouse_retention_days(self) -> float | None:
        """How long rows of the warehouse are kept; None for ever."""
        return days_kept(self.warehouse.retention_days, self.retention_days)

    @property
    def profiles_retention_days(self) -> float | None:
        """How long persons are kept after their last event; None for ever."""
        return days_kept(self.profiles.retention_days, self.retention_days)

    @property
    def has_plan(self) -> bool:
        """Whether any source has a tracking plan."""
        return self.plan is not None or any(source.plan for source in self.sources)

    def source(self, write_key: str | None) -> Source | None:
        """Return the source of a key, or None if it may not write."""
        known = self._by_key.get(write_key or "")
        if self._ends and write_key in self._ends and self._ends[write_key].timestamp() <= time.time():
            return None
        if known is None and self.accept_any_key:
            return Source(write_key or "default")
        return known

    def names(self, write_key: str) -> bool:
        """Tell whether a key is that of a source which the settings name."""
        return write_key in self._by_key

    def source_of_secret(self, key: str | None) -> Source | None:
        """Return the source that a secret key belongs to, or None."""
        return self._by_secret.get(_digest(key)) if key and self._by_secret else None

    def masking_for(self, write_key: str) -> Masking | None:
        """Return what is applied to the events of a source; None where there are no rules.

        Raises:
            SettingsError: a rule is not valid.
        """
        own, of_all = self._masking
        return own.get(write_key, of_all)

    def letter_masking_for(self, write_key: str) -> Masking | None:
        """Return what is applied to refused events of a source: `masking_for`, and `mask_ip`. Raises its errors."""
        if not self.mask_ip:
            return self.masking_for(write_key)
        own, of_all = self._letter_masking
        return own.get(write_key, of_all)

    def origins(self) -> list[str]:
        """Return the origins that any source allows, for the answer to a preflight, which tells no key."""
        if self.accept_any_key:
            return ["*"]
        allowed = sorted({origin for source in self._by_key.values() for origin in source.origins})
        return ["*"] if "*" in allowed else allowed

    def trusts(self, address: str | None) -> bool:
        """Tell whether a connection's address is a proxy whose headers are believed."""
        if self.trust_proxy:
            return True
        if not self._networks:
            return False
        try:
            ip = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens that open this collector: `token`, and those that are named in the data folder."""
        return Tokens(self.data, self.token)

    @cached_property
    def audit_log(self) -> AuditLog:
        """The log of who read, exported, deleted, undid and logged in."""
        return AuditLog(self.data, self.token)

    @cached_property
    def _by_key(self) -> dict[str, Source]:
        return {key: Source(key) for key in self.write_keys} | {
            key.key: source for source in self.sources for key in source.keys
        }

    @cached_property
    def _ends(self) -> dict[str, datetime]:
        return {key.key: key.until for source in self.sources for key in source.keys if key.until is not None}

    @cached_property
    def _by_secret(self) -> dict[bytes, Source]:
        # By a hash: how long a look-up takes then tells nothing of the secret.
        return {_digest(key): one for one in self.sources for key in one.secret_keys}

    @cached_property
    def _masking(self) -> tuple[dict[str, Masking], Masking | None]:
        return self._maskings(())

    @cached_property
    def _letter_masking(self) -> tuple[dict[str, Masking], Masking | None]:
        return self._maskings((MaskingRule("mask", ("context.ip",), "ip"),))

    def _maskings(self, before: tuple[MaskingRule, ...]) -> tuple[dict[str, Masking], Masking | None]:
        own = {
            one.write_key: Masking((*before, *self.masking, *one.masking), self.masking_key)
            for one in self.sources
            if one.masking
        }
        of_all = (*before, *self.masking)
        return own, Masking(of_all, self.masking_key) if of_all else None

    @cached_property
    def _networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        try:
            return [ipaddress.ip_network(text, strict=False) for text in self.trusted_proxies]
        except ValueError as error:
            raise SettingsError(f"trusted_proxies: {error}") from error


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()


def settings_to_json(settings: Settings) -> bytes:
    """Return settings in one line, for another process of ours. It holds the token."""
    values = {one.name: getattr(settings, one.name) for one in fields(settings)}
    return msgspec.json.encode(values, enc_hook=str)


def settings_from_json(text: str) -> Settings:
    """Return what `settings_to_json` was given."""
    return msgspec.json.decode(text, type=Settings, dec_hook=lambda kind, value: kind(value))
