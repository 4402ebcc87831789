"""Adds the browser and the visitor's origin to events: user agent, locale, campaign, advertisement.

Source: analytics-next ``plugins/env-enrichment``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus, urlencode

from .storage import Storage

LIBRARY_NAME = "analytics.js"

REFERRER_KEY = "s:context.referrer"
"""Name of the cookie that remembers which advertisement brought the visitor."""

AMP_KEY = "_ga"
AD_NETWORKS = {"btid": "dataxu", "urid": "millennial-media"}
"""Query parameters with an advertisement's id, and the advertising network that sets each."""

MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(slots=True)
class Environment:
    """The browser of a page, which is the same for all of the page's events.

    Attributes:
        user_agent_data: the browser's client hints; None where it has none.
        refuses_tracking: those of ``globalPrivacyControl`` and ``doNotTrack`` that the visitor has switched on.
    """

    user_agent: str = ""
    user_agent_data: dict[str, Any] | None = None
    locale: str | None = None
    timezone: str | None = None
    library_version: str = ""
    refuses_tracking: frozenset[str] = frozenset()

    def enrich(self, context: dict[str, Any], cookies: Storage) -> None:
        """Add the browser and the campaign to an event's context. Most values that exist already stay.

        Args:
            context: the context, which has ``page`` already.
            cookies: the storage that remembers advertisements.
        """
        context["userAgent"] = self.user_agent
        if self.user_agent_data is not None:
            context["userAgentData"] = self.user_agent_data
        if self.locale is not None:
            context.setdefault("locale", self.locale)
        context.setdefault("library", {"name": LIBRARY_NAME, "version": self.library_version})
        if self.timezone is not None:
            context["timezone"] = self.timezone
        query = _query(context["page"].get("search"))
        if query and not context.get("campaign"):
            context["campaign"] = campaign(query)
        _add_amp(context, cookies)
        _add_advertisement(context, query, cookies)


def _query(search: object) -> str:
    """Return the query string of ``context.page.search``, which a call may give as an object."""
    if isinstance(search, dict):
        return urlencode(search, doseq=True)
    return search if isinstance(search, str) else ""


def campaign(query: str) -> dict[str, str]:
    """Return ``context.campaign`` from the utm_* parameters of a query string. ``utm_campaign`` becomes ``name``."""
    found: dict[str, str] = {}
    for key, value in _pairs(query):
        if "utm_" in key and len(key) > 4:
            name = key[4:]
            found["name" if name == "campaign" else name] = decode_gracefully(value)
    return found


def advertisement(query: str) -> dict[str, str] | None:
    """Return the advertisement in a query string; None where there is none."""
    for key, value in _pairs(query):
        if key in AD_NETWORKS:
            return {"id": value, "type": AD_NETWORKS[key]}
    return None


def decode_gracefully(text: str) -> str:
    """Decode percent-encoding, where ``+`` is a space. Malformed text is returned unchanged."""
    if MALFORMED.search(text):
        return text
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        return text


def _add_advertisement(context: dict[str, Any], query: str, cookies: Storage) -> None:
    ad = advertisement(query) or cookies.get(REFERRER_KEY)
    if not isinstance(ad, dict):
        return
    known = context.get("referrer")
    context["referrer"] = {**(known if isinstance(known, dict) else {}), **ad}
    cookies.set(REFERRER_KEY, ad)


def _add_amp(context: dict[str, Any], cookies: Storage) -> None:
    amp_id = cookies.get(AMP_KEY)
    if isinstance(amp_id, str) and amp_id.startswith("amp"):
        context["amp"] = {"id": amp_id}


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    """Yield names and raw values, split as in analytics.js, where a second ``?`` or ``=`` ends the value."""
    for pair in query.removeprefix("?").replace("?", "&").split("&"):
        key, _, value = pair.partition("=")
        yield key, value.partition("=")[0]
