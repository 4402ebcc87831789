"""What Python can know of the device: for ``context.device``, ``os``, ``network``, ``locale`` and ``timezone``.

Names are those of Segment's specification of the context. Left out on purpose is what would tell one device from all
others (host name, serial number, hardware ids): the anonymousId does that, and `reset` ends it.
"""

from __future__ import annotations

import locale
import os
import platform
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from satsuma.environment import Environment
from satsuma.storage import Storage

MOST_CHARACTERS = 200
"""The most characters of a name that are told."""

LOOK_EVERY = 30
"""Seconds for which what is known of the network is told."""

SYSTEMS = {"Darwin": "macOS", "Linux": "Linux", "Windows": "Windows"}


@dataclass(slots=True)
class Surroundings(Environment):
    """The device of an app, in place of a page's browser.

    Attributes:
        told: parts of the context that the app has told: ``screen``, ``network`` …
        fixed: parts of the context that stay the same while the process runs.
    """

    fixed: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    look: Callable[[], dict[str, bool]] = lambda: network()
    _network: dict[str, bool] = field(default_factory=dict)
    _look_at: float = 0.0

    def enrich(self, context: dict[str, Any], cookies: Storage) -> None:
        """Add the device to an event's context. What a call has told stays."""
        if not context.get("page"):
            context.pop("page", None)
        for name, value in {**self.fixed, **self._known_network(), **self.told}.items():
            given = context.get(name)
            context[name] = (
                {**value, **given} if isinstance(value, dict) and isinstance(given, dict) else given or value
            )

    def _known_network(self) -> dict[str, dict[str, bool]]:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._network = self.look()
        return {"network": self._network} if self._network else {}


def device_context() -> dict[str, Any]:
    """Return the parts of the context that stay the same while the process runs."""
    parts: dict[str, Any] = {"device": device(), "os": operating_system()}
    zone, language = timezone(), _language()
    return {**parts, **({"timezone": zone} if zone else {}), **({"locale": language} if language else {})}


def operating_system() -> dict[str, str]:
    """Return ``context.os``."""
    system = platform.system()
    name, version = SYSTEMS.get(system, system), platform.release()
    if system == "Darwin":
        version = platform.mac_ver()[0] or version
    elif system == "Linux":
        with suppress(OSError):
            release = platform.freedesktop_os_release()
            name, version = release.get("NAME", name), release.get("VERSION_ID", version)
    elif sys.platform in ("android", "ios"):
        name, version = ("Android" if sys.platform == "android" else "iOS"), _mobile().get("release", version)
    return _told({"name": name, "version": version})


def device() -> dict[str, str]:
    """Return ``context.device``: its kind, who made it and which model it is."""
    if sys.platform in ("android", "ios"):
        mobile = _mobile()
        made_by = "Apple" if sys.platform == "ios" else mobile.get("manufacturer", "")
        return _told({"type": sys.platform, "manufacturer": made_by, "model": mobile.get("model", "")})
    kind = SYSTEMS.get(platform.system(), platform.system()).lower()
    return _told({"type": kind, "architecture": platform.machine(), **_board()})


def network() -> dict[str, bool]:
    """Return ``context.network``: whether the device is connected by Wi-Fi or by a mobile network, where it is known.

    Only Linux says so in files.
    """
    found: dict[str, bool] = {}
    with suppress(OSError):
        for interface in list(Path("/sys/class/net").iterdir())[:100]:
            if _text(interface / "operstate") == "up":
                found["wifi"] = found.get("wifi", False) or (interface / "wireless").exists()
                found["cellular"] = found.get("cellular", False) or interface.name.startswith("wwan")
    return found


def timezone() -> str | None:
    """Return the IANA name of the device's time zone, as ``Europe/Berlin``; None where it isn't known."""
    named = os.environ.get("TZ", "").lstrip(":")
    if not named:
        with suppress(OSError):
            named = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return named[:MOST_CHARACTERS] if "/" in named and not named.startswith("/") else None


def _language() -> str | None:
    with suppress(ValueError):
        named = locale.getlocale()[0] or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
        language = named.partition(".")[0].replace("_", "-")
        return language[:MOST_CHARACTERS] if language not in ("", "C", "POSIX") else None
    return None


def _board() -> dict[str, str]:
    """Return manufacturer and model of a computer, where its system tells them in files."""
    firmware = Path("/sys/class/dmi/id")
    model = _text(Path("/proc/device-tree/model"))  # A Raspberry Pi and its kin.
    if model:
        return {"model": model}
    return {"manufacturer": _text(firmware / "sys_vendor"), "model": _text(firmware / "product_name")}


def _mobile() -> dict[str, str]:
    """Return what Python 3.13 and newer know of a telephone."""
    ask = getattr(platform, f"{sys.platform}_ver", None)
    known = ask()._asdict() if ask is not None else {}
    return {name: str(value) for name, value in known.items() if value}


def _text(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(MOST_CHARACTERS).decode(errors="replace").strip("\x00\n ")
    return ""


def _told(parts: dict[str, str]) -> dict[str, str]:
    return {name: value[:MOST_CHARACTERS] for name, value in parts.items() if value}
