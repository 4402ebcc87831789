"""A client with Segment's calls for servers. The calls return at once, and a thread sends their events in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from satsuma.delivery import DeliveryReport
from satsuma.delivery_options import DeliveryOptions
from satsuma.errors import ArgumentError
from satsuma.omissions import Omissions
from satsuma.platforms.cpython.closing import Closing
from satsuma.platforms.cpython.error_reporter import ErrorReporter, OnError
from satsuma.platforms.cpython.event_text import Time, to_text
from satsuma.platforms.cpython.ids import Id, id_of
from satsuma.platforms.cpython.open_clients import OpenClients
from satsuma.platforms.cpython.transport import HttpTransport, Transport
from satsuma.platforms.cpython.worker import Worker
from satsuma.send_queue import Event

from .messages import make_event
from .termination import Termination


class Others(TypedDict, total=False):
    """The keyword arguments of every call; see `Client`."""

    anonymous_id: Id | None
    context: Mapping[str, Any] | None
    timestamp: Time | None
    integrations: Mapping[str, Any] | None
    message_id: str | None


class Client(Closing):
    """Sends events of an app to the collector.

    No call waits for the network or raises. Errors are logged (logger ``satsuma``) and passed to `on_error`. Calls may
    be made in any number of threads, and before or after a fork. Each returns the event's messageId, or None if there
    is no event.

    Every call has these keyword arguments:

    - ``user_id``, ``anonymous_id``: who did it. Give at least one of them. Without any, the event gets an anonymousId
      that no other event has, since a visitor's anonymousId is known only in the browser or by `AnalyticsMiddleware`.
    - ``context``, ``integrations``: as in Segment's libraries.
    - ``timestamp``: a datetime (local time, unless it has a zone), an ISO 8601 text, or a number of seconds or
      milliseconds since 1970; now by default. A call with any other time makes no event, and is an error.
    - ``message_id``: an id for a call that may be made twice. The collector keeps its event once.

    Examples:
        >>> with Client("my-site", "https://collector.example") as client:
        ...     client.identify("97980cfea0067", {"plan": "premium"})
        ...     client.track("97980cfea0067", "Signed Up")
    """

    def __init__(
        self,
        write_key: str,
        host: str,
        *,
        batch_size: int = 100,
        batch_wait: float = 0.5,
        max_queue: int = 10_000,
        max_queue_bytes: int = 32 * 1024 * 1024,
        gzip: bool = False,
        timeout: float = 10,
        exit_timeout: float = 5,
        flush_on_sigterm: bool = False,
        on_error: OnError | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Take the source and the collector.

        Args:
            host: the collector's origin, as ``https://collector.example``.
            batch_size: the most events of a request. A batch has at most 500 KB, and an event 32 KB.
            batch_wait: seconds that an event waits for its batch to fill.
            max_queue, max_queue_bytes: the most events and bytes that wait. Beyond that the oldest are dropped, and
                reported.
            gzip: whether requests are compressed.
            timeout: seconds to wait for the network.
            exit_timeout: seconds that the process waits at its end for events to be sent.
            flush_on_sigterm: whether what waits is sent before SIGTERM ends the process, which else loses it. A handler
                of the app or its server is called as before. The client must be made in the main thread.
            on_error: called with an error and the events that are lost by it, in the thread that noticed it.
            transport: replaces HTTP, for example in tests.

        Raises:
            ArgumentError: an argument is not valid.
        """
        if not write_key:
            raise ArgumentError("the write key is missing: give the source's")
        if batch_size < 1 or max_queue < 1:
            raise ArgumentError("batch_size and max_queue are 1 at least")
        if flush_on_sigterm:
            _termination.install()
        options = DeliveryOptions(
            batch_size=batch_size,
            batch_wait=batch_wait * 1000,
            max_queue=max_queue,
            max_queue_bytes=max_queue_bytes,
        )
        self._complaints = ErrorReporter(on_error)
        self._exit_timeout = exit_timeout
        self._transport = transport or HttpTransport(f"{host.rstrip('/')}/v1", write_key, timeout)
        self._worker = Worker(write_key, options, self._transport, self._complaints, packed=gzip)
        _clients.add(self)

    def identify(
        self, user_id: Id | None = None, traits: Mapping[str, Any] | None = None, **others: Unpack[Others]
    ) -> str | None:
        """Set who a user is, or what is known of them."""
        return self._call("identify", user_id, others, traits=traits or {})

    def track(
        self,
        user_id: Id | None = None,
        event: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **others: Unpack[Others],
    ) -> str | None:
        """Record what a user did."""
        return self._call("track", user_id, others, event=event, properties=properties or {})

    def page(
        self,
        user_id: Id | None = None,
        category: str | None = None,
        name: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **others: Unpack[Others],
    ) -> str | None:
        """Record that a user saw a page."""
        return self._call("page", user_id, others, category=category, name=name, properties=properties or {})

    def screen(
        self,
        user_id: Id | None = None,
        category: str | None = None,
        name: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **others: Unpack[Others],
    ) -> str | None:
        """Record that a user saw a screen of an app."""
        return self._call("screen", user_id, others, category=category, name=name, properties=properties or {})

    def group(
        self,
        user_id: Id | None = None,
        group_id: Id | None = None,
        traits: Mapping[str, Any] | None = None,
        **others: Unpack[Others],
    ) -> str | None:
        """Set the group that a user belongs to."""
        return self._call("group", user_id, others, groupId=id_of(group_id), traits=traits or {})

    def alias(self, previous_id: Id | None = None, user_id: Id | None = None, **others: Unpack[Others]) -> str | None:
        """Declare that two ids are one person."""
        return self._call("alias", user_id, others, previousId=id_of(previous_id))

    def enqueue(self, event: Event) -> str | None:
        """Queue an event in the form of the tracking API. Like the calls, it returns the messageId and never raises."""
        omissions = Omissions()
        try:
            text = to_text(event, omissions)
            if omissions:
                self._complaints.shortened(str(event.get("type")), omissions)
            if self._worker.put(event, text):
                return str(event["messageId"])
            self._complaints.dropped("closed", "the client was closed before the call", [event])
        except Exception as error:
            self._complaints.refused(str(event.get("type")), error)
        return None

    def refuse(self, call: str, error: Exception) -> None:
        """Report a call without an event, in the same way as for this client's own calls."""
        self._complaints.refused(call, error)

    def flush(self, timeout: float = 10) -> bool:
        """Wait until all events so far are acknowledged or dropped; return False after `timeout` seconds.

        It is for the end of a script or a test. A request's handler has no need to wait.
        """
        return self._worker.flush(timeout)

    aflush = Closing.flush_async
    """The short name, as other libraries of Python have it."""

    async def flush_at_exit(self) -> bool:
        """Flush for at most ``exit_timeout`` seconds: for what is run when an app ends."""
        return await self.flush_async(self._exit_timeout)

    def close(self, timeout: float | None = None) -> bool:
        """Flush, and accept no more calls; return False where an event could not be sent.

        Args:
            timeout: seconds to wait; the client's ``exit_timeout`` by default.
        """
        _clients.discard(self)
        return self._worker.close(self._exit_timeout if timeout is None else timeout)

    @property
    def delivery(self) -> DeliveryReport:
        """The report on all events so far."""
        return self._worker.report()

    def _call(self, kind: str, user_id: Id | None, others: Mapping[str, Any], **fields: Any) -> str | None:
        try:
            event = make_event(kind, fields, user_id=user_id, **others)
        except Exception as error:
            self._complaints.refused(kind, error)
            return None
        return self.enqueue(event)

    def _forked(self) -> None:
        self._transport.forked()
        self._worker.restart()


_clients = OpenClients()


def _flush_all() -> None:
    for client in _clients.all():
        if isinstance(client, Client):
            client.flush(client._exit_timeout)


_termination = Termination(_flush_all)
