"""Names of schemas, tables and columns.

Source of the rules: Segment's "Warehouse Schemas", which converts names by the Go package go-snakecase. Names of events
and properties can be anything that a sender chose. The names returned here have only ASCII letters, digits and
underscores, and a length that every database accepts, so that they are safe inside quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from hashlib import sha256

MOST_CHARACTERS = 63
"""Postgres's limit for a name, the lowest of the databases in common use."""

HASH_CHARACTERS = 8

MOST_REMEMBERED = 20_000
LONGEST_REMEMBERED = 250
"""How many names of each kind are remembered, and how long a text may be for its name to be remembered."""

OWN_SCHEMA = "_satsuma"
RESERVED_SCHEMAS = frozenset(
    {"information_schema", "pg_catalog", "main", "public", "temp", "system", "profiles", OWN_SCHEMA}
)

CALL_TABLES = {"identify": "identifies", "page": "pages", "screen": "screens", "group": "groups", "alias": "aliases"}
"""The table of each type of call, except for track, which has `tracks` and one table for each event."""

TRACKS, USERS, ACCOUNTS = "tracks", "users", "accounts"
RESERVED_TABLES = frozenset({*CALL_TABLES.values(), TRACKS, USERS, ACCOUNTS})

TIMES = ("received_at", "sent_at", "original_timestamp", "timestamp", "uuid_ts")
IDS = ("id", "anonymous_id", "user_id")
REST = "_rest"
"""The column of the fields that have no column of their own, as JSON."""

SEQ = "seq"
CALL_COLUMNS = {
    "track": ("event", "event_text"),
    "page": ("category",),
    "screen": ("category",),
    "group": ("group_id",),
    "alias": ("previous_id",),
}
"""Columns that a type of call has in addition to those that all calls have."""

CONTEXT = "context_"
RESERVED_COLUMNS = frozenset({*TIMES, *IDS, SEQ, REST, "event", "event_text", "group_id", "previous_id"})

_GOOD = re.compile(r"(?:[a-z0-9]|_(?=[a-z0-9]))*")
_WORD = re.compile(r"[A-Z0-9]+[a-z0-9]*|[a-z][a-z0-9]*")


def remembered(name: Callable[[str], str]) -> Callable[[str], str]:
    """Cache a function's results, except for long texts: real names are shorter, and long ones would use up memory."""
    known = lru_cache(MOST_REMEMBERED)(name)

    @wraps(name)
    def look_up(text: str) -> str:
        return known(text) if len(text) <= LONGEST_REMEMBERED else name(text)

    return look_up


def snake_case(text: str) -> str:
    """Return a name as go-snakecase does: ``orderID`` and ``Order ID`` are both ``order_id``.

    The result is empty where the text has no ASCII letter or digit.
    """
    match = _GOOD.match(text)
    assert match is not None  # The pattern can match an empty text, so it always matches.
    good = match.group()
    if len(good) == len(text):
        return good
    if good[-1:].isdigit():
        good = good[:-1]
    words = [word.lower() for word in _WORD.findall(text, len(good))]
    return "_".join([good, *words] if good else words)


@remembered
def schema_name(source: str) -> str:
    """Return the schema of a source."""
    return _apart(_identifier(source, "source"), RESERVED_SCHEMAS)


@remembered
def table_name(event: str) -> str:
    """Return the name of an event's table."""
    return _apart(_identifier(event, "event"), RESERVED_TABLES)


@remembered
def column_name(path: str) -> str:
    """Return the column of a property or trait; `path` is its key, after the keys of the objects around it."""
    name = _identifier(path, "property")
    return fit(f"_{name}") if name in RESERVED_COLUMNS or name.startswith(CONTEXT) else name


@remembered
def context_name(path: str) -> str:
    """Return the column of a field of the event's context."""
    return fit(CONTEXT + _identifier(path, "field"))


def quoted(*names: str) -> str:
    """Return an identifier, or several with dots between, for SQL."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def fit(name: str) -> str:
    """Return a name of at most `MOST_CHARACTERS`; one that is cut ends with a hash of the whole name."""
    if len(name) <= MOST_CHARACTERS:
        return name
    return f"{name[: MOST_CHARACTERS - HASH_CHARACTERS - 1]}_{_hash(name)}"


def _identifier(text: str, kind: str) -> str:
    name = snake_case(text)
    if not name:
        return f"{kind}_{_hash(text)}"
    return fit(f"_{name}" if name[0].isdigit() else name)


def _apart(name: str, reserved: frozenset[str]) -> str:
    return fit(f"_{name}") if name in reserved else name


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_CHARACTERS]
