"""The settings ``[[destinations]]``: where events go on to, which of them, and how patiently."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Literal

import msgspec

from satsuma_server.errors import SettingsError

from .paths import segments_of

MOST_DESTINATIONS = 50
MOST_RULES = 100
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

EventType = Literal["track", "identify", "page", "screen", "group", "alias"]


class SecretReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is read from: an environment variable, or a file. The settings never have a secret itself.

    Attributes:
        env: name of the variable.
        file: path of the file; a line break at its end is not part of the secret.
    """

    env: str = ""
    file: str = ""


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"is_": "is", "not_": "not"}):
    """A condition that an event has to meet. All that are given here have to hold.

    Attributes:
        path: a member of the event, as ``properties.total``. A name with a dot is in quotes.
        is_: the values of which it is one.
        like: a text with ``*`` and ``?`` that it is like, as ``https://shop.example/*``. Upper and lower case differ.
        at_least, at_most: bounds of a number.
        exists: whether it is there and not null.
        not_: take the events that don't meet the condition.
    """

    path: str
    is_: tuple[str | int | float | bool, ...] | None = None
    like: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    exists: bool | None = None
    not_: bool = False


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    """What all destinations have.

    Attributes:
        name: its name in the command, the console and the file of its state. A new name is a new destination.
        integration: its name in an event's ``integrations``, in addition to `name` and the name of its kind.
        sources: write keys of the sources whose events it gets; empty for all.
        types: types of the events that it gets; empty for all.
        events: names of the track events that it gets, with ``*`` and ``?``; empty for all. Other types pass.
        filters: further conditions; an event has to meet all of them.
        mapping: members that are moved: from a path to a path, or to an empty text to leave them out.
        transform: a function of yours as ``module:function``. It takes the event, and returns it as it should go, or
            None where it should not.
        consent: categories of ``context.consent.categoryPreferences``; the visitor must have agreed to all of them.
        consent_missing: what becomes of an event that tells nothing of consent.
        start: where a new destination begins: with events that come from now on, or with the oldest in the log.
        rate: how many events it gets in a second at most; None for no limit.
        gather_seconds: how long to wait for more events before a request is made, to make fewer and larger ones.
        concurrency: how many requests are under way at once. The events of one person never are in two of them.
        batch: the most events of one request; None for what the destination allows.
        timeout_seconds: how long one request may take.
        give_up_hours: for how long events are tried again before they are set aside as failed.
        label: name of its kind in ``integrations``, as in Segment's catalogue.
    """

    label: ClassVar[str] = ""

    name: str
    integration: str = ""
    sources: tuple[str, ...] = ()
    types: tuple[EventType, ...] = ()
    events: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    mapping: dict[str, str] = {}
    transform: str = ""
    consent: tuple[str, ...] = ()
    consent_missing: Literal["skip", "send"] = "skip"
    start: Literal["now", "beginning"] = "now"
    rate: float | None = None
    gather_seconds: float = 0.0
    concurrency: int = 4
    batch: int | None = None
    timeout_seconds: float = 10.0
    give_up_hours: float = 4.0

    def check(self) -> None:
        """Check what the types don't. Raises `SettingsError`."""
        for ok, problem in self._conditions():
            if not ok:
                raise SettingsError(f"destinations, {self.name or 'one without a name'}: {problem}")
        for one in self.filters:
            segments_of(one.path)
            if one == Filter(one.path, not_=one.not_):
                raise SettingsError(
                    f"destinations, {self.name}: the filter of {one.path} needs is, like, at_least, at_most or exists"
                )
        for source, target in self.mapping.items():
            segments_of(source)
            if target:
                segments_of(target)

    def _conditions(self) -> list[tuple[bool, str]]:
        return [
            (
                NAME.fullmatch(self.name) is not None,
                "name has to be of at most 60 lower case letters, digits, - and _",
            ),
            (self.rate is None or 0 < self.rate < math.inf, "rate must be more than 0"),
            (1 <= self.concurrency <= 64, "concurrency must be from 1 to 64"),
            (self.batch is None or 1 <= self.batch <= 10_000, "batch must be from 1 to 10000"),
            (0 <= self.gather_seconds <= 3600, "gather_seconds must be from 0 to 3600"),
            (0 < self.timeout_seconds <= 600, "timeout_seconds must be more than 0, and at most 600"),
            (0 < self.give_up_hours <= 24 * 366, "give_up_hours must be more than 0, and at most 8784"),
            (len(self.filters) <= MOST_RULES, f"there are more than {MOST_RULES} filters"),
            (len(self.mapping) <= MOST_RULES, f"mapping has more than {MOST_RULES} members"),
            (not self.transform or FUNCTION.fullmatch(self.transform) is not None, "transform is no module:function"),
        ]


class WebhookDestination(Destination, frozen=True, tag="webhook"):
    """POSTs events as JSON to a URL.

    Attributes:
        url: where to. It may be a secret.
        secret: the secret that requests are signed with, as docs/destinations.md says; None for no signature.
        headers: further headers, which may be secrets.
        single: send each event in a request of its own, as its JSON object. Otherwise the body is
            ``{"batch": [event, …]}``.
        deletions: whether a message ``delete`` is sent when a person is deleted.
    """

    label: ClassVar[str] = "Webhooks"

    url: str | SecretReference
    secret: SecretReference | None = None
    headers: dict[str, str | SecretReference] = {}
    single: bool = False
    deletions: bool = True

    def _conditions(self) -> list[tuple[bool, str]]:
        return [*super()._conditions(), (is_url(self.url), "url must begin with https:// or http://")]


class PythonDestination(Destination, frozen=True, tag="python"):
    """Hands events to a function, or to a plugin, of yours.

    Attributes:
        python: it, as ``module:function``.
    """

    python: str

    def _conditions(self) -> list[tuple[bool, str]]:
        return [
            *super()._conditions(),
            (FUNCTION.fullmatch(self.python) is not None, "python is no module:function"),
        ]


def is_url(value: str | SecretReference) -> bool:
    """Tell whether a value can be a URL. What a secret has is known only when it is read."""
    return isinstance(value, SecretReference) or value.startswith(("https://", "http://"))


def check_destinations(destinations: Sequence[Destination]) -> None:
    """Check destinations each by itself, and that no two have the same name. Raises `SettingsError`."""
    if len(destinations) > MOST_DESTINATIONS:
        raise SettingsError(f"there are more than {MOST_DESTINATIONS} destinations")
    for one in destinations:
        one.check()
    for name, count in Counter(one.name for one in destinations).items():
        if count > 1:
            raise SettingsError(f"destinations: the name {name!r} is there {count} times")
