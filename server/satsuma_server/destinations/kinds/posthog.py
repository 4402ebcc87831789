"""PostHog: https://posthog.com/docs/api/capture

People are deleted by https://posthog.com/docs/api/persons, with their events.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from satsuma_server.destinations import DELETION, DeletedPerson, Links, Message, Outcome, Payload
from satsuma_server.destinations.http_client import HttpRequest
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.forwarding.services import PostHogDestination

from .fields import Event, as_uuid, in_parts, known_anonymous_id, page_of, record, screen_or_page_name, text, track_name

HOSTS = {"us": "https://us.i.posthog.com", "eu": "https://eu.i.posthog.com"}
APPS = {"us": "https://us.posthog.com", "eu": "https://eu.posthog.com"}
"""Where deletions go."""

MOST_DELETED = 1_000
"""How many ids one request may have."""

MOST_MESSAGES = 1_000
MOST_BYTES = 5_000_000


RESERVED = frozenset({"$identify", "$create_alias", "$merge_dangerously", "$groupidentify", "$set"})
"""Names of events by which PostHog merges or changes people."""

PEOPLE = frozenset({"$anon_distinct_id", "$set", "$set_once", "$unset", "$process_person_profile", "$groups"})
"""Properties by which it does. Anybody can send properties, so that these are left out of them."""


class PostHog:
    """Implements `HttpService`. The key of an event is its ``uuid``, which is made from the messageId."""

    takes_claims = False

    def __init__(self, settings: PostHogDestination) -> None:
        """Read the key. Raises `SettingsError` where it is missing."""
        self.secrets = Secrets()
        self._url = (settings.url or HOSTS[settings.region]).rstrip("/") + "/batch/"
        self._key = self.secrets.read(settings.key)
        self._personal_key = settings.personal_api_key and self.secrets.read(settings.personal_api_key)
        app = (settings.deletion_url or settings.url or APPS[settings.region]).rstrip("/")
        self._deletions = f"{app}/api/projects/{quote(settings.project_id, safe='')}/persons/bulk_delete/"
        self.most_messages, self.most_bytes = MOST_MESSAGES, MOST_BYTES

    def translate(self, event: Event, links: Links) -> Sequence[Payload]:
        if not text(event, "userId") and not text(event, "anonymousId"):
            raise ValueError("it has no userId and no anonymousId")
        made = []
        anonymous, user = known_anonymous_id(event)
        is_linking = bool(anonymous) and event.get("type") != "alias" and links.is_new(anonymous, user)
        if is_linking and event.get("type") != "identify":
            made.append(self._payload(event, "$identify", {"$anon_distinct_id": anonymous}, "link"))
        match event.get("type"):
            case "track":
                made.append(self._payload(event, track_name(event, RESERVED), _properties(event)))
            case "page":
                made.append(self._payload(event, "$pageview", _properties(event)))
            case "screen":
                named = {"$screen_name": screen_or_page_name(event)}
                made.append(self._payload(event, "$screen", {**named, **_properties(event)}))
            case "identify" if text(event, "userId"):
                link = {"$anon_distinct_id": anonymous} if anonymous else {}
                made.append(self._payload(event, "$identify", {**link, "$set": record(event, "traits")}))
            case "alias":
                previous = text(event, "previousId") or text(event, "anonymousId")
                made.append(self._payload(event, "$create_alias", {"alias": previous}))
            case "group":
                made.append(self._payload(event, "$groupidentify", _group(event)))
        return made

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return in_parts(person.ids, MOST_DELETED) if self._personal_key else ()

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        if messages[0].payload.channel == DELETION:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._personal_key}"}
            told = {"distinct_ids": messages[0].payload.body, "delete_events": True}
            return HttpRequest(self._deletions, headers, msgspec.json.encode(told))
        body = {"api_key": self._key, "batch": [one.payload.body for one in messages]}
        return HttpRequest(self._url, {"Content-Type": "application/json"}, msgspec.json.encode(body))

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        return outcome

    def _payload(self, event: Event, name: str, properties: Event, part: str = "") -> Payload:
        context = record(event, "context")
        page = page_of(event)
        message_id = text(event, "messageId")
        known = {
            "$ip": context.get("ip"),
            "$current_url": page.get("url"),
            "$referrer": page.get("referrer"),
            "$raw_user_agent": context.get("userAgent"),
        }
        user = text(event, "userId")
        # Without a user there is no person to make a profile of.
        more = {} if user else {"$process_person_profile": False}
        body = {
            "event": name,
            "distinct_id": user or text(event, "anonymousId"),
            "timestamp": event.get("timestamp"),
            "uuid": as_uuid(f"{message_id}:{part}" if part else message_id),
            "properties": {**{key: value for key, value in known.items() if value}, **properties, **more},
        }
        return Payload(body, part=part)


def _properties(event: Event) -> Event:
    return {name: value for name, value in record(event, "properties").items() if name not in PEOPLE}


def _group(event: Event) -> Event:
    traits = record(event, "traits")
    return {"$group_type": "group", "$group_key": text(event, "groupId"), "$group_set": traits}
