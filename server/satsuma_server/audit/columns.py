"""What an audit needs of an event, wherever a library or an archive puts it.

Source of the shapes: Segment's "Spec: Common Fields" (its archives hold events as the spec has them, with ``projectId``
and ``receivedAt``), and RudderStack's event spec, whose traits lie in ``context.traits`` and whose empty ids are "".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

LONGEST_TEXT = 400
"""Characters of a value that are kept; a URL may have more, and nobody's id does."""

LONGEST_TRAITS = 4_000
"""Characters of the traits of one identify call, as JSON."""

TEXTS: dict[str, tuple[str, ...]] = {
    "type": ("$.type",),
    "source": ("$.writeKey", "$.projectId", "$.sourceId", "$._metadata.sourceId"),
    "message_id": ("$.messageId",),
    "user_id": ("$.userId",),
    "anonymous_id": ("$.anonymousId",),
    "previous_id": ("$.previousId",),
    "event": ("$.event", "$.name"),
    "channel": ("$.channel", "$.context.channel"),
    "library": ("$.context.library.name",),
    "url": ("$.context.page.url",),
    "title": ("$.context.page.title",),
    "referrer": ("$.context.page.referrer",),
    "agent": ("$.context.userAgent",),
    "ip": ("$.context.ip", "$.request_ip"),
    "email": ("$.traits.email", "$.context.traits.email"),
    "phone": ("$.traits.phone", "$.context.traits.phone"),
    "username": ("$.traits.username", "$.context.traits.username"),
    "full_name": ("$.traits.name", "$.context.traits.name"),
    "created": ("$.traits.createdAt", "$.traits.created_at", "$.context.traits.createdAt"),
    "property_user_id": ("$.properties.userId", "$.properties.user_id"),
    "property_email": ("$.properties.email",),
    "property_phone": ("$.properties.phone",),
    "property_name": ("$.properties.firstName", "$.properties.first_name", "$.properties.lastName"),
    "received": ("$.receivedAt",),
    "sent": ("$.sentAt",),
    "happened": ("$.timestamp",),
    "original": ("$.originalTimestamp",),
    "seq": ("$.seq",),
}
"""Columns of text, and the paths of which the first with a value counts."""

TIMES = {
    "received_at": "received",
    "sent_at": "sent",
    "original_at": "original",
    "happened_at": "happened",
    "created_at": "created",
}

BROWSER_LIBRARIES = r"(?i)analytics\.js|analytics-next|javascript|rudder.*js|snippet"
SERVER_LIBRARIES = r"(?i)python|node|ruby|php|java$|go$|golang|\.net|c#|rust|elixir|clojure|scala|server"
MOBILE_LIBRARIES = r"(?i)ios|android|swift|kotlin|flutter|react.?native|xamarin|unity|expo"

EVENTS = """
CREATE TABLE events (
    id BIGINT, seq BIGINT, source VARCHAR, type VARCHAR, message_id VARCHAR, user_id VARCHAR, anonymous_id VARCHAR,
    previous_id VARCHAR, event VARCHAR, step VARCHAR, ts TIMESTAMP, original_at TIMESTAMP, sent_at TIMESTAMP,
    received_at TIMESTAMP, side VARCHAR, library VARCHAR, url VARCHAR, host VARCHAR, path VARCHAR, title VARCHAR,
    referrer_host VARCHAR, agent VARCHAR, browser VARCHAR, ip VARCHAR, email VARCHAR, phone VARCHAR,
    username VARCHAR, full_name VARCHAR, created_at TIMESTAMP, property_user_id VARCHAR, property_email VARCHAR,
    property_phone VARCHAR, property_name VARCHAR, traits VARCHAR)
"""
"""The one table of events. `step` is ``sign_up``, ``login`` or ``logout`` for the events that tell of those, `side`
``browser``, ``server`` or ``mobile``."""


def shape() -> str:
    """Return the columns as `json_transform` takes them: objects in objects, and texts."""
    made: dict[str, Any] = {}
    for path in (path for found in TEXTS.values() for path in found):
        *objects, name = _names(path)
        inner = made
        for one in objects:
            inner = inner.setdefault(one, {})
        inner[name] = "VARCHAR"
    return json.dumps(made)


