"""The app of these tests."""

from __future__ import annotations

from collections.abc import Callable

from satsuma.platforms.device import App, Client

KIOSK = App("Kiosk", "1.4.0", "77", "com.example.kiosk")

MakeClient = Callable[..., Client]
"""Makes a client of that app, with the options that are given."""
