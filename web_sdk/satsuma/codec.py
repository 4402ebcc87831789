"""Encodes and decodes values in cookies and localStorage, in analytics.js's format, so that sites can switch libraries.

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

# Characters that encodeURIComponent doesn't encode, and those that js-cookie decodes again afterwards.
_VALUE_SAFE = "-_.!~*'()" + "#$&+/:<=>?@[]^`{|}"
_NAME_SAFE = "-_.!~*'" + "#$&+^`|"
_PLAIN = re.compile(r"[A-Za-z0-9_.-]*")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def encode_value(text: str) -> str:
    """Percent-encode a cookie's value.

    Raises:
        StorageError: `text` has a lone surrogate, which no cookie can represent.
    """
    return _quote(text, _VALUE_SAFE)


def encode_name(name: str) -> str:
    """Percent-encode a cookie's name. Raises the errors of `encode_value`."""
    return _quote(name, _NAME_SAFE)


def _quote(text: str, safe: str) -> str:
    if _PLAIN.fullmatch(text):  # Names and ids, nearly always.
        return text
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise StorageError("the text is not valid Unicode (a lone surrogate): give well-formed text") from error


def find_cookie(header: str, name: str) -> str | None:
    """Return the decoded value of the first cookie called `name`, or None.

    A cookie that can't be decoded counts as missing. Quotes around a value are removed.
    """
    return _cookies(header).get(name)


@lru_cache(maxsize=4)
def _cookies(header: str) -> Mapping[str, str]:
    # A call reads many cookies of one header, and the next call usually gets the same header.
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
    """Return compact JSON in the form of JavaScript's ``JSON.stringify``, which escapes lone surrogates."""
    text = _ENCODER.encode(value)
    return text if _is_well_formed(text) else _ASCII_ENCODER.encode(value)


def write_id(text: str) -> str:
    """Return the text for an id in a cookie: the id itself or, where that would be read as another id, a JSON string.

    analytics.js also reads a JSON string as the text that it represents.
    """
    return text if _is_well_formed(text) and read_id(text) == text else to_json(text)


def read_id(text: str) -> str | None:
    """Return the id in a cookie or an item of localStorage; None for none.

    A JSON string is the text that it represents, and ``null`` is no id. Everything else is the id itself, unchanged:
    read as a number, ``1e5`` would be the visitor ``100000``.
    """
    if text == "null":
        return None
    value = from_json(text) if text[:1] == '"' else text
    return value if isinstance(value, str) else text


def from_json(text: str) -> Any:
    """Return the value of the JSON `text`, or `text` itself where it isn't JSON.

    Source: analytics-next reads invalid JSON, and values that other libraries wrote without encoding, as text.
    """
    try:
        decoded: Any = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text
    return decoded


def _refuse(name: str) -> NoReturn:
    # Python accepts NaN and Infinity; JavaScript's JSON.parse does not.
    raise ValueError(f"{name} is not JSON")


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# json.loads and json.dumps would create one for each call.
_DECODER = json.JSONDecoder(parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"))


def number_to_text(value: Any) -> Any:
    """Return an id that was stored as a number as text, with all digits; return other values unchanged."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
