"""Determines the IP address that a request comes from, behind proxies as well."""

from __future__ import annotations

import ipaddress

from starlette.types import Scope

from satsuma_server.settings import Settings

PROXIED = {b"forwarded", b"via", b"x-real-ip", b"cf-connecting-ip", b"true-client-ip"}
"""Headers that proxies add, besides those that begin with ``x-forwarded-``."""


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


def is_from_here(scope: Scope) -> bool:
    """Tell whether a request was sent by a program of this machine to this machine, and not by a proxy for somebody
    else.

    The Host header has to be a name of this machine, too: that of a proxied request is usually another one, and so is
    that of a page which reaches this machine by a name of its own (DNS rebinding).
    """
    peer: str = scope["client"][0] if scope.get("client") else ""
    headers = [(name.lower(), value) for name, value in scope["headers"]]
    if any(name in PROXIED or name.startswith(b"x-forwarded-") for name, _ in headers):
        return False
    host = next((value for name, value in headers if name == b"host"), b"").decode("latin-1")
    return is_loopback(peer) and is_loopback(host_name(host))


def host_name(host: str) -> str:
    """Return the name in a Host header, without the port and the brackets around an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Tell whether an address or name is one by which only programs of this machine reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
