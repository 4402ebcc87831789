"""Mixpanel: https://docs.mixpanel.com/reference/import-events and https://docs.mixpanel.com/reference/profile-set

Which ids are one person is told as the project's ID management wants it:
https://docs.mixpanel.com/docs/tracking-methods/id-management

People are deleted by https://docs.mixpanel.com/reference/gdpr-api
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

import msgspec

from satsuma_server.destinations import DELETION, DeletedPerson, Fate, Links, Message, Outcome, Payload
from satsuma_server.destinations.http_client import HttpRequest
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.forwarding.services import MixpanelDestination

from .fields import (
    Event,
    as_uuid,
    in_parts,
    known_anonymous_id,
    milliseconds,
    page_of,
    record,
    screen_or_page_name,
    text,
    track_name,
)

HOSTS = {
    "us": "https://api.mixpanel.com",
    "eu": "https://api-eu.mixpanel.com",
    "in": "https://api-in.mixpanel.com",
}
APPS = {"us": "https://mixpanel.com", "eu": "https://eu.mixpanel.com", "in": "https://in.mixpanel.com"}
"""Where deletions go."""

MOST_DELETED = 1_000
"""Of 2,000 ids that one request may have."""

IMPORT, ENGAGE = "import", "engage"
MOST_MESSAGES = 2_000
MOST_BYTES = 1_900_000

PROFILE = {
    "email": "$email",
    "name": "$name",
    "firstName": "$first_name",
    "lastName": "$last_name",
    "phone": "$phone",
    "avatar": "$avatar",
    "createdAt": "$created",
}
"""Traits that Mixpanel has names of its own for."""


RESERVED = frozenset({"$identify", "$create_alias", "$merge"})
"""Names of events by which Mixpanel merges people."""

IDENTITY = frozenset({"distinct_id", "$device_id", "$user_id", "$identified_id", "$anon_id", "$distinct_ids", "alias"})
"""Properties by which Mixpanel knows people. Anybody can send properties, so that these are left out of them."""


class _Record(msgspec.Struct):
    index: int
    field: str = ""
    message: str = ""


class _Answer(msgspec.Struct):
    failed_records: list[_Record] = []
    status: str | int = ""
    error: str | None = None


class Mixpanel:
    """Implements `HttpService`. The key of an event is ``$insert_id``, a UUID that is made from the messageId."""

    takes_claims = False

    def __init__(self, settings: MixpanelDestination) -> None:
        """Read the token. Raises `SettingsError` where it is missing."""
        self.secrets = Secrets()
        self._host = (settings.url or HOSTS[settings.region]).rstrip("/")
        self._token = self.secrets.read(settings.token)
        self._merge = settings.id_merge
        self._deletion_token = settings.deletion_token and self.secrets.read(settings.deletion_token)
        self._app = (settings.deletion_url or APPS[settings.region]).rstrip("/")
        self.most_messages, self.most_bytes = MOST_MESSAGES, MOST_BYTES

    def translate(self, event: Event, links: Links) -> Sequence[Payload]:
        made = [*self._links(event, links)]
        match event.get("type"):
            case "track":
                made.append(self._event(event, track_name(event, RESERVED), {}))
            case "page" | "screen":
                kind = "Page" if event["type"] == "page" else "Screen"
                made.append(self._event(event, f"Loaded a {kind}", {"name": screen_or_page_name(event)}))
            case "identify" if text(event, "userId") and record(event, "traits"):
                made.append(Payload(self._profile(event), ENGAGE))
        return made

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        if not self._deletion_token:
            return ()
        devices = person.anonymous_ids
        if self._merge == "simplified":
            devices = tuple(f"$device:{id}" for id in devices)
        return in_parts((*person.user_ids, *devices), MOST_DELETED)

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        channel = messages[0].payload.channel
        if channel == DELETION:
            return self._deletion(messages[0].payload.body)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if channel == IMPORT:
            headers["Authorization"] = self.secrets.basic_auth(self._token)
            url = f"{self._host}/import?strict=1"
        else:
            url = f"{self._host}/engage?verbose=1"
        return HttpRequest(url, headers, msgspec.json.encode([one.payload.body for one in messages]))

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        answer = _Answer()
        with contextlib.suppress(msgspec.DecodeError):
            answer = msgspec.json.decode(body, type=_Answer)
        if messages[0].payload.channel == DELETION:
            refused = outcome.fate is Fate.DELIVERED and answer.status != "ok"
            return replace(outcome, fate=Fate.REFUSED, reason="it does not say ok") if refused else outcome
        if outcome.status == 400 and answer.failed_records:
            # The events that are not named have been taken.
            told = {one.index: f"{one.field}: {one.message}"[:300] for one in answer.failed_records}
            return replace(outcome, fate=Fate.DELIVERED, reason="", refused=told)
        if outcome.fate is Fate.DELIVERED and messages[0].payload.channel == ENGAGE and answer.status == 0:
            return replace(outcome, fate=Fate.REFUSED, reason=str(answer.error or "it refuses the profiles")[:300])
        return outcome

    def _deletion(self, ids: Sequence[str]) -> HttpRequest:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._deletion_token}"}
        url = f"{self._app}/api/app/data-deletions/v3.0/?token={quote(self._token, safe='')}"
        return HttpRequest(url, headers, msgspec.json.encode({"distinct_ids": ids, "compliance_type": "GDPR"}))

    def _links(self, event: Event, links: Links) -> Sequence[Payload]:
        """Return what tells Mixpanel that two ids are one person, before anything that the event itself says."""
        if event.get("type") == "alias":
            previous, user = text(event, "previousId") or text(event, "anonymousId"), text(event, "userId")
        else:
            previous, user = known_anonymous_id(event)
        if not previous or not user or previous == user or self._merge == "simplified":
            return ()
        if not links.is_new(previous, user):
            return ()
        if self._merge == "original" and event.get("type") != "alias":
            return (self._link(event, *_identify(previous, user)),)
        return (self._link(event, "$create_alias", {"distinct_id": previous, "alias": user}),)

    def _link(self, event: Event, name: str, properties: Event) -> Payload:
        common = {"token": self._token, "time": milliseconds(event)}
        key = as_uuid(f"{text(event, 'messageId')}:link")
        return Payload({"event": name, "properties": {**common, "$insert_id": key, **properties}}, IMPORT, "link")

    def _event(self, event: Event, name: str, more: Event) -> Payload:
        context = record(event, "context")
        page = page_of(event)
        known = {
            "ip": context.get("ip"),
            "$current_url": page.get("url"),
            "$referrer": page.get("referrer"),
            **more,
        }
        own = {
            "time": milliseconds(event),
            "$insert_id": as_uuid(text(event, "messageId")),
            "token": self._token,
            **self._ids(event),
        }
        said = {key: value for key, value in record(event, "properties").items() if key not in IDENTITY}
        properties = {**{key: value for key, value in known.items() if value}, **said, **own}
        return Payload({"event": name, "properties": properties}, IMPORT)

    def _ids(self, event: Event) -> Event:
        anonymous, user = text(event, "anonymousId"), text(event, "userId")
        if self._merge != "simplified":
            return {"distinct_id": user or anonymous}
        # Mixpanel itself finds out the distinct_id, and links the two when it first sees them together.
        return {name: value for name, value in (("$device_id", anonymous), ("$user_id", user)) if value}

    def _profile(self, event: Event) -> Event:
        traits = {PROFILE.get(name, name): value for name, value in record(event, "traits").items()}
        return {
            "$token": self._token,
            "$distinct_id": text(event, "userId"),
            "$ip": record(event, "context").get("ip") or 0,
            "$set": traits,
        }


def _identify(anonymous: str, user: str) -> tuple[str, Event]:
    """Return the event that links an anonymous id to a user. ``$identify`` wants a UUID of version 4."""
    try:
        is_fit = uuid.UUID(anonymous).version == 4
    except ValueError:
        is_fit = False
    if not is_fit:
        return "$merge", {"$distinct_ids": [user, anonymous]}
    return "$identify", {"distinct_id": user, "$identified_id": user, "$anon_id": anonymous}
