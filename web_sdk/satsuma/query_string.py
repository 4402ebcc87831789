"""Calls that a link causes by its query string: ``?ajs_uid=…&ajs_trait_plan=…&ajs_event=…&ajs_prop_…&ajs_aid=…``.

Source: analytics-next ``core/query-string``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeGuard

from .environment import decode_gracefully
from .validation import MAX_ID_LENGTH

MARK = "ajs_"
TRAIT, PROPERTY = "ajs_trait_", "ajs_prop_"


def _anything(text: str) -> bool:
    return bool(text)


@dataclass(frozen=True, slots=True)
class QueryPatterns:
    """The load option ``useQueryString``, which limits the ids that a link may set, since anybody can write a link.

    Attributes:
        aid: returns whether an anonymousId is acceptable.
        uid: returns whether a userId is acceptable.
    """

    aid: Callable[[str], bool] = _anything
    uid: Callable[[str], bool] = _anything


@dataclass(slots=True)
class QueryCalls:
    """The calls and ids in a query string; None for those that it doesn't have."""

    anonymous_id: str | None = None
    user_id: str | None = None
    traits: dict[str, str] = field(default_factory=dict)
    event: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


def read_query(query: str, patterns: QueryPatterns) -> QueryCalls:
    """Read a query string, with or without its question mark."""
    if MARK not in query:
        return QueryCalls()
    given: dict[str, str] = {}
    for pair in query.removeprefix("?").split("&"):
        name, _, value = pair.partition("=")
        given[name] = decode_gracefully(value.partition("=")[0])
    anonymous_id, user_id = given.get("ajs_aid"), given.get("ajs_uid")
    return QueryCalls(
        anonymous_id=anonymous_id if _is_id(anonymous_id) and patterns.aid(anonymous_id) else None,
        user_id=user_id if _is_id(user_id) and patterns.uid(user_id) else None,
        traits=_with_prefix(given, TRAIT),
        event=given.get("ajs_event") or None,
        properties=_with_prefix(given, PROPERTY),
    )


def _is_id(text: str | None) -> TypeGuard[str]:
    # Whoever made a link has made it too long for any event: the visitor who followed it stays who they are.
    return text is not None and 0 < len(text) <= MAX_ID_LENGTH


def _with_prefix(given: dict[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
