"""A webhook: events as JSON, in a request that is signed as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from satsuma_server.destinations import DELETION, DeletedPerson, Links, Message, Outcome, Payload
from satsuma_server.destinations.http_client import HttpRequest
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.errors import SettingsError
from satsuma_server.forwarding import WebhookDestination
from satsuma_server.forwarding.settings import is_url

from .fields import deletion_message

MOST_MESSAGES = 100
MOST_BYTES = 500_000

SECRET_PREFIX = "whsec_"  # noqa: S105
"""What secrets begin with that are base64, as the specification has them. Others are taken as they are."""


class Webhook:
    """Implements `HttpService`."""

    takes_claims = True

    def __init__(self, settings: WebhookDestination, clock: Callable[[], float] = time.time) -> None:
        """Read the secrets. Raises `SettingsError` where one is missing."""
        self.secrets = Secrets()
        self._url = self.secrets.read(settings.url)
        if not is_url(self._url):
            raise SettingsError("the secret of url is no URL that begins with https:// or http://")
        self._key = None if settings.secret is None else _key(self.secrets.read(settings.secret))
        self._headers = {name: self.secrets.read(value) for name, value in settings.headers.items()}
        self._single = settings.single
        self._deletions = settings.deletions
        self._clock = clock
        self.most_messages = 1 if settings.single else settings.batch or MOST_MESSAGES
        self.most_bytes = MOST_BYTES

    def translate(self, event: dict[str, Any], links: Links) -> Sequence[Payload]:
        return (Payload(event),)

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return (Payload(deletion_message(person), DELETION),) if self._deletions else ()

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        bodies = [message.payload.body for message in messages]
        body = msgspec.json.encode(bodies[0] if self._single else {"batch": bodies})
        id = _id([message.key for message in messages])
        headers = {"Content-Type": "application/json", "webhook-id": id, **self._headers}
        return HttpRequest(self._url, {**headers, **self._signed(id, body)}, body)

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        return outcome

    def _signed(self, id: str, body: bytes) -> Mapping[str, str]:
        at = str(int(self._clock()))
        if self._key is None:
            return {"webhook-timestamp": at}
        digest = hmac.digest(self._key, f"{id}.{at}.".encode() + body, "sha256")
        return {"webhook-timestamp": at, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}


def _id(keys: Sequence[str]) -> str:
    """Return the id of a request, which is the same whenever the same messages are sent again."""
    return "msg_" + hashlib.sha256("\0".join(keys).encode("utf-8", "replace")).hexdigest()[:32]


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise SettingsError("the secret begins with whsec_, but what follows is no base64") from None
