"""Determines the IP address that a request comes from, behind proxies as well."""

from __future__ import annotations

import ipaddress

from starlette.types import Scope

from satsuma_server.settings import Settings


def address_of(scope: Scope, settings: Settings) -> str | None:
    """Return a visitor's IP address: that of the connection, or what a trusted proxy says in X-Forwarded-For.

    Returns:
        None where the connection has no address, as on a Unix socket, and no trusted proxy tells one.
    """
    peer: str | None = scope["client"][0] if scope.get("client") else None
    if not settings.trusts(peer):
        return peer
    forwarded = next((value for name, value in scope["headers"] if name == b"x-forwarded-for"), b"")
    return _forwarded(forwarded, settings) or peer


def _forwarded(header: bytes, settings: Settings) -> str | None:
    """Return the visitor's address from an X-Forwarded-For header.

    Each proxy appends the address of its caller at the right end, so addresses to the left of the last trusted proxy
    may be invented by the visitor. Where every proxy is trusted, the leftmost address is the visitor's.
    """
    found = None
    for part in reversed(header.decode("latin-1").split(",")):
        text = part.strip()
        try:
            # A zone, as in fe80::1%eth0, has a meaning on the sender's machine only.
            found = str(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            return found
        if not settings.trusts(found):
            return found
    return found
