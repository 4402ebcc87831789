"""The connection to the servers, and the two streams on them: one of events, one of cursors."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from typing import Any

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from satsuma_server.errors import UnavailableError

from .monitoring import is_new, look_at_server
from .options import NatsSettings, servers_of
from .subjects import Subjects

CONNECT_SECONDS = 5
ANSWER_SECONDS = 3
"""How long the servers may take for an answer. The death of a stream's leader takes them longer, and is tried again."""

PING_SECONDS = 2
"""How often a server is asked whether it lives; after two pings without an answer another one is taken."""

RECONNECT_SECONDS = 0.2

WRONG_LAST = 10_071
"""Another message has come on the subject meanwhile."""

NO_STREAM, NO_MESSAGE, NO_SUCH_SEQ = 10_059, 10_037, 10_043
FULL = frozenset({10_077, 10_047, 10_023, 10_054})
"""The stream, the account or the disk has no room: the stream's bytes, storage, resources, or a message too large."""

logger = logging.getLogger("satsuma.log")


class RefusalError(Exception):
    """The servers answered a request with an error.

    Attributes:
        code: JetStream's number for it.
    """

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("description", "no reason")))
        self.code: int = error.get("err_code", 0)


class Connection:
    """A connection that is made at the first request and again whenever it was lost."""

    def __init__(self, url: str, options: NatsSettings) -> None:
        """Take the servers and the stream. Raises `SettingsError` for a URL that isn't one."""
        self.options = options
        self.subjects = Subjects(options.stream)
        self._servers = servers_of(url)
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def client(self) -> Client:
        """Return the client, once the streams are there.

        Raises:
            UnavailableError: the servers can't be reached, or can't keep the streams.
        """
        if self._client is not None:
            return self._client
        async with self._opening:
            if self._closed:
                raise UnavailableError("the log is closed")
            if self._client is None:
                client = await self.open_client()
                try:
                    await self._check_servers(client)
                    await self._prepare(client)
                except BaseException:
                    await client.close()
                    raise
                self._client = client
            return self._client

    async def ask(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request to JetStream's API, and return the answer.

        Raises:
            RefusalError: the answer is an error.
            UnavailableError: there is no answer.
        """
        return await ask(await self.client(), f"$JS.API.{what}", json.dumps(body).encode())

    async def publish(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Publish one message, and return what a quorum of the servers acknowledged. Raises the errors of `ask`."""
        return await ask(await self.client(), subject, payload, headers)

    async def newest(self, subject: str, stream: str | None = None) -> dict[str, Any] | None:
        """Return the newest message of a subject as the stream's leader has it, or None. Raises the errors of `ask`."""
        return await self._message({"last_by_subj": subject}, stream)

    async def next(self, subject: str, after: int) -> dict[str, Any] | None:
        """Return the first message of a subject above a seq as the leader has it. Raises the errors of `ask`."""
        return await self._message({"seq": after + 1, "next_by_subj": subject})

    async def _message(self, which: Mapping[str, Any], stream: str | None = None) -> dict[str, Any] | None:
        try:
            answer = await self.ask(f"STREAM.MSG.GET.{stream or self.options.stream}", which)
        except RefusalError as refusal:
            if refusal.code == NO_MESSAGE:
                return None
            raise
        found: dict[str, Any] = answer["message"]
        return found

    async def stream_as_it_is(self) -> dict[str, Any] | None:
        """Return what the servers tell of the stream, without making it; None where it isn't there.

        Raises:
            UnavailableError: there is no answer.
        """
        client = await self.open_client()
        try:
            return await ask(client, f"$JS.API.STREAM.INFO.{self.options.stream}", b"")
        except RefusalError as refusal:
            if refusal.code != NO_STREAM:
                raise UnavailableError(f"the log's servers refuse to tell of its stream: {refusal}") from None
            return None
        finally:
            await client.close()

    async def close(self) -> None:
        """Close it for good."""
        self._closed = True
        async with self._opening:
            if self._client is not None:
                await self._client.close()

    async def open_client(self) -> Client:
        """Return another client, which the caller closes. Raises `UnavailableError` where no server is there."""
        options: dict[str, Any] = {}
        if self.options.credentials:
            options["user_credentials"] = self.options.credentials
        if self.options.ca:
            options["tls"] = ssl.create_default_context(cafile=self.options.ca)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await nats.connect(
                    self._servers,
                    name="satsuma",
                    error_cb=_told,
                    connect_timeout=2,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_SECONDS,
                    ping_interval=PING_SECONDS,
                    **options,
                )
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise UnavailableError(f"the log's servers can't be reached: {error or 'no answer'}") from error

    async def _check_servers(self, client: Client) -> None:
        """Check that the servers can keep what the log promises, as far as they tell.

        Raises:
            UnavailableError: one of them is too old, or acknowledges before it syncs.
        """
        told = client.connected_server_version
        if not is_new(version := f"{told.major}.{told.minor}.{told.patch}"):
            raise UnavailableError(f"the log's server is NATS {version}: atomic batches need 2.12 or newer")
        for monitor in self.options.monitors:
            try:
                state = await asyncio.to_thread(look_at_server, monitor)
            except UnavailableError as error:
                # One server of several may be away, and is not needed.
                logger.warning(
                    "a server of the log was not seen at its monitoring address", extra={"reason": f"{error}"}
                )
                continue
            if not state.is_new:
                raise UnavailableError(f"{monitor} is NATS {state.version}: atomic batches need 2.12 or newer")
            if not state.syncs:
                raise UnavailableError(
                    f"{monitor} acknowledges before it syncs to disk, so events could be lost that were acknowledged: "
                    "write sync_interval: always into the jetstream block of its configuration"
                )

    async def _prepare(self, client: Client) -> None:
        """Make the streams, or give those that are there the settings' replicas and room."""
        for wanted in (self._events(), self._state()):
            name = wanted["name"]
            try:
                try:
                    there = (await ask(client, f"$JS.API.STREAM.INFO.{name}", b""))["config"]
                except RefusalError as refusal:
                    if refusal.code != NO_STREAM:
                        raise
                    await ask(client, f"$JS.API.STREAM.CREATE.{name}", json.dumps(wanted).encode())
                    continue
                differs = {key: wanted[key] for key in ("num_replicas", "max_bytes") if there[key] != wanted[key]}
                if differs:
                    await ask(client, f"$JS.API.STREAM.UPDATE.{name}", json.dumps({**there, **differs}).encode())
            except RefusalError as refusal:
                advice = "nats: replicas must not be more than there are servers" if wanted["num_replicas"] > 1 else ""
                raise UnavailableError(f"the log's stream {name} can't be made: {refusal}. {advice}".rstrip()) from None

    def _events(self) -> dict[str, Any]:
        return {
            **self._config(self.options.stream),
            "subjects": self.subjects.all,
            "max_bytes": self.options.max_bytes or -1,
            # A full stream refuses what is new: what was acknowledged is never pushed out.
            "discard": "new",
            "allow_atomic": True,
            "allow_direct": True,
            "allow_rollup_hdrs": True,
        }

    def _state(self) -> dict[str, Any]:
        return {
            **self._config(self.subjects.state_stream),
            "subjects": [self.subjects.state("*")],
            "max_bytes": -1,
            "max_msgs_per_subject": 1,
        }

    def _config(self, name: str) -> dict[str, Any]:
        replicas = self.options.replicas
        return {"name": name, "retention": "limits", "storage": "file", "num_replicas": replicas, "max_age": 0}


async def ask(
    client: Client,
    subject: str,
    payload: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float = ANSWER_SECONDS,
) -> dict[str, Any]:
    """Send a request that is answered with JSON, and return the answer.

    Raises:
        RefusalError: the answer is an error.
        UnavailableError: there is no answer within so many seconds.
    """
    try:
        answer: Msg = await client.request(
            subject, payload, timeout=seconds, headers=dict(headers) if headers else None
        )
        read: dict[str, Any] = json.loads(answer.data)
    except (TimeoutError, OSError, ValueError, nats.errors.Error) as error:
        raise UnavailableError(f"the log's servers don't answer: {str(error) or type(error).__name__}") from error
    if "error" in read:
        raise RefusalError(read["error"])
    return read


async def _told(error: Exception) -> None:
    logger.warning("the connection to the log's servers", extra={"reason": repr(error)})
