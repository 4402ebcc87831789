"""What lives in the core's thread: the same `Analytics` as in a page, over the device's file and offline queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from satsuma.analytics import Analytics
from satsuma.events import Moment
from satsuma.omissions import Omissions
from satsuma.options import REQUIRED, Endpoint, LoadOptions
from satsuma.platforms.cpython.error_reporter import ErrorReporter
from satsuma.platforms.cpython.ids import new_id
from satsuma.plugins import Plugin
from satsuma.sender import WITHDRAWN
from satsuma.storage import StoreKind

from .app import App
from .identity_file import IdentityFile
from .lifecycle import Lifecycle
from .offline_queue import OfflineQueue
from .platform import DevicePlatform
from .snapshot import Snapshot, read
from .surroundings import Surroundings

CONSENT_KEY = "satsuma_consent"
"""Name of the item with the user's answer: ``granted`` or ``denied``."""

GRANTED, DENIED = "granted", "denied"

LOOK_AGAIN = 60.0
"""Seconds after which a process looks again for events that dead processes have left."""

Work = Callable[["Core"], Any]
"""What is done in the core's thread, while this process has the file."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who uses the device, at one moment."""

    anonymous_id: str | None = None
    user_id: str | None = None
    group_id: str | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    consents: bool | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a core is made of.

    Attributes:
        lifecycle: whether lifecycle events are sent.
        asks: whether nothing is kept or sent before the user's answer.
    """

    write_key: str
    host: str
    app: App
    file: IdentityFile
    queue: OfflineQueue
    surroundings: Surroundings
    complaints: ErrorReporter
    lifecycle: bool
    asks: bool


class Core:
    """The core of one client. All of its methods are called in one thread, which has an event loop."""

    def __init__(self, parts: Parts, loop: asyncio.AbstractEventLoop, *, starts: bool) -> None:
        """Continue with the identity in the file.

        Args:
            starts: whether the app starts just now. In a forked process it does not.
        """
        self._parts = parts
        self._file = parts.file
        self._loop = loop
        self._answer: str | None = None
        self._opens = parts.lifecycle and starts
        self._platform = DevicePlatform(parts.file, parts.surroundings, loop, parts.complaints)
        stores = [StoreKind.LOCAL.value, StoreKind.MEMORY.value]
        options = {"storage": {"stores": stores}, **({"consent": REQUIRED} if parts.asks else {})}
        with self._file.transaction():
            endpoint = Endpoint(parts.write_key, f"{parts.host}/v1")
            self.analytics = Analytics(self._platform, endpoint, LoadOptions.from_mapping(options), parts.queue)
            self.lifecycle = Lifecycle(parts.app, parts.file, self._track)
            self._follow()
            self.known()  # Which makes the anonymousId, where there is none.
        self._look()
        with self.exclusively():
            self._open()

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Let no other process change the file in the block, at whose end it is written."""
        with self._file.transaction():
            self._follow()
            yield

    def call(self, name: str, arguments: Snapshot, moment: Moment) -> None:
        """Make a call."""
        self.analytics.call(name, self._read(name, arguments), moment)

    def known(self) -> Known:
        """Return who uses the device."""
        user, group = self.analytics.user(), self.analytics.current_group
        answer = {GRANTED: True, DENIED: False}.get(self._answer or "")
        anonymous_id = user.anonymous_id() if self.analytics.consent.granted else None
        return Known(anonymous_id, user.id(), group.id(), dict(user.traits() or {}), answer)

    def answer(self, granted: bool) -> None:
        """Record whether the user lets events be sent."""
        self._file.set_item(CONSENT_KEY, GRANTED if granted else DENIED)
        self._follow()
        self._open()

    def tell(self, parts: Snapshot) -> None:
        """Set parts of the context of later events."""
        self._parts.surroundings.told.update(self._read("describe", parts))

    def register(self, plugins: Sequence[Plugin]) -> None:
        """Add plugins."""
        self._platform.start(self.analytics.register(*plugins))

    def background(self) -> None:
        """Record that the app is no longer in use, and send what waits."""
        if self._parts.lifecycle:
            self.lifecycle.background()
        self._parts.queue.hurry()

    def foreground(self) -> None:
        """Record that the app is in use again."""
        if self._parts.lifecycle:
            self.lifecycle.foreground()

    def _read(self, name: str, snapshot: Snapshot) -> Any:
        value = read(snapshot, omissions := Omissions())
        if omissions:
            self._parts.complaints.shortened(name, omissions)
        return value

    def _follow(self) -> None:
        """Do as the user's answer says, which another process may have been given."""
        answer = self._file.get_item(CONSENT_KEY)
        if answer == self._answer:
            return
        self._answer = answer
        if answer == DENIED:
            self.analytics.withdraw_consent()
            self._parts.queue.abandon(WITHDRAWN)
        elif answer == GRANTED:
            self.analytics.grant_consent()

    def _open(self) -> None:
        if self._opens and self.analytics.consent.granted:
            self._opens = False
            self.lifecycle.start()

    def _track(self, event: str, properties: dict[str, Any]) -> None:
        moment = Moment(self._platform.now(), {}, new_id())
        self.analytics.call("track", [event, properties], moment)

    def _look(self) -> None:
        if self.analytics.consent.granted:
            self._parts.queue.take_over()
        self._loop.call_later(LOOK_AGAIN, self._look)
