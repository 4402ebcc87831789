"""Devices: other names of the same shop. To a browser each is a site with cookies and localStorage of its own.

Chromium and Firefox take every name under ``.localhost`` for this machine, so that a second device needs no second
machine. All names share one registrable domain: pages of one may stand in a frame on another's page without being a
third party there, and cookies that are kept to one name (see `Devices.options`) stay apart.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import URL

NAMES = ("laptop", "phone")
LAB = "lab"
LOCAL = "grove.localhost"
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Devices:
    """The names beside the one that a page was asked for.

    Attributes:
        scheme: of all of them.
        base: what they have in common, as ``grove.localhost:8001``; empty where this host can have no other names.
        here: which device this page is on; empty for the main name.
    """

    scheme: str
    base: str
    here: str

    @classmethod
    def of(cls, url: URL) -> Devices:
        """Read a request's URL, whose host is whatever the visitor has sent."""
        host = url.netloc.lower()
        if not HOST.fullmatch(host):
            return cls(url.scheme, "", "")
        name, _, port = host.partition(":")
        port = f":{port}" if port else ""
        first, _, rest = name.partition(".")
        if _is_loopback(name) and not name.endswith(f".{LOCAL}"):
            return cls(url.scheme, LOCAL + port, "")
        if first in (*NAMES, LAB) and rest:
            return cls(url.scheme, rest + port, first if first in NAMES else "")
        return cls(url.scheme, "" if _is_address(name) else name + port, "")

    def origin(self, name: str) -> str:
        """Return a device's origin."""
        return f"{self.scheme}://{name}.{self.base}"

    @property
    def origins(self) -> dict[str, str]:
        """The devices' origins by name; none where there are no other names."""
        return {name: self.origin(name) for name in NAMES} if self.base else {}

    @property
    def lab(self) -> str:
        """Origin of the page that shows devices in frames; empty where there are none."""
        return self.origin(LAB) if self.base else ""

    @property
    def options(self) -> dict[str, Any]:
        """Load options that keep a device's cookies to its own name.

        The SDK takes the highest domain otherwise, as a shop's ``www`` and ``blog`` want it.
        """
        return {"cookie": {"domain": f"{self.here}.{self.base.partition(':')[0]}"}} if self.here else {}


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ipaddress.ip_address(name).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
