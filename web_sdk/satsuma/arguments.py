"""Reads the many forms of arguments of analytics.js's calls into one form.

Source: analytics-core ``arguments-resolver``. Arguments are Python values: texts, numbers, None, dicts (for
JavaScript's plain objects) and callables. Anything else takes a position, but is ignored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import ArgumentError

Callback = Callable[..., Any]


@dataclass(slots=True)
class Call:
    """The arguments of one call.

    Attributes:
        options: ``integrations``, ``context``, ``timestamp``, ``anonymousId`` … for this event only.
        callback: called once the event was passed to the destinations.
    """

    options: dict[str, Any] = field(default_factory=dict)
    callback: Callback | None = None


@dataclass(slots=True)
class TrackCall(Call):
    event: str = ""
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PageCall(Call):
    """The arguments of ``page`` and ``screen``."""

    category: str | None = None
    name: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class IdentifyCall(Call):
    """The arguments of ``identify`` and ``group``. `id` is None where the call has none."""

    id: str | None = None
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class AliasCall(Call):
    to: str | None = None
    from_: str | None = None


def read_track(args: Sequence[Any]) -> TrackCall:
    """Read ``track(event, properties?, options?, callback?)`` or ``track({event, properties}, options?, callback?)``.

    Raises:
        ArgumentError: there is no event name.
    """
    first, second, third, _ = _padded(args, 4)
    name = first.get("event") if isinstance(first, dict) else first
    if not name or not isinstance(name, str):
        raise ArgumentError("Event missing", "give the event's name first, as in track('Signed Up')")
    if isinstance(first, dict):
        properties = first.get("properties") or {}
        options = second if not callable(second) else third
    else:
        properties = second if isinstance(second, dict) else {}
        options = third
    return TrackCall(_object(options), _callback(args), name, dict(properties))


def read_page(args: Sequence[Any]) -> PageCall:
    """Read ``page(category?, name?, properties?, options?, callback?)``. A single text is the name."""
    given = _padded(args, 5)
    texts = [arg for arg in given if isinstance(arg, str)]
    category, name = None, None
    if len(texts) == 1:
        name = texts[0]
    elif len(texts) == 2:
        category = given[0] if isinstance(given[0], str) else None
        name = given[1] if isinstance(given[1], str) else None
    properties, options = _page_objects(given)
    return PageCall(options, _callback(args), category, name, properties)


def _page_objects(given: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    objects = [arg for arg in given if isinstance(arg, dict)]
    if len(objects) == 1:
        only_options = not isinstance(given[2], dict) and isinstance(given[3], dict)
        return ({}, dict(objects[0])) if only_options else (dict(objects[0]), {})
    if len(objects) == 2:
        return dict(objects[0]), dict(objects[1])
    return {}, {}


def read_identify(args: Sequence[Any]) -> IdentifyCall:
    """Read ``identify(id?, traits?, options?, callback?)`` (and ``group``).

    Numbers become texts. The id may be missing.
    """
    call = IdentifyCall()
    expected = ["callback", "options", "traits", "id"]
    for arg in args:
        place = expected.pop() if expected else None
        if place == "id":
            if isinstance(arg, str) or _is_number(arg):
                call.id = id_text(arg)
                continue
            if arg is None or isinstance(arg, float):
                # NaN and infinity are nobody's id: all who were given one would be the same person.
                continue
            place = expected.pop()
        if place == "traits" and (arg is None or isinstance(arg, dict)):
            call.traits = dict(arg or {})
        elif place == "options" and (arg is None or isinstance(arg, dict)):
            call.options = dict(arg or {})
        if callable(arg):
            call.callback = arg
            break
    return call


def read_alias(args: Sequence[Any]) -> AliasCall:
    """Read ``alias(to, from?, options?, callback?)``. Numbers become texts."""
    to, from_, options, callback = _padded(args, 4)
    given = [
        id_text(to) if _is_number(to) else to,
        id_text(from_) if _is_number(from_) else from_,
        options,
        callback,
    ]
    texts = [arg for arg in given if isinstance(arg, str)]
    objects = [arg for arg in given if isinstance(arg, dict)]
    return AliasCall(
        dict(objects[0]) if objects else {},
        _callback(args),
        texts[0] if texts else None if isinstance(to, float) else to,
        texts[1] if len(texts) > 1 else None,
    )


def id_text(value: str | float) -> str:
    """Return an id as text, as JavaScript's ``toString`` does: 7.0 is "7"."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _padded(args: Sequence[Any], count: int) -> list[Any]:
    return [*args, *[None] * count][:count]


def _object(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _callback(args: Sequence[Any]) -> Callback | None:
    return next((arg for arg in args if callable(arg)), None)
