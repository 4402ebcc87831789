"""Filters for the templates, which format values for people."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape
from satsuma.clock import iso_time

LONGEST_JSON = 100_000
"""The most characters of JSON that a page shows."""

SHORT = 22
LONGEST_VALUE = 2000

TOKENS = re.compile(
    r"""(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)"""
)


def clock_time(milliseconds: float) -> str:
    """Return the time of day, in UTC."""
    return iso_time(milliseconds)[11:19]


def day(milliseconds: float) -> str:
    """Return the date, in UTC."""
    return iso_time(milliseconds)[:10]


def moment(milliseconds: float) -> str:
    """Return date and time, in UTC."""
    return iso_time(milliseconds)[:19].replace("T", " ")


def ago(milliseconds: float) -> str:
    """Return how long ago a time was, in one unit."""
    seconds = time.time() - milliseconds / 1000
    return "now" if seconds < 1.5 else f"{span(seconds * 1000)} ago"


def span(milliseconds: float) -> str:
    """Return a duration, in one unit."""
    if milliseconds < 1000:
        return f"{round(milliseconds)} ms"
    seconds = milliseconds / 1000
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = round(seconds / size)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{round(seconds)} s"


def short(text: str) -> str:
    """Return an id, with its middle left out if it is long."""
    return text if len(text) <= SHORT else f"{text[:12]}…{text[-6:]}"


def pretty(value: Any) -> Markup:
    """Return a value as JSON in HTML, with highlighted syntax. All of it is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    cut = len(text) > LONGEST_JSON
    text = text[:LONGEST_JSON]
    parts, end = [], 0
    for token in TOKENS.finditer(text):
        parts += [
            escape(text[end : token.start()]),
            Markup('<span class="j-{}">{}</span>').format(token.lastgroup, token[0]),
        ]
        end = token.end()
    parts.append(escape(text[end:] + ("\n… cut" if cut else "")))
    return Markup("").join(parts)


def plain(value: Any) -> str:
    """Return a value as text: strings as they are, everything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def number(value: float) -> str:
    """Return a number with separators between thousands."""
    return f"{value:,.0f}".replace(",", " ")


def term(kind: str) -> str:
    """Return the name of an identifier's type in events: ``userId`` for ``user_id``."""
    head, *tail = kind.split("_")
    return head + "".join("Id" if part == "id" else part.capitalize() for part in tail)


def plural(count: int, word: str) -> str:
    """Return a count with its noun."""
    return f"{number(count)} {word}{'' if count == 1 else 's'}"


def segment(text: str) -> str:
    """Return a text encoded as one segment of a path, whatever characters it has."""
    return quote(text, safe="")


FILTERS = {
    "clock": clock_time,
    "day": day,
    "moment": moment,
    "ago": ago,
    "span": span,
    "short": short,
    "pretty": pretty,
    "plain": plain,
    "number": number,
    "plural": plural,
    "term": term,
    "segment": segment,
    "iso": iso_time,
}
