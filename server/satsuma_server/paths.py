"""Paths as they were sent, and only such that mean the same to everybody who reads them.

A server routes by a decoded path, a client library removes dot segments, a proxy in front may do both or neither. So
whatever one of them could read in another way than the others is refused before anything is routed. The rule is that
of RFC 3986, section 6.2.2: a path is normal when it has no dot segments, and when nothing is percent-encoded that need
not be. Empty segments, backslashes, control characters and path parameters after dots are refused as well.

One segment is freer, since nobody routes by it: the ``TYPE:ID`` of a person. An id is any text, and its value may
hold whatever can be percent-encoded, a slash and a NUL included.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor

from .errors import BadRequestError

PEOPLE = (["v1", "profiles"], ["v1", "people"], ["console", "people"])
"""What stands before the segment that names a person."""

_SIGNS = r"A-Za-z0-9_~!$&'()*+,;=:@"
_PLAIN = re.compile(rf"(?:/[{_SIGNS.replace(';', '')}-][{_SIGNS.replace(';', '')}.-]*)*/?")
"""Paths that need no closer look: no escapes, no parameters, and no segment that begins with a dot."""

_WELL_FORMED = re.compile(rf"(?:[{_SIGNS}.-]|%[0-9A-Fa-f]{{2}})+")
_NEEDLESS = re.compile(r"%(?:3[0-9]|[46][1-9A-F]|[57][0-9A]|2[DEF]|5[CF]|[01][0-9A-F]|7F)", re.IGNORECASE)
"""Escapes of letters, digits, ``-``, ``.`` and ``_``, which stand for themselves; and of what may not be in a segment:
the slash, the backslash and control characters. The tilde is left out, since some encoders escape it."""

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
    """Return a request's path below where the app is mounted, percent-encoded as it was sent.

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
    """Tell whether a percent-encoded path means the same to everybody; see above."""
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
    # An escape that is left was encoded twice, for a reader who decodes twice. Some readers drop what follows a
    # semicolon, or spaces at the end, before they look for dots.
    return bool(name.strip(" .")) and not _ESCAPE.search(decoded)


def _below(path: str, scope: MutableMapping[str, Any]) -> str | None:
    """Return what of a path is below the app's root. None where its slashes are not those of the decoded path."""
    root: str = scope.get("root_path", "")
    if not root or not (scope["path"] == root or scope["path"].startswith(f"{root}/")):
        return path
    above, below = root.count("/") + 1, path.split("/")
    if unquote("/".join(below[:above])) != root:
        return None
    return "".join(f"/{segment}" for segment in below[above:])
