"""The settings ``[[masking]]`` and ``[[sources.masking]]``: what is looked for, where, and what becomes of it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from satsuma_server.errors import SettingsError

Action = Literal["drop", "hash", "mask"]
ANY, ANY_DEPTH = "*", "**"

KEPT = frozenset(
    {
        *("type", "messageId", "userId", "anonymousId", "groupId", "previousId", "writeKey"),
        *("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
    }
)
"""Fields of an event that no rule changes. Without them nothing would tell what an event is and whose it is."""

PARTS = ("properties", "traits", "context")
"""Fields of an event that stay JSON objects: a rule for a whole value names a member of them."""

MOST_RULES = 100
LONGEST_PATH, LONGEST_REGEX = 500, 1000

_SEGMENT = re.compile(r'"([^"]+)"|([^."]+)')


class MaskingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule.

    Attributes:
        action: ``drop`` removes the member, ``hash`` replaces what is found by a keyed hash, which is always the same
            for the same text, and ``mask`` replaces it by what says nothing of the person.
        where: paths of members, as ``traits.email``, ``properties.*.card`` or ``properties.**.phone``. ``*`` is any one
            name, ``**`` any number of them; lists are looked through; a name with a dot is in quotes. A path in
            ``traits`` also counts in ``context.traits``. Without `where`, the rule looks everywhere in an event.
        find: what is looked for in texts: ``email`` addresses or ``ip`` addresses.
        regex: a regular expression (RE2) in its place. Without `find` and `regex` the whole value is meant.
    """

    action: Action
    where: tuple[str, ...] = ()
    find: Literal["email", "ip"] | None = None
    regex: str | None = None


def segments_of(path: str) -> tuple[str, ...]:
    """Return the segments of a path.

    Raises:
        SettingsError: the path is not valid.
    """
    text = path.removeprefix("$.")
    found, at = [], 0
    while match := _SEGMENT.match(text, at):
        found.append(match[1] or match[2])
        at = match.end()
        if at == len(text):
            return _checked(path, tuple(found))
        if text[at] != ".":
            break
        at += 1
    raise SettingsError(f'masking: {path[:80]!r} is not a path as traits.email, or properties."a.b"')


def _checked(path: str, segments: tuple[str, ...]) -> tuple[str, ...]:
    if len(path) > LONGEST_PATH:
        raise SettingsError(f"masking: a path has more than {LONGEST_PATH} characters")
    if segments.count(ANY_DEPTH) > 1:
        raise SettingsError(f"masking: {path!r} has ** more than once")
    if segments[0] in (*KEPT, ANY, ANY_DEPTH):
        raise SettingsError(
            f"masking: {path!r} would change ids or times, which no rule can: name a member of {', '.join(PARTS)}"
        )
    return segments
