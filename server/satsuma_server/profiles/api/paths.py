"""Reads identifiers from paths such as ``/v1/profiles/user_id:97980cfea0067/traits``."""

from __future__ import annotations

from urllib.parse import unquote

from satsuma.validation import MAX_ID_LENGTH
from starlette.requests import Request

from satsuma_server.errors import NotFoundError
from satsuma_server.identity.identifiers import PREVIOUS_ID, PROFILE, Key
from satsuma_server.identity.rules import Rules
from satsuma_server.paths import path_of


def segments(request: Request, prefix: str) -> list[str]:
    """Return the segments of a path after a prefix, each decoded. An id may have an encoded slash, ``%2F``."""
    path = path_of(request.scope).removeprefix(prefix)
    return [unquote(part) for part in path.split("/") if part]


def key_in(request: Request, prefix: str, rules: Rules) -> tuple[Key, list[str]]:
    """Return the identifier after a prefix in a request's path, and the segments after it.

    Raises:
        NotFoundError: there is no identifier, or its type is unknown.
    """
    first, *rest = segments(request, prefix) or [""]
    return key_of(first, rules, request.query_params.get("source", "")), rest


def source_of(key: Key) -> str | None:
    """Return the source whose person an identifier names; None where it may be a person of several sources."""
    return None if key.type == PROFILE else key.space or None


def key_of(text: str, rules: Rules, source: str = "") -> Key:
    """Convert ``type:value`` into an identifier. Raises the errors of `key_in`."""
    type, colon, value = text.partition(":")
    types = [*rules.kinds, PREVIOUS_ID, PROFILE]
    if not colon or not value or type not in types:
        raise NotFoundError(f"name a person as TYPE:ID, with a type of {', '.join(types)}: not {text[:80]!r}")
    if len(value) > MAX_ID_LENGTH:
        raise NotFoundError(f"nobody has an id of more than {MAX_ID_LENGTH} characters")
    if rules.per_source and not source and type != PROFILE:
        raise NotFoundError("each source has people of its own here: add ?source=WRITE_KEY")
    return Key(type, rules.clean(type, value), source if rules.per_source else "")
