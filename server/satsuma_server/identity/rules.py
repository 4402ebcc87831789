"""The settings ``[profiles]``: which identifiers make a person, how many, and which values name nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import msgspec

from satsuma_server.errors import SettingsError

from .identifiers import ANONYMOUS_ID, PREVIOUS_ID, PROFILE, USER_ID

SQLITE = "sqlite"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

BLOCKED = frozenset(
    {
        *("-1", "null", "(null)", "nil", "none", "undefined", "nan", "n/a", "true", "false", "[object object]"),
        *("unknown", "anonymous", "guest", "visitor", "not_authenticated"),
        *("id", "user_id", "userid", "anonymous_id", "anonymousid", "distinct_id", "distinctid", "email"),
    }
)
"""Values that programs send where they mean nobody, in upper or lower case.

Sources: the values that Segment's identity resolution blocks by default, and PostHog's list of illegal distinct ids.
"""

ZEROS = re.compile(r"[0\s.\-]*")
"""Values of zeros also mean nobody, such as ``0`` and ``00000000-0000-0000-0000-000000000000``, and empty values."""

PATHS = {
    "email": ("traits.email", "context.traits.email"),
    "phone": ("traits.phone", "context.traits.phone"),
    "group": ("groupId", "context.groupId"),
    "device": ("context.device.id",),
}
"""The paths in events of identifiers with well-known names, unless the settings say otherwise."""

FOLDED = frozenset({"email"})
"""Identifiers for which upper and lower case are the same."""


class IdentifierSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one type of identifier, for example ``[profiles.identifiers.email]``.

    Attributes:
        paths: where it is in events, in dotted form such as ``traits.email``. A few names have default paths.
        limit: how many of them a profile may have; 0 for any number. None means the default: one userId, 1000
            anonymousIds, and 5 of any other type.
        priority: 1 is the highest. An event belongs to its identifier of highest priority. None means the default:
            user_id is 1, anonymous_id is last, and others are between them in the order of their names.
        ignore_case: whether upper and lower case are the same. None means the default: only for ``email``.
        blocked: additional values that name nobody.
    """

    paths: tuple[str, ...] = ()
    limit: int | None = None
    priority: int | None = None
    ignore_case: bool | None = None
    blocked: tuple[str, ...] = ()


class ProfileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[profiles]``.

    Attributes:
        store: ``sqlite`` for a file in the data folder, or a ``postgresql://`` URL.
        per_source: whether each source has people of its own. By default, a userId is the same person in all sources of
            a collector, because they share a database: so events of site, app and server get one profile.
        links_per_hour: how many new anonymousIds may join a userId from one address within an hour, unless they are
            verified; 0 for any number.
        protect: whether the limits apply. Without them, everything that is linked is one person.
        blocked: additional values that name nobody, for all types of identifiers.
        identifiers: additional types of identifiers, and other limits for ``user_id`` and ``anonymous_id``.
        retention_days: how long a person is kept after their last event; None as long as events are kept.
    """

    store: str = SQLITE
    per_source: bool = False
    links_per_hour: int = 100
    protect: bool = True
    blocked: tuple[str, ...] = ()
    identifiers: dict[str, IdentifierSettings] = {}
    retention_days: float | Literal["forever"] | None = None


@dataclass(frozen=True)
class IdentifierType:
    """The rules for one type of identifier.

    Attributes:
        paths: the keys that lead to it in an event.
        limit: the most of them in a profile; None for any number.
        priority: a lower number comes first.
    """

    type: str
    paths: tuple[tuple[str, ...], ...]
    limit: int | None
    priority: int
    ignore_case: bool
    blocked: frozenset[str]

    def clean(self, value: str) -> str:
        """Return a value as it is compared."""
        # Postgres can't store NUL characters, and some functions of SQLite stop at them.
        text = value.replace("\0", "\ufffd")
        return text.strip().casefold() if self.ignore_case else text

    def is_blocked(self, value: str) -> bool:
        """Tell whether a value names nobody."""
        return value.strip().casefold() in self.blocked or ZEROS.fullmatch(value) is not None


class Rules:
    """The rules that the settings result in."""

    def __init__(self, settings: ProfileSettings) -> None:
        """Take the settings.

        Raises:
            SettingsError: a setting is not valid; the message names it.
        """
        self.per_source = settings.per_source
        given = settings.identifiers
        blocked = BLOCKED | {one.strip().casefold() for one in settings.blocked}
        more = sorted(name for name in given if name not in (USER_ID, ANONYMOUS_ID))
        self.kinds: dict[str, IdentifierType] = {}
        for place, (name, limit) in enumerate([(USER_ID, 1), *((name, 5) for name in more), (ANONYMOUS_ID, 1000)]):
            _check_name(name)
            self.kinds[name] = _kind(name, limit, place, given.get(name, IdentifierSettings()), blocked)
        if settings.links_per_hour < 0:
            raise SettingsError("profiles.links_per_hour: is below 0; 0 stands for any number")
        self.links_per_hour = (settings.links_per_hour or None) if settings.protect else None
        self.limits = {one.type: one.limit for one in self.kinds.values() if one.limit and settings.protect}
        if ANONYMOUS_ID in self.limits:
            self.limits[PREVIOUS_ID] = self.limits[ANONYMOUS_ID]

    @cached_property
    def configured(self) -> list[IdentifierType]:
        """The types that are found by their paths."""
        return [kind for kind in self.kinds.values() if kind.paths]

    def clean(self, type: str, value: str) -> str:
        """Return a value as it is compared."""
        kind = self.kinds.get(USER_ID if type == PREVIOUS_ID else type)
        return kind.clean(value) if kind else value


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or name in (PROFILE, PREVIOUS_ID):
        raise SettingsError(f"profiles.identifiers: {name!r} is no name for an identifier: use small letters, as email")


def _kind(name: str, limit: int, place: int, given: IdentifierSettings, blocked: frozenset[str]) -> IdentifierType:
    paths = given.paths or PATHS.get(name, ())
    if given.limit is not None and given.limit < 0:
        raise SettingsError(f"profiles.identifiers.{name}.limit: is below 0; 0 stands for any number")
    if name in (USER_ID, ANONYMOUS_ID) and given.paths:
        raise SettingsError(f"profiles.identifiers.{name}.paths: every event says it by itself")
    if name not in (USER_ID, ANONYMOUS_ID) and not paths:
        raise SettingsError(f'profiles.identifiers.{name}.paths: say where events carry it, as ["traits.{name}"]')
    default = 1_000_000 if name == ANONYMOUS_ID else 1 + place
    return IdentifierType(
        type=name,
        paths=tuple(tuple(path.split(".")) for path in paths),
        limit=(limit if given.limit is None else given.limit) or None,
        priority=default if given.priority is None else given.priority,
        ignore_case=name in FOLDED if given.ignore_case is None else given.ignore_case,
        blocked=blocked | {one.strip().casefold() for one in given.blocked},
    )
