"""A client with analytics.js's calls for an app on a device. The calls return at once, and threads do the rest."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Unpack

from satsuma import __version__
from satsuma.delivery import DeliveryReport
from satsuma.delivery_options import DeliveryOptions
from satsuma.errors import ArgumentError, EventError
from satsuma.events import Moment
from satsuma.omissions import Omissions
from satsuma.platforms.cpython.calls import About, call_options
from satsuma.platforms.cpython.closing import Closing
from satsuma.platforms.cpython.error_reporter import ErrorReporter, OnError
from satsuma.platforms.cpython.event_text import object_of
from satsuma.platforms.cpython.ids import Id, id_of, new_id
from satsuma.platforms.cpython.open_clients import OpenClients
from satsuma.platforms.cpython.transport import HttpTransport, Transport
from satsuma.platforms.cpython.worker import Worker
from satsuma.plugins import Plugin

from . import snapshot
from .app import App, data_folder
from .core import Core, Known, Parts, Work
from .core_thread import CoreThread, Note
from .identity_file import LOCK_PATIENCE, IdentityFile
from .journal import Journal
from .offline_queue import OfflineQueue
from .surroundings import Surroundings, device_context

LIBRARY = {"name": "satsuma-device", "version": __version__}

READ_PATIENCE = 1.0
"""Seconds that reading an id waits for the calls before it."""

START_PATIENCE = LOCK_PATIENCE + READ_PATIENCE
"""Seconds that it waits for the client's start, before which there is no id to tell instead."""

Properties = Mapping[str, Any] | None


