"""An event emitter: ``on``, ``once``, ``off`` and ``emit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Listener = Callable[..., Any]


MOST_LISTENERS = 10
"""With more listeners of one name there is a warning, since a component may add another each time it is shown."""


class Emitter:
    """Calls listeners in the order in which they were added. An exception of a listener causes only a warning.

    Attributes:
        most_listeners: how many listeners of one name cause no warning yet; 0 for any number.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._listeners: dict[str, list[Listener]] = {}
        self._has_warned = False
        self.most_listeners = MOST_LISTENERS

    def on(self, name: str, listener: Listener) -> None:
        """Call `listener` whenever `name` happens."""
        listeners = self._listeners.setdefault(name, [])
        listeners.append(listener)
        if 0 < self.most_listeners < len(listeners) and not self._has_warned:
            self._has_warned = True
            self._warn(f"Possible memory leak: {name!r} has more than {self.most_listeners} listeners.")

    def once(self, name: str, listener: Listener) -> None:
        """Call `listener` the next time `name` happens."""

        def first(*args: Any) -> None:
            # Removed before the listener is called, which may emit the same name again.
            self.off(name, first)
            listener(*args)

        self.on(name, first)

    def off(self, name: str, listener: Listener) -> None:
        """Stop calling `listener`."""
        self._listeners[name] = [known for known in self._listeners.get(name, ()) if known != listener]

    def emit(self, name: str, *args: Any) -> bool:
        """Call the listeners of `name`, and tell whether there are any."""
        listeners = list(self._listeners.get(name, ()))
        for listener in listeners:
            try:
                listener(*args)
            except Exception as error:
                self._warn(f"A listener of {name!r} raised {type(error).__name__}: {error}")
        return bool(listeners)