def insert_statement(sign_up: Sequence[str], login: Sequence[str], logout: Sequence[str]) -> str:
    """Return SQL that puts the events of ``lines (place BIGINT, line VARCHAR)`` into `EVENTS`.

    Args:
        sign_up, login, logout: names of the events that tell of those, in lower case, with words apart.
    """
    steps = " ".join(
        f"WHEN words IN ({_listed(names)}) OR lower(event) IN ({_listed(names)}) THEN '{step}'"
        for step, names in (("sign_up", sign_up), ("login", login), ("logout", logout))
        if names
    )
    moments = ", ".join(f"{_moment(given)} AS {name}" for name, given in TIMES.items())
    times = ", ".join(f"{_likely(name)} AS {name}" for name in TIMES)
    return f"""
INSERT INTO events
WITH found AS (
    SELECT place, line, json_transform(line, {_text(shape())}) AS v FROM given
), texts AS (
    SELECT place, {_texts()},
        CASE WHEN v.type = 'identify' THEN left(coalesce(
            nullif(json_extract(line, '$.traits')::VARCHAR, 'null'),
            json_extract(line, '$.context.traits')::VARCHAR), {LONGEST_TRAITS}) END AS traits
    FROM found
), moments AS (
    SELECT *, {moments} FROM texts
), parts AS (
    SELECT * REPLACE ({times}),
        CASE WHEN type = 'track' THEN trim(regexp_replace(
            lower(regexp_replace(event, '([a-z])([A-Z])', '\\1 \\2', 'g')), '[^a-z]+', ' ', 'g')) END AS words,
        lower(regexp_extract(url, '^https?://([^/?#:]+)', 1)) AS host,
        lower(regexp_extract(referrer, '^https?://([^/?#:]+)', 1)) AS referrer_host,
        regexp_extract(url, '^https?://[^/?#]+(/[^?#]*)', 1) AS path
    FROM moments
)
SELECT place, TRY_CAST(seq AS BIGINT), coalesce(source, ''), type, message_id, user_id, anonymous_id, previous_id,
    event, CASE WHEN type <> 'track' THEN NULL {steps} END,
    coalesce(happened_at, original_at, received_at, sent_at), original_at, sent_at, received_at,
    {_side()}, coalesce(library, 'unknown'), url, nullif(host, ''),
    CASE WHEN url IS NOT NULL THEN coalesce(nullif(path, ''), '/') END, title, nullif(referrer_host, ''),
    agent, {_browser()}, ip, email, phone, username, full_name, created_at, property_user_id, property_email,
    property_phone, property_name, traits
FROM parts
"""


def _texts() -> str:
    columns = []
    for name, found in TEXTS.items():
        marks = [f"nullif(v{''.join(f'[{_text(one)}]' for one in _names(path))}, '')" for path in found]
        value = marks[0] if len(marks) == 1 else f"coalesce({', '.join(marks)})"
        # Bytes are counted first: nearly all texts are short, and to count characters takes as long as all the rest.
        columns.append(f"if(strlen({value}) > {LONGEST_TEXT}, left({value}, {LONGEST_TEXT}), {value}) AS {name}")
    return ", ".join(columns)


def _names(path: str) -> list[str]:
    return path.removeprefix("$.").split(".")


def _moment(column: str) -> str:
    """Return a time in UTC. What can't be read as one is null."""
    # Nearly all times are in UTC, and say so by a Z. The others need a calendar, which takes twice as long. Traits, as
    # `createdAt` for Intercom, are often seconds since 1970, and what JavaScript counts are milliseconds.
    return f"""CASE WHEN suffix({column}, 'Z') THEN TRY_CAST({column} AS TIMESTAMP)
        WHEN regexp_full_match({column}, '[0-9]{{10}}([.][0-9]+)?') THEN
            epoch_ms((TRY_CAST({column} AS DOUBLE) * 1000)::BIGINT)
        WHEN regexp_full_match({column}, '[0-9]{{13}}([.][0-9]+)?') THEN epoch_ms(TRY_CAST({column} AS DOUBLE)::BIGINT)
        ELSE TRY_CAST({column} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"""


def _likely(moment: str) -> str:
    """Return a time, or null where it lies beyond the times that anybody means."""
    return f"CASE WHEN {moment} BETWEEN TIMESTAMP '1990-01-01' AND TIMESTAMP '2100-01-01' THEN {moment} END"


def _side() -> str:
    return f"""CASE
        WHEN channel IN ('client', 'web', 'browser') THEN 'browser'
        WHEN channel = 'server' THEN 'server'
        WHEN channel = 'mobile' THEN 'mobile'
        WHEN regexp_matches(library, '{MOBILE_LIBRARIES}') THEN 'mobile'
        WHEN regexp_matches(library, '{BROWSER_LIBRARIES}') THEN 'browser'
        WHEN regexp_matches(library, '{SERVER_LIBRARIES}') THEN 'server'
        WHEN url IS NOT NULL THEN 'browser' ELSE 'server' END"""


def _browser() -> str:
    """Return the family of a browser. The order counts: all of them claim to be Safari, and most to be Chrome."""
    return """CASE
        WHEN agent IS NULL THEN NULL
        WHEN agent LIKE '%Firefox/%' OR agent LIKE '%FxiOS/%' THEN 'Firefox'
        WHEN agent LIKE '%Edg/%' OR agent LIKE '%EdgA/%' OR agent LIKE '%EdgiOS/%' THEN 'Edge'
        WHEN agent LIKE '%OPR/%' THEN 'Opera'
        WHEN agent LIKE '%SamsungBrowser/%' THEN 'Samsung Internet'
        WHEN agent LIKE '%CriOS/%' OR agent LIKE '%Chrome/%' THEN 'Chrome'
        WHEN agent LIKE '%Safari/%' AND agent LIKE '%Version/%' THEN 'Safari'
        ELSE 'other' END"""


def _listed(values: Sequence[str]) -> str:
    return ", ".join(_text(value) for value in values)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