class Client(Closing):
    """Tells the collector what happens in an app, and knows who uses it.

    The app's anonymousId is made at its first start. It is kept in one file, with userId and traits, until `reset`.
    Events wait in a queue on disk until the collector has them: without a network, and over the app's end.

    No call waits for the disk or the network, and none raises. Errors are logged (logger ``satsuma``) and passed to
    `on_error`. Calls may be made in any thread, and in coroutines. Each returns the event's messageId, or None where
    there is no event. Every call has the keyword arguments of `About`: ``context``, ``integrations``, ``timestamp`` and
    ``message_id``.

    Examples:
        >>> client = Client("my-site", "https://collector.example", app=App("Kiosk", "1.4.0"))
        >>> client.screen("Start")
        >>> client.identify("97980cfea0067", {"plan": "premium"})
        >>> client.track("Signed Up")
    """

    def __init__(
        self,
        write_key: str,
        host: str,
        *,
        app: App,
        folder: Path | str | None = None,
        lifecycle: bool = True,
        consent_required: bool = False,
        context: Mapping[str, Any] | None = None,
        batch_size: int = 100,
        batch_wait: float = 1.0,
        max_queue: int = 10_000,
        max_queue_bytes: int = 8 * 1024 * 1024,
        gzip: bool = False,
        timeout: float = 10,
        exit_timeout: float = 1,
        on_error: OnError | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Take the source, the collector and the app; the app counts as opened.

        Args:
            host: the collector's origin, as ``https://collector.example``.
            app: the app.
            folder: where ids and events are kept. The default is a folder of the app's name where the system keeps the
                user's data. BeeWare (``app.paths.data``), Kivy (``app.user_data_dir``) and Flet know a better one on
                telephones.
            lifecycle: whether Application Installed, Updated, Opened and Backgrounded are sent.
            consent_required: whether nothing is kept or sent before `opt_in`.
            context: parts of each event's context, as ``screen`` or ``network``; see `describe`.
            batch_size: the most events of a request. A batch has at most 500 KB, and an event 32 KB.
            batch_wait: seconds that an event waits for its batch to fill.
            max_queue, max_queue_bytes: the most events and bytes that wait, in memory and on disk each. Beyond that the
                oldest are dropped, and reported.
            gzip: whether requests are compressed.
            timeout: seconds to wait for the network.
            exit_timeout: seconds that the process waits at its end for events to be sent. The rest stays on disk.
            on_error: called with an error and the events that are lost by it, in the thread that noticed it.
            transport: replaces HTTP, for example in tests.

        Raises:
            ArgumentError: an argument is not valid.
        """
        if not write_key:
            raise ArgumentError("the write key is missing", "give the source's")
        if batch_size < 1 or max_queue < 1 or max_queue_bytes < 1:
            raise ArgumentError("batch_size, max_queue and max_queue_bytes are 1 at least")
        self._write_key = write_key
        self._host = host.rstrip("/")
        self._app = app
        self._folder = data_folder(app) if folder is None else Path(folder)
        self._lifecycle = lifecycle
        self._asks = consent_required
        self._told = object_of(context, "context")
        self._packed = gzip
        self._exit_timeout = exit_timeout
        self._options = DeliveryOptions(
            batch_size=batch_size,
            batch_wait=batch_wait * 1000,
            max_queue=max_queue,
            max_queue_bytes=max_queue_bytes,
            # A device may be without a network for months.
            max_attempts=sys.maxsize,
        )
        self._complaints = ErrorReporter(on_error)
        self._transport = transport or HttpTransport(f"{self._host}/v1", write_key, timeout)
        self._set_up(starts=True)
        self._note("start", lambda core: None)
        _clients.add(self)

    def _set_up(self, *, starts: bool, known: Known | None = None) -> None:
        most_bytes, warn = self._options.max_queue_bytes, self._complaints.warn
        self._file = IdentityFile(self._folder, warn)
        # Events of another source are not sent to this one.
        queue = self._folder / "queue" / sha256(self._write_key.encode()).hexdigest()[:16]
        self._journal = Journal(queue, most_bytes, warn)
        self._worker = Worker(self._write_key, self._options, self._transport, self._complaints, packed=self._packed)
        self._queue = OfflineQueue(self._journal, self._worker, self._complaints, self._file.save)
        told = self._told

        def build(loop: asyncio.AbstractEventLoop) -> Core:
            fixed = {**device_context(), "app": self._app.context(), "library": LIBRARY}
            parts = Parts(
                write_key=self._write_key,
                host=self._host,
                app=self._app,
                file=self._file,
                queue=self._queue,
                surroundings=Surroundings(fixed=fixed, told=dict(told)),
                complaints=self._complaints,
                lifecycle=self._lifecycle,
                asks=self._asks,
            )
            return Core(parts, loop, starts=starts)

        self._thread = CoreThread(build, self._complaints, known)

    # Who uses the device

    @property
    def anonymous_id(self) -> str | None:
        """The device's anonymousId. It is None only while nothing may be kept.

        Like `user_id`, `group_id` and `traits` it waits until the calls before it are made, which takes less than a
        millisecond each, and a second at most: then it is the id before those calls. For a start whose disk hangs it
        waits eleven seconds.
        """
        return self._known().anonymous_id

    @property
    def user_id(self) -> str | None:
        """The userId; None for an unknown user."""
        return self._known().user_id

    @property
    def group_id(self) -> str | None:
        """The groupId; None for none."""
        return self._known().group_id

    @property
    def traits(self) -> dict[str, Any]:
        """The user's traits."""
        return dict(self._known().traits)

    @property
    def consents(self) -> bool | None:
        """The user's answer: True after `opt_in`, False after `opt_out`, None before any."""
        return self._known().consents

    def set_anonymous_id(self, anonymous_id: Id) -> None:
        """Set the anonymousId, for an app that has one of its own already."""
        given = id_of(anonymous_id)
        self._note("set_anonymous_id", lambda core: core.analytics.set_anonymous_id(given))

    def reset(self) -> None:
        """Forget ids and traits, as after a logout. The next call makes a new anonymousId."""
        self._note("reset", lambda core: core.analytics.reset())

    def opt_out(self) -> None:
        """Record the user's no: ids, traits and everything that waits are removed, and nothing more is sent.

        The answer is kept, also for the app's next start.
        """
        self._note("opt_out", lambda core: core.answer(False))

    def opt_in(self) -> None:
        """Record the user's yes. Calls that waited for it are made, with their times."""
        self._note("opt_in", lambda core: core.answer(True))

    # Calls

    def identify(self, user_id: Id | None = None, traits: Properties = None, **about: Unpack[About]) -> str | None:
        """Set who the user is, or what is known of them.

        Without `user_id` the traits belong to the current user, or to the anonymousId where there is none. Another
        userId than the current one means another user, who gets a new anonymousId.
        """
        return self._call("identify", about, traits, lambda given: [id_of(user_id), given])

    def track(self, event: str, properties: Properties = None, **about: Unpack[About]) -> str | None:
        """Record what the user did."""
        return self._call("track", about, properties, lambda given: [_name_of(event), given])

    def screen(
        self, name: str, properties: Properties = None, *, category: str | None = None, **about: Unpack[About]
    ) -> str | None:
        """Record that the user saw a screen."""
        return self._call("screen", about, properties, lambda given: [category, name, given])

    def group(self, group_id: Id, traits: Properties = None, **about: Unpack[About]) -> str | None:
        """Set the group that the user belongs to."""
        return self._call("group", about, traits, lambda given: [id_of(group_id), given])

    def alias(self, user_id: Id, previous_id: Id | None = None, **about: Unpack[About]) -> str | None:
        """Declare that two ids are one person. `previous_id` is the current userId or anonymousId by default."""
        return self._call("alias", about, None, lambda given: [id_of(user_id), id_of(previous_id)])

    # The app's life

    def foreground(self) -> None:
        """Tell that the app is in use again: Application Opened."""
        self._note("foreground", lambda core: core.foreground())

    def background(self) -> None:
        """Tell that the app is no longer in use (Application Backgrounded), and send what waits."""
        self._note("background", lambda core: core.background())

    def describe(self, **parts: Any) -> None:
        """Set parts of the context of all later events, which only the app can know.

        Examples:
            >>> client.describe(screen={"width": 1080, "height": 1920, "density": 2}, network={"wifi": True})
        """
        try:
            taken = snapshot.take(parts, omissions := Omissions())
        except Exception as error:
            self._complaints.refused("describe", error)
            return
        if omissions:
            self._complaints.shortened("describe", omissions)
        self._note("describe", lambda core: core.tell(taken), taken.size)

    def register(self, *plugins: Plugin) -> None:
        """Add plugins, as in a page. They are called in the client's thread."""
        self._note("register", lambda core: core.register(plugins))

    # The end

    def flush(self, timeout: float = 10) -> bool:
        """Wait until all events so far are acknowledged or dropped; return False after `timeout` seconds."""
        limit = time.monotonic() + timeout
        try:
            self._thread.ask("flush", lambda core: None, timeout)
        except Exception:
            return False
        return self._worker.flush(max(0.0, limit - time.monotonic()))

    def close(self, timeout: float | None = None) -> bool:
        """Send what can be sent, and accept no more calls; what is left stays on disk for the next start.

        Args:
            timeout: seconds to wait; the client's ``exit_timeout`` by default. It is not waited for where the collector
                can't be reached anyway.

        Returns:
            Whether the collector has everything.
        """
        _clients.discard(self)
        limit = time.monotonic() + (self._exit_timeout if timeout is None else timeout)
        self._thread.close(max(0.0, limit - time.monotonic()))
        flushed = self._worker.close(max(0.0, limit - time.monotonic()), keeps=True)
        self._queue.report_left()
        self._journal.close()
        return flushed

    @property
    def delivery(self) -> DeliveryReport:
        """The report on all events so far; `recovered` are those that an earlier process has left."""
        return replace(self._worker.report(), recovered=self._queue.recovered)

    def _known(self) -> Known:
        return self._thread.known(READ_PATIENCE, START_PATIENCE)

    def _call(self, kind: str, about: Mapping[str, Any], given: Properties, arguments: Any) -> str | None:
        try:
            options = call_options(about, {})
            message_id = options.pop("messageId", None) or new_id()
            omissions = Omissions()
            taken = snapshot.take([*arguments(object_of(given, "properties")), options], omissions)
            if omissions:
                self._complaints.shortened(kind, omissions)
            at = time.time() * 1000
            self._thread.note(Note(kind, lambda core: core.call(kind, taken, Moment(at, {}, message_id)), taken.size))
        except Exception as error:
            self._complaints.refused(kind, error)
            return None
        return str(message_id)

    def _note(self, name: str, work: Work, size: int = 0) -> None:
        try:
            self._thread.note(Note(name, work, size))
        except Exception as error:
            self._complaints.refused(name, error)

    def _forked(self) -> None:
        self._transport.forked()
        self._file.forked()
        self._journal.forked()
        known = self._thread.forked()
        self._set_up(starts=False, known=known)


def _name_of(event: Any) -> str:
    if not event or not isinstance(event, str):
        raise EventError(".event", "is missing: give the event's name first, as in track('Signed Up')")
    return event


_clients = OpenClients()
