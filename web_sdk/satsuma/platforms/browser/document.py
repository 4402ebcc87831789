"""A page's document as the browser made it: HTML may name elements after its properties, as ``<form name=title>`` does.

The loader sees to it in JavaScript (intrinsics.js) for a page that has the snippet; this is for one that has none.
"""

from __future__ import annotations

from typing import Any


class PageWindow:
    """A page's global object, with a document that no element's name hides."""

    def __init__(self, window: Any) -> None:
        """Take the page's global object, as from ``import js``."""
        self._window = window
        self.document = PageDocument(window)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._window, name)


class PageDocument:
    """Reads and writes a document's properties by the accessors that the browser has for all documents."""

    def __init__(self, window: Any) -> None:
        """Take the page's global object."""
        given = {"_reflect": window.Reflect, "_prototype": window.Document.prototype, "_document": window.document}
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        if not self._reflect.has(self._prototype, name):
            raise AttributeError(name)
        value = self._reflect.get(self._prototype, name, self._document)
        return value.bind(self._document) if callable(value) else value

    def __setattr__(self, name: str, value: Any) -> None:
        self._reflect.set(self._prototype, name, value, self._document)
