"""What a collector is told at its start."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
from satsuma.platforms.server.signing import SHORTEST_SECRET

from .access import AuditLog, Tokens
from .errors import SettingsError
from .forwarding import AnyDestination, destinations_from
from .identity.rules import ProfileSettings, Rules
from .log.jetstream.options import NatsSettings, check_options
from .masking import Masking, MaskingRule

RUNTIME = Path(__file__).parent / "assets" / "runtime"
"""Where `./dev build`, or the wheel, puts the browser's files."""

ANYWHERE = ("*",)

PlanMode = Literal["mark", "refuse"]
"""What becomes of an event that is not as planned: kept with a mark, or refused."""

OwnRetention = float | Literal["forever"] | None
"""How many days a part of the collector keeps what it has; None for as many as the setting `retention_days` says."""

PinnedType = Literal["boolean", "integer", "number", "text"]

MetricsMode = Literal["local", "token", "public"]
"""Who may read metrics without a token: programs of this machine, nobody, or everybody."""

MIN_TOKEN_SIGNS = 8
"""How many different characters a token has at least. A random one of 32 hexadecimal digits has 14 on average."""

MOST_WORKERS = 64
"""How many processes may take requests. One writes for all of them, and can't for so many."""

IdentifyMode = Literal["open", "signed", "server"]
"""Whose word on a userId counts: anybody's, that of a signature or a secret key, or that of a secret key alone."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many events one sender may send.

    Attributes:
        events_per_second: on average.
        burst: how many at once, after a rest. None means ten seconds' worth.
    """

    events_per_second: float
    burst: float | None = None

    @property
    def most(self) -> float:
        """The burst, as a number."""
        return 10 * self.events_per_second if self.burst is None else self.burst


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of all senders; None for no limit.

    Attributes:
        address: for each address (of IPv6, for each /64 network), except servers that send a secret key or a token.
        source: for each source that has no limit of its own.
    """

    address: Limit | None = None
    source: Limit | None = None


class WriteKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another write key of a source, and the time at which it ends; None for never."""

    key: str
    until: datetime | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site, app or server that may write.

    Attributes:
        write_key: what its events carry. Public: it is in every page.
        write_key_until: when pages may no longer send `write_key`. It stays the source's name in the log.
        other_write_keys: keys that count as `write_key`, so that keys can be changed.
        name: for people.
        origins: pages that may write with this key, as ``https://shop.example``; ``*`` for any.
        plan: file of its tracking plan; None for that of all.
        plan_mode: what becomes of what is not as planned; None as for all.
        secret_keys: what servers send in place of the write key, as Basic auth user. Several are valid at a time, so
            that they can be changed.
        identify: whose word on a userId counts. ``open``: anybody's. ``signed``: a userId from a page is only a claim
            without a signature. ``server``: userIds and traits from pages are only claims. See docs/security.md.
        signing_secrets: what the site's server signs userIds with. Several are valid at a time, so that they can be
            changed.
        masking: what is dropped, hashed or masked in its events, after the rules of all sources. See docs/masking.md.
        limit: how many events it may send; None for that of all sources. See docs/limits.md.
    """

    write_key: str
    name: str = ""
    origins: tuple[str, ...] = ANYWHERE
    plan: str | None = None
    plan_mode: PlanMode | None = None
    secret_keys: tuple[str, ...] = ()
    identify: IdentifyMode = "open"
    signing_secrets: tuple[str, ...] = ()
    masking: tuple[MaskingRule, ...] = ()
    limit: Limit | None = None
    write_key_until: datetime | None = None
    other_write_keys: tuple[WriteKey, ...] = ()

    def __repr__(self) -> str:
        return f"Source({self.write_key!r})"  # Not its secrets.

    def allows(self, origin: str | None) -> bool:
        """Tell whether a page of `origin` may write; requests that come from no page always may."""
        return origin is None or "*" in self.origins or origin in self.origins


class NewNameSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many new tables of a source, and new columns of a table, may come; others are held.

    Attributes:
        at_once: after a rest; 0 for any number.
        an_hour: how many more with each hour.
    """

    at_once: int = 200
    an_hour: float = 20.0


class WarehouseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables that are built from the log.

    Attributes:
        destination: ``duckdb`` is a file in the collector's folder. Any other is a destination of dlt (``postgres``,
            ``bigquery``, ``snowflake``, ``clickhouse``, …), to which the tables of that file are copied.
        credentials: of the destination, as dlt takes them: a URL, or a table of values.
        options: other arguments of the destination, as dlt's factory of that name has them.
        seconds: between loads.
        query_seconds: how long a query may take.
        memory: most that DuckDB may use, as ``512MB``.
        new_names: how many new names may come.
        types: types of columns that no event changes, by ``table.column`` or ``schema.table.column``.
        retention_days: how long rows are kept after their event was received; None as long as events are kept.
    """

    destination: str = "duckdb"
    credentials: str | dict[str, Any] = ""
    options: dict[str, Any] = {}
    seconds: float = 5.0
    query_seconds: float = 30.0
    memory: str = "512MB"
    new_names: NewNameSettings = NewNameSettings()
    types: dict[str, PinnedType] = {}
    retention_days: OwnRetention = None

    def __post_init__(self) -> None:
        """Raise `ValueError` where a column of `types` is not named in full."""
        for name in self.types:
            if len(parts := name.split(".")) not in (2, 3) or not all(parts):
                raise ValueError(f'types has {name!r}: name the column as "table.column" or "schema.table.column"')


class AuditRuleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of the audit, where it is not as by default.

    Attributes:
        share: least part of those who could break it, from 0 to 1, of which it is told.
        least: least number of them of which it is told.
        off: the reason for which the rule is switched off; the report shows it.
    """

    share: float | None = None
    least: int | None = None
    off: str = ""


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit of how a site identifies its users; docs/audit.md has the reasons of the defaults.

    Attributes:
        rules: rules that are not as by default, by their ids.
        sign_up_events, login_events, logout_events: names of the events that tell of those, in lower case; words are
            told apart by anything that is no letter, so that ``Signed_Up`` is ``signed up``.
        session_minutes: a visit ends when nothing comes for so long.
        left_ms: a page that is left within so many milliseconds had no time to send.
        cause_seconds: how soon after an identify the event that caused it must come.
        replaced_days: an anonymousId that is replaced sooner than this was not lost by the browser's own rules.
        shared_kinds: an anonymousId that so many kinds of browsers have is shared by them.
        skew_minutes: a clock that is wrong by more is told of.
        late_hours: an event that comes later is late.
        price: of a thousand monthly tracked users, to tell what identify calls spare; 0 for none.
        currency: of that price, for people.
        memory: most that the database may use, as ``400MB``.
    """

    rules: dict[str, AuditRuleSettings] = {}
    sign_up_events: tuple[str, ...] = (
        "signed up",
        "sign up",
        "sign up completed",
        "user signed up",
        "account created",
        "user registered",
        "registered",
        "registration completed",
    )
    login_events: tuple[str, ...] = ("signed in", "logged in", "login", "user logged in", "user signed in")
    logout_events: tuple[str, ...] = ("signed out", "logged out", "logout", "user logged out", "user signed out")
    session_minutes: int = 30
    left_ms: int = 1_000
    cause_seconds: int = 10
    replaced_days: int = 7
    shared_kinds: int = 3
    skew_minutes: int = 5
    late_hours: int = 24
    price: float = 0.0
    currency: str = "USD"
    memory: str = "400MB"

    def values(self) -> dict[str, int]:
        """Return the thresholds that queries name."""
        names = ("session_minutes", "left_ms", "cause_seconds", "replaced_days", "shared_kinds", "skew_minutes")
        return {name: getattr(self, name) for name in (*names, "late_hours")}


class HealthSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit that the collector makes of its own events, for the console's screen Health.

    Attributes:
        every_minutes: how often, where events have come since the last one; 0 for only when somebody asks for one.
        most_events: how many of the newest events are read. Each takes the database some hundred bytes on disk.
        days: events that were received earlier are left out, so that mended mistakes leave the report.
    """

    every_minutes: int = 60
    most_events: int = 200_000
    days: int = 30


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
        return _days(self.warehouse.retention_days, self.retention_days)

    @property
    def profiles_retention_days(self) -> float | None:
        """How long persons are kept after their last event; None for ever."""
        return _days(self.profiles.retention_days, self.retention_days)

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
            key: one for one in self.sources for key in (one.write_key, *(other.key for other in one.other_write_keys))
        }

    @cached_property
    def _ends(self) -> dict[str, datetime]:
        keys = [
            key for one in self.sources for key in (WriteKey(one.write_key, one.write_key_until), *one.other_write_keys)
        ]
        return {one.key: one.until for one in keys if one.until is not None}

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


def _days(own: OwnRetention, of_events: float | None) -> float | None:
    if own == "forever":
        return None
    return of_events if own is None else own


def weakness_of(token: str) -> str | None:
    """Return why a token could be guessed, as the end of a sentence; None where it couldn't."""
    if len(token) < SHORTEST_SECRET:
        return f"has fewer than {SHORTEST_SECRET} characters"
    if len(set(token)) < MIN_TOKEN_SIGNS:
        return f"has fewer than {MIN_TOKEN_SIGNS} different characters"
    return None


def check_token(token: str) -> None:
    """Check that a token can't be guessed. Raises `SettingsError` where it could."""
    if (weakness := weakness_of(token)) is not None:
        raise SettingsError(
            f"the token {weakness}, so it could be guessed: leave it out, and a random one is made at each start, or "
            "make one that stays with: openssl rand -hex 32"
        )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()


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
        _check_secrets(source)
    _check_keys(settings.sources)
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


def _check_keys(sources: Sequence[Source]) -> None:
    keys = [key for one in sources for key in (WriteKey(one.write_key, one.write_key_until), *one.other_write_keys)]
    for key, count in Counter(one.key for one in keys).items():
        if count > 1:
            raise SettingsError(f"sources: the write key {key!r} is there {count} times")
    for one in keys:
        if one.until is not None and one.until.tzinfo is None:
            raise SettingsError(f"sources: the time at which {one.key!r} ends needs a zone, as 2027-01-31T00:00:00Z")


def _check_secrets(source: Source) -> None:
    where = f"sources, {source.write_key}"
    for name, given in (("secret_keys", source.secret_keys), ("signing_secrets", source.signing_secrets)):
        if any(len(one) < SHORTEST_SECRET for one in given):
            raise SettingsError(f"{where}: {name} has one of fewer than {SHORTEST_SECRET} characters")
    if source.identify == "signed" and not source.signing_secrets:
        raise SettingsError(f'{where}: identify = "signed" needs signing_secrets')


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


def settings_to_json(settings: Settings) -> bytes:
    """Return settings in one line, for another process of ours. It holds the token."""
    values = {one.name: getattr(settings, one.name) for one in fields(settings)}
    return msgspec.json.encode(values, enc_hook=str)


def settings_from_json(text: str) -> Settings:
    """Return what `settings_to_json` was given."""
    return msgspec.json.decode(text, type=Settings, dec_hook=lambda kind, value: kind(value))
