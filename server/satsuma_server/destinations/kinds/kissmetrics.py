"""Kissmetrics: https://support.kissmetrics.io/reference/api-specifications-1"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from satsuma_server.destinations import DeletedPerson, Links, Message, Outcome, Payload
from satsuma_server.destinations.http_client import HttpRequest
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.forwarding.services import KissmetricsDestination

from .fields import Event, known_anonymous_id, milliseconds, record, screen_or_page_name, text

HOST = "https://trk.kissmetrics.io"
EVENT, PROPERTIES, ALIAS = "e", "s", "a"
LONGEST_ID = 255
LONGEST_VALUE = 500
"""Characters of one property. All of them are in a URL, and servers accept no longer ones than some kilobytes."""

LONGEST_QUERY = 6_000


class Kissmetrics:
    """Implements `HttpService`.

    There is no field for a key. Kissmetrics tells duplicates by person, event and time, which are the same when an
    event is sent again. It answers 200 also to what it doesn't understand, so that nothing is ever refused.
    """

    takes_claims = False

    def __init__(self, settings: KissmetricsDestination) -> None:
        """Read the key. Raises `SettingsError` where it is missing."""
        self.secrets = Secrets()
        self._host = (settings.url or HOST).rstrip("/")
        self._key = self.secrets.read(settings.key)
        self.most_messages, self.most_bytes = 1, 1 << 20

    def translate(self, event: Event, links: Links) -> Sequence[Payload]:
        made = [*self._links(event, links)]
        person = (text(event, "userId") or text(event, "anonymousId"))[:LONGEST_ID]
        if not person:
            raise ValueError("it has no userId and no anonymousId")
        properties = record(event, "traits" if event.get("type") in ("identify", "group") else "properties")
        match event.get("type"):
            case "track":
                made.append(self._payload(event, EVENT, {"_p": person, "_n": text(event, "event")}, properties))
            case "page" | "screen":
                name = f"Viewed {screen_or_page_name(event)}".strip()
                made.append(self._payload(event, EVENT, {"_p": person, "_n": name}, properties))
            case "identify" if properties:
                made.append(self._payload(event, PROPERTIES, {"_p": person}, properties))
            case "group":
                made.append(self._payload(event, PROPERTIES, {"_p": person}, {"groupId": text(event, "groupId")}))
        return made

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return ()

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        payload = messages[0].payload
        query = urlencode({"_k": self._key, **payload.body})
        return HttpRequest(f"{self._host}/{payload.channel}?{query}", {}, b"", "GET")

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        return outcome

    def _links(self, event: Event, links: Links) -> Sequence[Payload]:
        if event.get("type") == "alias":
            previous, user = text(event, "previousId") or text(event, "anonymousId"), text(event, "userId")
        else:
            previous, user = known_anonymous_id(event)
        if not previous or not user or previous == user or not links.is_new(previous, user):
            return ()
        return (Payload({"_p": previous[:LONGEST_ID], "_n": user[:LONGEST_ID]}, ALIAS, "link"),)

    def _payload(self, event: Event, channel: str, fields: dict[str, str], properties: Event) -> Payload:
        own = {**fields, "_t": str(milliseconds(event) // 1000), "_d": "1"}
        query: dict[str, str] = {}
        for name, value in properties.items():
            if not name.startswith("_") and value is not None:
                query[name[:LONGEST_ID]] = _value(value)
                if len(urlencode(query)) > LONGEST_QUERY:
                    query.pop(name[:LONGEST_ID])
                    break
        return Payload({**query, **own}, channel)


def _value(value: Any) -> str:
    return (value if isinstance(value, str) else msgspec.json.encode(value).decode())[:LONGEST_VALUE]
