"""Google Analytics 4: https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from satsuma_server.destinations import DeletedPerson, Links, Message, Outcome, Payload
from satsuma_server.destinations.http_client import HttpRequest
from satsuma_server.destinations.secrets import Secrets
from satsuma_server.forwarding.services import Ga4Destination

from .fields import Event, milliseconds, page_of, record, screen_or_page_name, text

HOST = "https://www.google-analytics.com"
LONGEST_NAME, LONGEST_VALUE = 40, 100
MOST_PARAMETERS = 25

EVENTS = {
    "order completed": "purchase",
    "product added": "add_to_cart",
    "product removed": "remove_from_cart",
    "product viewed": "view_item",
    "product list viewed": "view_item_list",
    "checkout started": "begin_checkout",
    "cart viewed": "view_cart",
    "products searched": "search",
    "signed up": "sign_up",
    "signed in": "login",
}
"""Names of Segment's specification, for which Google Analytics has names of its own."""

PARAMETERS = {"order_id": "transaction_id", "revenue": "value", "query": "search_term"}


class Ga4:
    """Implements `HttpService`.

    There is no field for a key, except ``transaction_id`` of a purchase; the messageId goes as ``message_id``. Google
    answers 204 also to what it doesn't understand, so that nothing is ever refused.
    """

    takes_claims = False

    def __init__(self, settings: Ga4Destination) -> None:
        """Read the secret. Raises `SettingsError` where it is missing."""
        self.secrets = Secrets()
        query = urlencode({"measurement_id": settings.measurement_id, "api_secret": self.secrets.read(settings.secret)})
        self._url = f"{(settings.url or HOST).rstrip('/')}/mp/collect?{query}"
        # All events of a request have the same client and user.
        self.most_messages, self.most_bytes = 1, 130_000

    def translate(self, event: Event, links: Links) -> Sequence[Payload]:
        named = self._named(event)
        if named is None:
            return ()
        name, parameters = named
        anonymous, user = text(event, "anonymousId"), text(event, "userId")
        if not anonymous and not user:
            raise ValueError("it has no userId and no anonymousId")
        body: Event = {
            # A server's event has no device. Google Analytics wants one nevertheless.
            "client_id": anonymous or user,
            "timestamp_micros": milliseconds(event) * 1000,
            "events": [{"name": name, "params": _parameters(parameters, text(event, "messageId"))}],
        }
        return (Payload({**body, "user_id": user} if user else body),)

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        return ()

    def request(self, messages: Sequence[Message]) -> HttpRequest:
        body = msgspec.json.encode(messages[0].payload.body)
        return HttpRequest(self._url, {"Content-Type": "application/json"}, body)

    def judge(self, outcome: Outcome, body: bytes, messages: Sequence[Message]) -> Outcome:
        return outcome

    def _named(self, event: Event) -> tuple[str, Event] | None:
        """Return name and parameters of an event; None for those that Google Analytics has no use for."""
        properties = record(event, "properties")
        match event.get("type"):
            case "track":
                name = text(event, "event")
                return EVENTS.get(name.casefold()) or _name(name), properties
            case "page":
                page = page_of(event)
                seen = {"page_location": "url", "page_title": "title", "page_referrer": "referrer"}
                return "page_view", {**{own: page[name] for own, name in seen.items() if page.get(name)}, **properties}
            case "screen":
                return "screen_view", {"screen_name": screen_or_page_name(event), **properties}
            case "group":
                return "join_group", {"group_id": text(event, "groupId")}
        return None


def _name(text: str) -> str:
    """Return a name of at most 40 letters, digits and underscores that begins with a letter."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return (name if name[:1].isalpha() else f"event_{name}").lower()[:LONGEST_NAME].rstrip("_")


def _parameters(given: Event, message_id: str) -> Event:
    made: Event = {}
    for name, value in given.items():
        if len(made) >= MOST_PARAMETERS - 2:
            break
        if (kept := _value(value)) is not None:
            made[PARAMETERS.get(name) or _name(name)] = kept
    # Reports show a user as active only with an engagement time.
    return {**made, "engagement_time_msec": 1, "message_id": message_id[:LONGEST_VALUE]}


def _value(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    return value[:LONGEST_VALUE] if isinstance(value, str) else None
