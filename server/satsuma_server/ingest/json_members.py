"""Splits a JSON array or object into the texts of its members, without decoding them.

A decoder accepts or refuses a text as a whole. With this, a member that no decoder accepts is only one item among
others, which can still be decoded.
"""

from __future__ import annotations

import re
from itertools import islice

_SIGNS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},"]', re.DOTALL)
"""Matches whole strings, brackets, commas, and a quotation mark that is never closed.

No character is examined twice, so the work is linear in the length of the text."""

_NAME = re.compile(rb'\s*"((?:[^"\\]++|\\.)*+)"\s*:', re.DOTALL)

_LONE_SURROGATE = re.compile(
    rb"""((?:[^\\]++ | \\[^u] | \\u(?![dD][89a-fA-F])
         | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+)
        (\\u[dD][89a-fA-F][0-9a-fA-F]{2})?""",
    re.DOTALL | re.VERBOSE,
)
"""Matches the escape of half a surrogate pair, with everything before it."""

OPENING, CLOSING = b"[{", b"]}"

MOST_SIGNS = 100_000
"""The most brackets, commas and strings of a text that is split. Python takes a tenth of a second for so many, and real
batches have fewer."""


def well_formed(text: bytes) -> bytes:
    """Return a JSON text with U+FFFD in place of each escaped half of a surrogate pair.

    ``JSON.stringify`` writes such halves since ECMAScript 2019. Decoders in other languages refuse them.
    """
    return _LONE_SURROGATE.sub(lambda match: match[1] + (rb"\ufffd" if match[2] else b""), text)


def items(text: bytes) -> list[bytes]:
    """Return the texts of an array's values, or of an object's names together with their values, in order.

    Args:
        text: an array or an object. Each value may be anything whose brackets and quotation marks are balanced.

    Raises:
        ValueError: the text is not an array or object, its brackets or quotation marks aren't balanced, or there are
            too many of them.
    """
    found: list[bytes] = []
    depth = start = 0
    for match in islice(_SIGNS.finditer(text), MOST_SIGNS):
        sign = match[0]
        if sign in OPENING:
            depth += 1
            if depth == 1:
                _expect_blank(text[: match.start()])
                start = match.end()
        elif depth == 1 and (sign == b"," or sign in CLOSING):
            found.append(text[start : match.start()].strip())
            start = match.end()
            depth -= sign != b","
            if depth == 0:
                _expect_blank(text[start:])
                return [] if found == [b""] else found
        elif sign in CLOSING:
            depth -= 1
        elif sign == b'"' or depth == 0:
            break
    raise ValueError("the JSON's brackets or quotation marks are not in pairs")


def fields(text: bytes) -> dict[str, bytes]:
    """Return the texts of an object's values by their names. Raises the errors of `items`."""
    found = {}
    for item in items(text):
        name = _NAME.match(item)
        if name is None:
            raise ValueError("the JSON has a value without a name")
        found[name[1].decode(errors="replace")] = item[name.end() :].strip()
    return found


def _expect_blank(text: bytes) -> None:
    if text.strip():
        raise ValueError("there is more than one JSON value")
