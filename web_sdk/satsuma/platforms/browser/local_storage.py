"""A page's localStorage. Disabled, it throws at the very sight of it, so it is looked up at each use."""

from __future__ import annotations

from typing import Any


class WindowLocalStorage:
    """The localStorage of one page."""

    def __init__(self, window: Any) -> None:
        self._window = window

    def get_item(self, key: str) -> str | None:
        value = self._window.localStorage.getItem(key)
        return value if isinstance(value, str) else None

    def set_item(self, key: str, value: str) -> None:
        self._window.localStorage.setItem(key, value)

    def remove_item(self, key: str) -> None:
        self._window.localStorage.removeItem(key)

    def all_keys(self) -> list[str]:
        return [str(key) for key in self._window.Object.keys(self._window.localStorage)]
