"""Another collector with Segment's tracking API: https://www.twilio.com/docs/segment/connections/sources/catalog/libraries/server/http-api"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec

from satsuma_server.destinations import DELETION, DeletedPerson, Links, Message, Outcome, Payload
from satsuma_server.destinations.http_client import HttpRequest
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.forwarding.services import SegmentDestination
from satsuma_server.verification import FIELD, SENDER_IP

from .fields import record

MOST_MESSAGES = 500
MOST_BYTES = 450_000
"""A batch may have 500 kB, and this leaves room for what is around the events."""

OWN = ("receivedAt", "originalTimestamp", "sentAt", "writeKey")
"""Members that the other collector sets. `timestamp` is corrected already; without ``sentAt`` it stays as it is."""


class _Refused(msgspec.Struct):
    index: int
    reason: str = ""


class _Answer(msgspec.Struct):
    refused: list[_Refused] = []


class Segment:
    """Implements `HttpService`. The key of an event is its ``messageId``."""

    takes_claims = False

    def __init__(self, settings: SegmentDestination) -> None:
        """Read the keys. Raises `SettingsError` where one is missing."""
        self.secrets = Secrets()
        self._url = settings.url.rstrip("/") + "/v1/batch"
        self._key = self.secrets.read(settings.write_key)
        self._keys = {source: self.secrets.read(key) for source, key in settings.write_keys.items()}
        self._token = None if settings.token is None else self.secrets.read(settings.token)
        self._people = settings.url.rstrip("/") + "/v1/people/"
        self.most_messages, self.most_bytes = MOST_MESSAGES, MOST_BYTES

    def translate(self, event: dict[str, Any], links: Links) -> Sequence[Payload]:
        key = self._keys.get(str(event.get("writeKey")), self._key)
        body = {name: value for name, value in event.items() if name not in OWN}
        context = {name: value for name, value in record(event, "context").items() if name not in (FIELD, SENDER_IP)}
        # Otherwise the other collector would take our address and user agent for the visitor's.
        body["context"] = {"ip": None, "userAgent": None, **context}
        return (Payload(body, channel=key),)

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        if self._token is None:
            return ()
        keys = [*(f"user_id:{id}" for id in person.user_ids), *(f"anonymous_id:{id}" for id in person.anonymous_ids)]
        return [Payload(key, DELETION, str(place)) for place, key in enumerate(keys)]

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        if messages[0].payload.channel == DELETION:
            headers = {"Authorization": f"Bearer {self._token}"}
            return HttpRequest(self._people + quote(messages[0].payload.body, safe=""), headers, b"", "DELETE")
        key = messages[0].payload.channel
        headers = {"Content-Type": "application/json", "Authorization": self.secrets.basic_auth(key)}
        return HttpRequest(self._url, headers, msgspec.json.encode({"batch": [one.payload.body for one in messages]}))

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        # Satsuma names events that it refuses; other collectors say nothing of them.
        refused: dict[int, str] = {}
        with contextlib.suppress(msgspec.DecodeError):
            refused = {one.index: one.reason for one in msgspec.json.decode(body, type=_Answer).refused}
        return replace(outcome, refused=refused)
