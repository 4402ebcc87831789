"""Amplitude: https://amplitude.com/docs/apis/analytics/http-v2

People are deleted by https://amplitude.com/docs/apis/analytics/user-privacy, which knows users and no devices. Devices
that Amplitude has linked to a user go with the user.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from satsuma_server.destinations import DELETION, DeletedPerson, Fate, Links, Message, Outcome, Payload
from satsuma_server.destinations.http_client import HttpRequest
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.forwarding.services import AmplitudeDestination

from .fields import Event, in_parts, milliseconds, page_of, record, screen_or_page_name, text

HOSTS = {"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"}
APPS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}
"""Where deletions go."""

MOST_DELETED = 100
"""How many users one request deletes at most."""

MOST_MESSAGES = 500
MOST_BYTES = 900_000
"""A request has to stay below 2,000 events and 1 MB."""

THROTTLED_SECONDS = 30.0
"""How long to pause after 429, which has no Retry-After."""

FAULTS = ("events_with_invalid_fields", "events_with_missing_fields")


class Amplitude:
    """Implements `HttpService`. The key of an event is its ``insert_id``, the messageId."""

    takes_claims = False

    def __init__(self, settings: AmplitudeDestination) -> None:
        """Read the key. Raises `SettingsError` where it is missing."""
        self.secrets = Secrets()
        self._url = (settings.url or HOSTS[settings.region]).rstrip("/") + "/2/httpapi"
        self._key = self.secrets.read(settings.key)
        self._secret_key = settings.secret_key and self.secrets.read(settings.secret_key)
        self._deletions = (settings.deletion_url or APPS[settings.region]).rstrip("/") + "/api/2/deletions/users"
        self.most_messages, self.most_bytes = MOST_MESSAGES, MOST_BYTES

    def translate(self, event: Event, links: Links) -> Sequence[Payload]:
        match event.get("type"):
            case "track":
                return (self._event(event, text(event, "event")),)
            case "page" | "screen":
                kind = "Page" if event["type"] == "page" else "Screen"
                name = " ".join(filter(None, ("Viewed", screen_or_page_name(event), kind)))
                return (self._event(event, name),)
            case "identify":
                return (self._event(event, "$identify"),)
        # Amplitude links a device to a user by itself, and has no event for groups and aliases that all projects know.
        return ()

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return in_parts(person.user_ids, MOST_DELETED) if self._secret_key else ()

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        if messages[0].payload.channel == DELETION:
            return self._deletion(messages[0].payload.body)
        # Without this, ids of fewer than five characters would be refused.
        body = {
            "api_key": self._key,
            "events": [one.payload.body for one in messages],
            "options": {"min_id_length": 1},
        }
        return HttpRequest(self._url, {"Content-Type": "application/json"}, msgspec.json.encode(body))

    def _deletion(self, ids: Sequence[str]) -> HttpRequest:
        authorization = self.secrets.basic_auth(self._key, str(self._secret_key))
        headers = {"Content-Type": "application/json", "Authorization": authorization}
        # One user whom the project doesn't know would otherwise have all others refused.
        body = {"user_ids": ids, "requester": "Satsuma", "ignore_invalid_id": "true"}
        return HttpRequest(self._deletions, headers, msgspec.json.encode(body))

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        if outcome.status == 429 and outcome.retry_after is None:
            return replace(outcome, retry_after=THROTTLED_SECONDS)
        if outcome.fate is not Fate.REFUSED:
            return outcome
        answer: dict[str, Any] = {}
        with contextlib.suppress(msgspec.DecodeError):
            answer = msgspec.json.decode(body, type=dict[str, Any])
        if "api_key" in str(answer.get("error", "")):
            return replace(outcome, fate=Fate.LATER, reason="it does not know the API key")
        return replace(outcome, refused=_refused(answer))

    def _event(self, event: Event, name: str) -> Payload:
        context = record(event, "context")
        page = page_of(event)
        properties = record(event, "properties")
        if event["type"] == "page":
            properties = {**page, **properties}
        body = {
            "user_id": text(event, "userId"),
            "device_id": text(event, "anonymousId"),
            "event_type": name,
            "time": milliseconds(event),
            "insert_id": text(event, "messageId"),
            "ip": context.get("ip"),
            "user_agent": context.get("userAgent"),
            "language": context.get("locale"),
            "event_properties": properties,
            "user_properties": record(event, "traits"),
        }
        return Payload({key: value for key, value in body.items() if value})


def _refused(answer: dict[str, Any]) -> dict[int, str]:
    """Return the reasons of the events that an answer names: by field, the places of those in which it is wrong."""
    found: dict[int, str] = {}
    for fault in FAULTS:
        for field, places in record(answer, fault).items():
            for place in places if isinstance(places, list) else ():
                if isinstance(place, int):
                    found[place] = f"{field[:100]}: {'missing' if 'missing' in fault else 'not valid'}"
    return found
