"""Who may write events, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from satsuma.platforms.server.signing import SHORTEST_SECRET

from satsuma_server.errors import SettingsError
from satsuma_server.masking import MaskingRule

ANYWHERE = ("*",)

PlanMode = Literal["mark", "refuse"]
"""What becomes of an event that is not as planned: kept with a mark, or refused."""

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

    @property
    def keys(self) -> tuple[WriteKey, ...]:
        """All write keys that count as its own, and when each ends."""
        return WriteKey(self.write_key, self.write_key_until), *self.other_write_keys

    def allows(self, origin: str | None) -> bool:
        """Tell whether a page of `origin` may write; requests that come from no page always may."""
        return origin is None or "*" in self.origins or origin in self.origins


def check_keys(sources: Sequence[Source]) -> None:
    """Check that no write key is there twice, and that each end has a zone. Raises `SettingsError` otherwise."""
    keys = [key for one in sources for key in one.keys]
    for key, count in Counter(one.key for one in keys).items():
        if count > 1:
            raise SettingsError(f"sources: the write key {key!r} is there {count} times")
    for one in keys:
        if one.until is not None and one.until.tzinfo is None:
            raise SettingsError(f"sources: the time at which {one.key!r} ends needs a zone, as 2027-01-31T00:00:00Z")


def check_secrets(source: Source) -> None:
    """Check that a source's secrets can't be guessed, and are there where they are needed.

    Raises `SettingsError` otherwise.
    """
    where = f"sources, {source.write_key}"
    for name, given in (("secret_keys", source.secret_keys), ("signing_secrets", source.signing_secrets)):
        if any(len(one) < SHORTEST_SECRET for one in given):
            raise SettingsError(f"{where}: {name} has one of fewer than {SHORTEST_SECRET} characters")
    if source.identify == "signed" and not source.signing_secrets:
        raise SettingsError(f'{where}: identify = "signed" needs signing_secrets')
