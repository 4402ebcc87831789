"""A subject of NATS, kept by a JetStream stream, whose acknowledgement is waited for.

https://docs.nats.io/nats-concepts/jetstream/streams
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.js.errors import APIError, NoStreamResponseError

from satsuma_server.destinations import DeletedPerson, Fate, Links, Message, Outcome, Payload
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.forwarding.services import NatsDestination

from .fields import Event

MOST_MESSAGES = 100
MOST_BYTES = 500_000

KEY_HEADER = "Nats-Msg-Id"
"""By this header a stream knows a message that comes again, within its ``duplicate_window``."""


class Nats:
    """Implements `DestinationClient`. Each event is a message, and those of one request are acknowledged one by one."""

    takes_claims = True

    def __init__(self, settings: NatsDestination) -> None:
        """Read the secrets. Raises `SettingsError` where one is missing."""
        self._secrets = Secrets()
        self._servers = [self._secrets.read(server) for server in settings.servers]
        self._token = None if settings.token is None else self._secrets.read(settings.token)
        self._subject = settings.subject
        self._seconds = settings.timeout_seconds
        self._connection: Client | None = None
        self._connecting = asyncio.Lock()
        self.most_messages, self.most_bytes = MOST_MESSAGES, MOST_BYTES

    def translate(self, event: Event, links: Links) -> Sequence[Payload]:
        return (Payload(event),)

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return ()

    async def send(self, messages: Sequence[Message]) -> Outcome:
        try:
            async with asyncio.timeout(self._seconds):
                stream = (await self._connected()).jetstream(timeout=self._seconds)
                for message in messages:
                    # One after the other: a stream that takes the second and not the first would change the order.
                    headers = {KEY_HEADER: message.key}
                    await stream.publish(self._subject, _body(message), headers=headers)
        except TimeoutError:
            return Outcome(Fate.LATER, f"it took more than {self._seconds:g} s")
        except NoStreamResponseError:
            return Outcome(Fate.LATER, f"no stream keeps the subject {self._subject}: make one (nats stream add)")
        except APIError as error:
            return Outcome(Fate.LATER, self._secrets.hide(f"the stream answered: {error.description}")[:300])
        except Exception as error:
            return Outcome(Fate.LATER, self._secrets.hide(f"{type(error).__name__}: {error}")[:300])
        return Outcome(Fate.DELIVERED)

    def preview(self, messages: Sequence[Message]) -> str:
        told = (f"PUB {self._subject}\n{KEY_HEADER}: {one.key}\n\n{_body(one).decode()}" for one in messages)
        return "\n\n".join(told)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.close()

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._connection is None or not self._connection.is_connected:
                await self.close()
                # The runner tries again by itself, and must hear that the server is away.
                options: dict[str, Any] = {"allow_reconnect": False, "connect_timeout": self._seconds}
                if self._token is not None:
                    options["token"] = self._token
                self._connection = await nats.connect(self._servers, error_cb=_ignore, **options)
            return self._connection


async def _ignore(error: Exception) -> None:
    """Do nothing: what goes wrong is raised where it is waited for, too."""


def _body(message: Message) -> bytes:
    return msgspec.json.encode({**message.payload.body, "seq": message.seq})
