"""Reads the current page, and what is known about the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from satsuma import __version__
from satsuma.environment import Environment
from satsuma.page import page_context

from .values import ValueReader


def current_page(window: Any) -> dict[str, Any]:
    """Return ``context.page`` of the current page."""
    document, location = window.document, window.location
    canonical = document.querySelector("link[rel='canonical']")
    note: Mapping[str, Any] = {
        "c": canonical.getAttribute("href") if canonical else None,
        "p": str(location.pathname),
        "u": str(location.href),
        "s": str(location.search),
        "t": str(document.title),
        "r": str(document.referrer),
    }
    return page_context(note)


def environment(window: Any, reader: ValueReader, hints: dict[str, Any] | None = None) -> Environment:
    """Return what every event of this page says about the browser.

    Args:
        hints: client hints that are known already.
    """
    navigator = window.navigator
    return Environment(
        user_agent=str(navigator.userAgent),
        user_agent_data=hints or _client_hints(navigator, reader),
        locale=_text(getattr(navigator, "userLanguage", None)) or _text(navigator.language),
        timezone=timezone(window),
        library_version=f"satsuma-{__version__}",
        refuses_tracking=_refusals(window),
    )


def _refusals(window: Any) -> frozenset[str]:
    navigator = window.navigator
    signals = {
        "globalPrivacyControl": getattr(navigator, "globalPrivacyControl", None) is True,
        "doNotTrack": "1" in (getattr(navigator, "doNotTrack", None), getattr(window, "doNotTrack", None)),
    }
    return frozenset(name for name, on in signals.items() if on)


def _client_hints(navigator: Any, reader: ValueReader) -> dict[str, Any] | None:
    # Only some browsers have it, and only on secure pages.
    hints = getattr(navigator, "userAgentData", None)
    if not hints:
        return None
    found = reader.data(hints)
    return found if isinstance(found, dict) else None


def timezone(window: Any) -> str | None:
    """Return the browser's time zone, such as ``Europe/Vienna``; None where it is unknown."""
    # Intl would load its tables of dates first, tens of milliseconds in a browser that has just started.
    return _zone(lambda: window.Temporal.Now.timeZoneId()) or _zone(
        lambda: window.Intl.DateTimeFormat().resolvedOptions().timeZone
    )


def _zone(read: Callable[[], object]) -> str | None:
    try:
        return _text(read())
    except Exception:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
