"""A localStorage in memory that notes what is written to it, for whoever has to pass the changes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class RecordedStorage:
    """Items, as a `KeyValueArea`.

    Attributes:
        changes: what was written, or None for what was removed, by key.
    """

    def __init__(self, items: Mapping[str, str]) -> None:
        self._items = dict(items)
        self.changes: dict[str, str | None] = {}

    def get_item(self, key: str) -> str | None:
        return self._items.get(key)

    def set_item(self, key: str, value: str) -> None:
        self._items[key] = value
        self.changes[key] = value

    def remove_item(self, key: str) -> None:
        if self._items.pop(key, None) is not None:
            self.changes[key] = None

    def all_keys(self) -> Sequence[str]:
        return list(self._items)
