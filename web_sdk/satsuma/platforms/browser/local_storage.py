"""A page's localStorage. Disabled, it throws at the very sight of it, so it is looked up at the first use."""

from __future__ import annotations

from functools import cached_property
from typing import Any


class WindowLocalStorage:
    """The localStorage of one page."""

    def __init__(self, window: Any) -> None:
        self._window = window

    @cached_property
    def _storage(self) -> Any:
        return self._window.localStorage

    def get_item(self, key: str) -> str | None:
        value = self._storage.getItem(key)
        return value if isinstance(value, str) else None

    def set_item(self, key: str, value: str) -> None:
        self._storage.setItem(key, value)

    def remove_item(self, key: str) -> None:
        self._storage.removeItem(key)

    def all_keys(self) -> list[str]:
        return [str(key) for key in self._window.Object.keys(self._storage)]
