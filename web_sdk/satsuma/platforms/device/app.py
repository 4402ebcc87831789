"""The app that makes the calls, and the folder that its data lies in."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from satsuma.errors import ArgumentError

UNSAFE = re.compile(r'[\x00-\x1f/\\:*?"<>|]')
"""Characters that no name of a folder may have on one of the systems."""


@dataclass(frozen=True, slots=True)
class App:
    """What ``context.app`` tells, and what lifecycle events compare.

    Attributes:
        name: a name for people, which is also that of its folder.
        version: as ``1.4.0``.
        build: the number of the build, as text.
        namespace: a name like ``com.example.kiosk``.
    """

    name: str
    version: str | None = None
    build: str | None = None
    namespace: str | None = None

    def context(self) -> dict[str, str]:
        """Return ``context.app``."""
        told = {"name": self.name, "version": self.version, "build": self.build, "namespace": self.namespace}
        return {name: value for name, value in told.items() if value}

    def release(self) -> dict[str, str]:
        """Return version and build, as lifecycle events tell them."""
        return {name: value for name, value in (("version", self.version), ("build", self.build)) if value}


def data_folder(app: App) -> Path:
    """Return the folder where this system keeps the data of an app, for the user who runs it.

    Raises:
        ArgumentError: the app's name can't be that of a folder, or the user has no home.
    """
    name = UNSAFE.sub("-", app.namespace or app.name).strip(" .")
    if not name:
        raise ArgumentError("the app needs a name of letters", "its data lies in a folder of that name")
    try:
        return _home() / name / "satsuma"
    except (RuntimeError, KeyError):
        raise ArgumentError("this user has no home", "name a folder for ids and events") from None


def _home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ["LOCALAPPDATA"])
    if sys.platform in ("darwin", "ios"):
        return Path.home() / "Library" / "Application Support"
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"
