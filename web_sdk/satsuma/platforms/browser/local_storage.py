"""A page's localStorage. If it is disabled, reading ``window.localStorage`` throws, so it is read at the first use."""

from __future__ import annotations

from functools import cached_property
from itertools import count, takewhile
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
        # By number, since a page may have replaced Object.keys by one that also returns keys of prototypes.
        keys = (self._storage.key(number) for number in count())
        return [str(key) for key in takewhile(lambda key: isinstance(key, str), keys)]
