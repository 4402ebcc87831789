"""What ``window.analytics`` is behind its face: calls from the page's JavaScript, answered by Python.

The face itself (an object with analytics.js's method names) is made by the loader; each of its methods comes here as
a name and an array of arguments. No exception leaves this module for the page: it becomes a console warning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from pyodide.ffi import jsnull

from satsuma.analytics import EVENT_CALLS, Analytics, new_message_id
from satsuma.events import Moment
from satsuma.identity import UNSET, Identity
from satsuma.page import page_context
from satsuma.pipeline import Context

from .platform import BrowserPlatform
from .values import to_page


class Bridge:
    """Answers the calls of one page."""

    def __init__(self, analytics: Analytics, platform: BrowserPlatform) -> None:
        self._analytics = analytics
        self._platform = platform
        self._window = platform.window
        self._methods: dict[str, Callable[..., Any]] = {
            "reset": lambda: analytics.reset(),
            "setAnonymousId": lambda value=None, *_: analytics.set_anonymous_id(value),
            "on": lambda name, listener, *_: analytics.on(name, listener),
            "once": lambda name, listener, *_: analytics.once(name, listener),
            "off": lambda name, listener, *_: analytics.off(name, listener),
            "debug": lambda toggle=True, *_: None,
            "timeout": self._timeout,
            "flush": lambda: analytics.flush(),
            "delivery": lambda: self._delivery(),
        }

    def event(self, name: str, args: Any, note: Any, resolve: Any) -> None:
        """Take a call that becomes an event; `resolve` is called with its context once its fate is known."""
        try:
            values = [self._platform.reader.argument(arg) for arg in args]
            task = self._analytics.call(name, values, self._moment(note))
        except Exception as error:
            self._platform.warn(f"analytics.{name}: {error}")
            resolve(None)
            return
        asyncio.ensure_future(task).add_done_callback(lambda done: self._resolve(name, done, resolve))

    def method(self, name: str, args: Any) -> Any:
        """Take a call that is answered at once."""
        return self._guarded(name, self._methods[name], self._values(args))

    def user(self, name: str, args: Any) -> Any:
        """Take a call of ``analytics.user()``'s methods."""
        return self._identity(self._analytics.user(), name, args)

    def group(self, name: str, args: Any) -> Any:
        """Take a call of ``analytics.group()``'s methods."""
        return self._identity(self._analytics.current_group, name, args)

    def _identity(self, identity: Identity, name: str, args: Any) -> Any:
        values = self._values(args, missing=UNSET)
        first = values[0] if values else UNSET
        methods: dict[str, Callable[[], Any]] = {
            "id": lambda: identity.id(_text_or(first)),
            "anonymousId": lambda: identity.anonymous_id(_text_or(first)),
            "traits": lambda: identity.traits(first),
            "identify": lambda: identity.identify(*(None if v is UNSET else v for v in values[:2])),
            "logout": identity.logout,
            "reset": identity.reset,
            "save": identity.save,
        }
        answer = self._guarded(name, methods[name], [])
        # analytics.js answers null, not undefined, where nobody is known.
        return jsnull if answer is None and name in ("id", "anonymousId") else answer

    def _guarded(self, name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        try:
            return to_page(method(*args), self._window)
        except Exception as error:
            self._platform.warn(f"analytics.{name}: {error}")
            return None

    def _values(self, args: Any, missing: Any = None) -> list[Any]:
        # JavaScript's undefined comes as None, its null as jsnull: a setter must tell them apart.
        return [missing if arg is None else self._platform.reader.argument(arg) for arg in args]

    def _moment(self, note: Any) -> Moment:
        values = self._platform.reader.data(note) if note else {}
        return Moment(
            at=values.get("at") or self._platform.now(),
            page=page_context(values) if values else self._platform.page(),
            message_id=values.get("id") or new_message_id(self._platform),
        )

    def _resolve(self, name: str, done: asyncio.Future[Context], resolve: Any) -> None:
        error = done.exception()
        if error is not None:
            self._platform.warn(f"analytics.{name}: {error}")
            resolve(None)
            return
        resolve(context_for_page(done.result(), self._window))

    def _timeout(self, milliseconds: float = 300, *_: Any) -> None:
        self._analytics.timeout = float(milliseconds)

    def _delivery(self) -> dict[str, Any]:
        report = self._analytics.delivery
        return {
            "queued": report.queued,
            "inflight": report.inflight,
            "sent": report.sent,
            "retried": report.retried,
            "dropped": report.dropped,
        }


def context_for_page(context: Context, window: Any) -> Any:
    """Return a context as JavaScript's callbacks and promises see it."""
    return to_page(
        {
            "id": context.event["messageId"],
            "event": context.event,
            "cancelled": context.cancelled,
            "delivered": context.delivered,
            "logs": context.log,
        },
        window,
    )


def _text_or(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


__all__ = ["EVENT_CALLS", "Bridge"]
