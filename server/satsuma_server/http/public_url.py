"""Determines the URL at which browsers reach the collector, which some answers name.

Whoever sends a request chooses its Host header. Where a cache in between keeps an answer that repeats it, all others
get that answer, and their pages send events wherever the header said. So caches may keep such an answer only where
the settings say which hosts are ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request

from satsuma_server.errors import HostError, SettingsError
from satsuma_server.settings import Settings

LONGEST_HOST = 255
DEFAULT_PORTS = (":80", ":443")

_HOST = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_ALLOWED = re.compile(rf"(?:\*\.)?{_HOST.pattern}")


class PublicUrl:
    """The collector's URL, as the settings or a request say it.

    Attributes:
        is_known: whether the settings say which hosts are ours, so that caches may keep answers that name the URL.
    """

    def __init__(self, settings: Settings) -> None:
        """Take the settings. Raises `SettingsError` where those of the URL are wrong."""
        self._settings = settings
        self._fixed = check_url(settings.public_url)
        self._allowed = check_hosts(settings.allowed_hosts)
        self.is_known = bool(self._fixed or settings.api_host or self._allowed)

    def of(self, request: Request) -> str:
        """Return the URL at which the sender of a request reached the collector, without a slash at its end.

        Raises:
            HostError: the request was sent to a host that is not one of `allowed_hosts`, or is none at all.
        """
        if self._fixed:
            return self._fixed
        peer = request.client.host if request.client else None
        trusted = request.headers if self._settings.trusts(peer) else {}
        protocol = "https" if trusted.get("x-forwarded-proto", request.url.scheme) == "https" else "http"
        if self._settings.api_host:
            return f"{protocol}://{self._settings.api_host}"
        host = trusted.get("x-forwarded-host") or request.headers.get("host", "")
        if len(host) > LONGEST_HOST or not _HOST.fullmatch(host):
            raise HostError("the Host header is no name of a host")
        if self._allowed and not is_allowed(host, self._allowed):
            raise HostError("this collector has another name: add this one to allowed_hosts, if it is right")
        return f"{protocol}://{host}"


def is_allowed(host: str, allowed: Sequence[str]) -> bool:
    """Tell whether a Host header is one of the allowed ones.

    Its port counts, too, unless it is that of HTTP or HTTPS: otherwise pages could be sent to a port where nothing
    answers.
    """
    host = host.lower()
    for port in DEFAULT_PORTS:
        host = host.removesuffix(port)
    return any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in map(str.lower, allowed))


def check_hosts(hosts: Sequence[str]) -> Sequence[str]:
    """Return `allowed_hosts`. Raises `SettingsError` where one is no host."""
    for host in hosts:
        if not _ALLOWED.fullmatch(host):
            raise SettingsError(
                f"allowed_hosts: {host!r} is not a host such as collector.example, localhost:8000 or *.shop.example"
            )
    return hosts


def check_url(url: str | None) -> str:
    """Return `public_url` without a slash at its end; empty where there is none. Raises `SettingsError` where it is
    none that could be used."""
    if not url:
        return ""
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not _HOST.fullmatch(parts.netloc)
        or re.search(r"[^\w/.~-]", parts.path)
        or parts.query
        or parts.fragment
    ):
        raise SettingsError(f"public_url: {url!r} is not a URL such as https://collector.example")
    return url.rstrip("/")
