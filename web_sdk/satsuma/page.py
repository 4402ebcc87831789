"""The page that a call was made on.

Source: analytics-page-tools. A page's URL can change quickly, so it is recorded at the moment of the call: by the
snippet's stub, in the short form ``{c, p, u, s, t, r}``, before Python is up, and by the platform afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

BUFFERED_MARK = "bpc"
"""The value of ``__t`` that marks the stub's short form."""

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_buffered_page(value: object) -> bool:
    """Tell whether the last argument of a call is the stub's record of the page."""
    return isinstance(value, Mapping) and value.get("__t") == BUFFERED_MARK


def page_context(buffered: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``context.page`` from the short form.

    Args:
        buffered: ``c`` canonical link or None, ``p`` path, ``u`` URL, ``s`` query string, ``t`` title, ``r`` referrer.
    """
    canonical = buffered.get("c")
    search = buffered.get("s") or ""
    if canonical:
        path = _canonical_path(canonical)
        url = canonical if "?" in canonical else canonical + search
    else:
        path = buffered.get("p") or ""
        url = (buffered.get("u") or "").partition("#")[0]
    return {
        "path": path,
        "referrer": buffered.get("r") or "",
        "search": search,
        "title": buffered.get("t") or "",
        "url": url,
    }


def _canonical_path(canonical: str) -> str:
    try:
        parts = urlsplit(canonical)
    except ValueError:
        parts = None
    if parts is not None and parts.scheme and (parts.netloc or parts.scheme == "file"):
        return parts.path or "/"
    return canonical if canonical.startswith("/") else f"/{canonical}"


def chosen_id(call: Any) -> str | None:
    """Return the anonymousId that a page's stub has chosen with a call of ``reset``, so that all who make it agree."""
    chosen = call.get("next") if isinstance(call, Mapping) else None
    return chosen if isinstance(chosen, str) and UUID.fullmatch(chosen) else None
