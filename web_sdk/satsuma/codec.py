"""How values are written in cookies and localStorage, so that a site can change library without losing a visitor.

Source: js-cookie 3 (cookie names and values) and analytics-next's stores (raw text in cookies, JSON in localStorage).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import quote, unquote

from .errors import StorageError

# What encodeURIComponent leaves alone, plus what js-cookie decodes again afterwards.
_VALUE_SAFE = "-_.!~*'()" + "#$&+/:<=>?@[]^`{|}"
_NAME_SAFE = "-_.!~*'" + "#$&+^`|"
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def encode_value(text: str) -> str:
    """Percent-encode a cookie's value.

    Raises:
        StorageError: `text` holds a lone surrogate, which no cookie can carry.
    """
    return _quote(text, _VALUE_SAFE)


def encode_name(name: str) -> str:
    """Percent-encode a cookie's name. Raises as `encode_value`."""
    return _quote(name, _NAME_SAFE)


def _quote(text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise StorageError("the text is not valid Unicode (a lone surrogate): give well-formed text") from error


def find_cookie(header: str, name: str) -> str | None:
    """Return the decoded value of the first cookie called `name`, or None.

    A cookie that can't be decoded counts as absent; quotes around a value are taken off.
    """
    return _cookies(header).get(name)


@lru_cache(maxsize=4)
def _cookies(header: str) -> Mapping[str, str]:
    # One call asks for many cookies of one header, and the next call mostly meets with the same.
    found: dict[str, str] = {}
    for pair in header.split("; ") if header else ():
        key, _, value = pair.partition("=")
        try:
            found.setdefault(_unquote(key), _unquote(value[1:-1] if value.startswith('"') else value))
        except UnicodeDecodeError:
            continue
    return found


def _unquote(text: str) -> str:
    return _ESCAPES.sub(lambda match: unquote(match.group(), errors="strict"), text)


def to_json(value: Any) -> str:
    """Return compact JSON as JavaScript's ``JSON.stringify`` writes it: half a surrogate pair is escaped."""
    text = _ENCODER.encode(value)
    return text if _is_well_formed(text) else _ASCII_ENCODER.encode(value)


def write_id(text: str) -> str:
    """Return an id as a cookie holds it: as it is or, where that would be read as another id, as a JSON string.

    analytics.js, too, reads a JSON string as the text that it stands for.
    """
    return text if _is_well_formed(text) and read_id(text) == text else to_json(text)


def read_id(text: str) -> str | None:
    """Return the id that a cookie, or an item of localStorage, holds; None for none.

    A JSON string is the text that it stands for, and ``null`` is no id. Everything else is an id just as it stands
    there: an id is text, and read as a number ``1e5`` would be the visitor ``100000``.
    """
    if text == "null":
        return None
    value = from_json(text) if text[:1] == '"' else text
    return value if isinstance(value, str) else text


def from_json(text: str) -> Any:
    """Return the value of JSON `text`, or `text` itself where it isn't JSON.

    Source: analytics-next reads broken JSON, and values that other libraries wrote raw, as text.
    """
    try:
        decoded: Any = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text
    return decoded


def _refuse(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JavaScript's JSON.parse does not.
    raise ValueError(f"{name} is not JSON")


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# json.loads and json.dumps make such a one at each call.
_DECODER = json.JSONDecoder(parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"))


def number_to_text(value: Any) -> Any:
    """Return an id that was stored as a number as text; everything else unchanged. Whole numbers keep every digit."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
