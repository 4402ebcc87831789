"""Builds the options of ``fetch`` for requests, from ``deliveryStrategy.config`` of the settings.

Source: analytics-next's segmentio plugin, ``shared-dispatcher``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from satsuma.delivery import Request
from satsuma.plugins import DELIVERY_NAME

NAMES = ("credentials", "priority")
"""Options that are passed to ``fetch`` unchanged."""


class Posting:
    """Builds the options of each request."""

    def __init__(self, config: Mapping[str, Any] | None = None, headers: Callable[[], Any] | None = None) -> None:
        """Take the settings, and the page's own function that returns additional headers."""
        self._config = config or {}
        self._headers = headers

    @classmethod
    def of(cls, settings: Mapping[str, Any], options: Any, warn: Callable[[str], None]) -> Posting:
        """Read the settings. A function for headers can only be in the page's own load options."""
        strategy = settings.get("deliveryStrategy")
        config = strategy.get("config") if isinstance(strategy, Mapping) else None
        function: Any = options
        for name in ("integrations", DELIVERY_NAME, "deliveryStrategy", "config", "headers"):
            function = _property(function, name)

        def headers() -> Any:
            try:
                return function().to_py()
            except Exception as error:
                warn(f"The page's function for headers failed, and its headers are left out: {error}")
                return {}

        return cls(config if isinstance(config, Mapping) else {}, headers if callable(function) else None)

    def options(self, request: Request, body: Any) -> dict[str, Any]:
        """Return the options of ``fetch`` for a request."""
        more = self._headers() if self._headers else self._config.get("headers")
        headers = {"Content-Type": "text/plain", **(more if isinstance(more, Mapping) else {})}
        if request.attempt:
            headers["X-Retry-Count"] = str(request.attempt)
        options = {name: self._config[name] for name in NAMES if isinstance(self._config.get(name), str)}
        # Unless the page forbids it, a request with keepalive continues after the page's end.
        keepalive = request.keepalive and self._config.get("keepalive") is not False
        return {"method": "POST", "body": body, "headers": headers, "keepalive": keepalive, **options}


def _property(value: Any, name: str) -> Any:
    return getattr(value, name, None) if hasattr(value, "js_id") else None
