"""Checks that a request's path is normal, so that every program that handles it reads it in the same way.

A server routes by the decoded path, a client library removes dot segments, and a proxy in front may do both or neither.
So a path that could be read in two ways is refused before anything is routed. The rule is that of RFC 3986, section
6.2.2: a path is normal when it has no dot segments, and when nothing is percent-encoded without need. Empty segments,
backslashes, control characters and path parameters after dots are refused as well.

One segment is exempt, because no route depends on it: the ``TYPE:ID`` of a person. An id is any text, so it may have
everything that can be percent-encoded, including slashes and NUL characters.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor

from .errors import BadRequestError

PEOPLE = (["v1", "profiles"], ["v1", "people"], ["console", "people"])
"""The segments before the one that names a person."""

_SIGNS = r"A-Za-z0-9_~!$&'()*+,;=:@"
_PLAIN = re.compile(rf"(?:/[{_SIGNS.replace(';', '')}-][{_SIGNS.replace(';', '')}.-]*)*/?")
"""Paths that are certainly normal: without escapes and parameters, and without segments that begin with a dot."""

_WELL_FORMED = re.compile(rf"(?:[{_SIGNS}.-]|%[0-9A-Fa-f]{{2}})+")
_NEEDLESS = re.compile(r"%(?:3[0-9]|[46][1-9A-F]|[57][0-9A]|2[DEF]|5[CF]|[01][0-9A-F]|7F)", re.IGNORECASE)
"""Escapes that are not allowed: of letters, digits, ``-``, ``.`` and ``_``, which need none; and of slashes,
backslashes and control characters, which may not be in a segment. The tilde may be escaped, since some encoders do
that."""

_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_COLON = re.compile(":|%3A", re.IGNORECASE)


class _AnyText(Convertor[str]):
    """``{name:text}`` in a route matches all that follows, with line breaks; Starlette's ``path`` stops at them."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _AnyText())


def path_of(scope: MutableMapping[str, Any]) -> str:
    """Return a request's path, from where the app is mounted, percent-encoded as it was sent.

    Raises:
        BadRequestError: it is not normal.
    """
    raw: bytes | None = scope.get("raw_path")
    text = raw.partition(b"?")[0].decode("latin-1") if raw else quote(scope["path"], safe="/!$&'()*+,;=:@")
    path = _below(text, scope)
    if path is None or not is_normal(path):
        raise BadRequestError(
            "the path is not normal: send it without dot segments, empty segments and needless escapes"
        )
    return path


def is_normal(path: str) -> bool:
    """Tell whether a percent-encoded path is normal, as described above."""
    if _PLAIN.fullmatch(path):
        return True
    first, *segments = path.split("/")
    if first or not segments:
        return False
    if not segments[-1]:
        segments.pop()
    return all(
        _is_person(segment) if index == 2 and segments[:2] in PEOPLE else _is_strict(segment)
        for index, segment in enumerate(segments)
    )


def _is_person(segment: str) -> bool:
    kind, *value = _COLON.split(segment, maxsplit=1)
    return _is_strict(kind) and (not value or not value[0] or _WELL_FORMED.fullmatch(value[0]) is not None)


def _is_strict(segment: str) -> bool:
    if not _WELL_FORMED.fullmatch(segment) or _NEEDLESS.search(segment):
        return False
    decoded = unquote_to_bytes(segment)
    try:
        name = decoded.decode().partition(";")[0]
    except UnicodeDecodeError:
        return False
    # An escape that is left after decoding was encoded twice, for a program that decodes twice. Some programs remove
    # what follows a semicolon, or spaces at the end, before they look for dots.
    return bool(name.strip(" .")) and not _ESCAPE.search(decoded)


def _below(path: str, scope: MutableMapping[str, Any]) -> str | None:
    """Return the part of a path below the app's root; None where its slashes are not those of the decoded path."""
    root: str = scope.get("root_path", "")
    if not root or not (scope["path"] == root or scope["path"].startswith(f"{root}/")):
        return path
    above, below = root.count("/") + 1, path.split("/")
    if unquote("/".join(below[:above])) != root:
        return None
    return "".join(f"/{segment}" for segment in below[above:])
