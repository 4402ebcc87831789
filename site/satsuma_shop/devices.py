"""Simulates devices by other host names of the shop. To a browser, each is a site with its own cookies and
localStorage.

Chromium and Firefox resolve every name under ``.localhost`` to this machine, so that no second machine is needed. All
names share one registrable domain, so a page of one may be in a frame on another's page without being a third party
there. Cookies that are limited to one name (see `Devices.options`) stay separate.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import URL

NAMES = ("laptop", "phone")
SITES = ("blog.laptop",)
"""Other sub-domains of the shop on a device: they share its cookies, and have a localStorage of their own."""

LAB = "lab"
LOCAL = "grove.localhost"
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices, as seen from the host name of a request.

    Attributes:
        scheme: the URL scheme of all of them.
        base: the common part of their names, such as ``grove.localhost:8001``; empty where this host has no other
            names.
        here: the device that this page is on; empty for the main name.
    """

    scheme: str
    base: str
    here: str

    @classmethod
    def of(cls, url: URL) -> Devices:
        """Read a request's URL. Its host can be anything that the visitor has sent."""
        host = url.netloc.lower()
        if not HOST.fullmatch(host):
            return cls(url.scheme, "", "")
        name, _, port = host.partition(":")
        port = f":{port}" if port else ""
        first, _, rest = name.partition(".")
        if _is_loopback(name) and not name.endswith(f".{LOCAL}"):
            return cls(url.scheme, LOCAL + port, "")
        if any(name.startswith(f"{one}.") for one in SITES):
            # The shop's blog, say: on the same device.
            first, _, rest = rest.partition(".")
        if first in (*NAMES, LAB) and rest:
            return cls(url.scheme, rest + port, first if first in NAMES else "")
        return cls(url.scheme, "" if _is_address(name) else name + port, "")

    def origin(self, name: str) -> str:
        """Return a device's origin."""
        return f"{self.scheme}://{name}.{self.base}"

    @property
    def origins(self) -> dict[str, str]:
        """The origin of each device by name; empty where this host has no other names."""
        return {name: self.origin(name) for name in (*NAMES, *SITES)} if self.base else {}

    @property
    def lab(self) -> str:
        """Origin of the page that shows the devices in frames; empty where there are none."""
        return self.origin(LAB) if self.base else ""

    @property
    def options(self) -> dict[str, Any]:
        """Load options that limit a device's cookies to its own name.

        Without them the SDK uses the highest domain, which is right for a shop's ``www`` and ``blog``.
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
