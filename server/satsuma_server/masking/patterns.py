"""What rules look for in texts, and what they put in its place."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import re2

from satsuma_server.errors import SettingsError

from .rules import LONGEST_REGEX, Action

EMAIL = r"[\pL\pN._%+-]+(?:@|＠|%40|%2540)[\pL\pN-]+(?:\.[\pL\pN-]+)+"
"""Addresses in texts and in URLs, where the sign ``@`` may be percent-encoded once or twice."""

_AT = r"@|＠|%40|%2540"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
IP = rf"\b(?:{_BYTE}\.){{3}}{_BYTE}\b|[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:(?:(?:{_BYTE}\.){{3}}{_BYTE}|[0-9A-Fa-f:]*)"

MASKED = "***"
HASH_BYTES = 16
REGEX_MEMORY = 1 << 20
"""The most bytes that a compiled regular expression may take."""

Replace = Callable[[str], str]
"""Returns what comes in place of a text that was found."""


class Pattern(Protocol):
    """A compiled regular expression of RE2, whose time grows only in proportion to the text."""

    def search(self, text: str) -> Any: ...

    def finditer(self, text: str) -> Iterator[Any]: ...

    def sub(self, replace: Callable[[Any], str], text: str) -> str: ...


def compile_pattern(regex: str) -> Pattern:
    """Compile a regular expression. RE2 has no backtracking, so no text can make it slow.

    Raises:
        SettingsError: it is not valid, too long, too large, or matches an empty text.
    """
    if len(regex) > LONGEST_REGEX:
        raise SettingsError(f"masking: a regex has more than {LONGEST_REGEX} characters")
    options = re2.Options()
    options.max_mem, options.log_errors = REGEX_MEMORY, False
    try:
        pattern: Pattern = re2.compile(regex, options)
    except re2.error as error:
        told = error.args[0] if error.args else ""
        why = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        raise SettingsError(f"masking: {regex[:80]!r} is not a regular expression of RE2: {why}") from error
    if pattern.search(""):
        raise SettingsError(f"masking: {regex[:80]!r} matches the empty text, so it would be found everywhere")
    return pattern


def keyed_hash(text: str, key: str) -> str:
    """Return a hash of a text that can't be found by trying texts without the key."""
    digest = hmac.digest(key.encode(), text.encode(errors="replace"), hashlib.sha256)
    return f"hash:{digest[:HASH_BYTES].hex()}"


def replacement(action: Action, find: str | None, key: str) -> Replace:
    """Return the function that replaces what a rule finds in texts."""
    if action == "hash":
        hashed: Replace = lambda text: keyed_hash(_canonical(text, find), key)
        # Not everything with colons that the pattern finds is an address: a time may look so.
        return hashed if find != "ip" else lambda text: hashed(text) if mask_address(text) else text
    return {"email": _mask_email, "ip": lambda text: mask_address(text) or text}.get(find or "", lambda text: MASKED)


def finder(pattern: Pattern, find: str | None) -> Callable[[str], bool]:
    """Return a function that tells whether a text has what a rule looks for."""
    if find == "ip":
        return lambda text: any(mask_address(match.group(0)) for match in pattern.finditer(text))
    return lambda text: pattern.search(text) is not None


def mask_address(ip: str | None) -> str | None:
    """Return an IP address with its last 8 bits (IPv4) or 80 bits (IPv6) set to 0; None for anything else."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return None
    kept = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, kept), strict=False).network_address)


_at = re2.compile(_AT)


def _canonical(text: str, find: str | None) -> str:
    """Return an address in the one form that all its spellings have, so that their hashes are the same."""
    if find == "email":
        return str(_at.sub("@", text)).lower()
    return str(ipaddress.ip_address(text)) if find == "ip" else text


def _mask_email(text: str) -> str:
    return f"{MASKED}{text[_at.search(text).start() :]}"
