"""Histories of a shop, made up from a seed: healthy ones, and ones with a fault at a share of those it can befall.

A healthy shop has people with several devices, sign-ups, logins, logouts with a reset, computers that are shared,
browsers that forget (Safari after a week, people who clear), newsletters, a server that sends events too, wrong clocks,
late events and a few repeated messages. None of that is a mistake of the site.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

type Event = dict[str, Any]

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 60
HOST = "shop.example"
EVENTS_A_PERSON = 26

AGENTS = {
    "Chrome": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/{}.0.0.0 Safari/537.36",
    "Safari": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_{} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.3 Mobile/15E148 Safari/604.1",
    "Firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
    "Edge": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/126.0.0.0 Safari/537.36 Edg/{}.0.0.0",
}
FAMILIES = ("Chrome", "Chrome", "Safari", "Firefox", "Edge")
PRODUCTS = ("lemon", "orange", "satsuma", "pomelo", "yuzu")


@dataclass
class Device:
    """One browser: what its cookies hold."""

    family: str
    agent: str
    ip: str
    anonymous_id: str
    user_id: str | None = None
    seen: datetime | None = None
    skew: timedelta = timedelta()


@dataclass
class Person:
    """Somebody who shops."""

    name: str
    email: str
    phone: str
    joins: bool
    devices: list[Device]
    user_id: str | None = None
    created: datetime | None = None
    subscribed: bool = False
    visits: int = 0


@dataclass
class World:
    """One history.

    Attributes:
        seed: what all chance comes from.
        people: how many there are; each makes some 26 events.
        faults: by rule, the share of those it can befall that it befalls.
        struck: how many it did befall.
    """

    seed: int
    people: int = 770
    faults: dict[str, float] = field(default_factory=dict)
    struck: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._due = dict.fromkeys(self.faults, 0.5)
        self._events: list[Event] = []
        self._now = START
        self._url = ""
        self._device = self._new_device("10.9.9.9")

    def lines(self) -> Iterator[bytes]:
        """Yield the events as an archive has them, in the order in which they were received."""
        for event in self.events():
            yield json.dumps(event, separators=(",", ":")).encode()

    def events(self) -> list[Event]:
        """Return all events, in the order in which they were received."""
        if self._events:
            return self._events
        crowd = [self._new_person(number) for number in range(self.people)]
        for number, person in enumerate(crowd):
            if number % 8 == 1:
                # A shared computer: the neighbour's first device is this one's too.
                person.devices[0] = crowd[number - 1].devices[0]
        visits = [
            (START + timedelta(seconds=self.random.uniform(3600, DAYS * 86_400)), number)
            for number in range(self.people)
            for _ in range(self.random.choice((1, 2, 3, 3, 4, 6)))
        ]
        for at, number in sorted(visits):
            self._visit(crowd[number], at)
        self._events.sort(key=lambda event: event["receivedAt"])
        return self._events

    def strikes(self, rule: str) -> bool:
        """Tell whether a fault befalls the next whom it can befall: evenly, so that its share is exact."""
        share = self.faults.get(rule)
        if not share:
            return False
        self._due[rule] += share
        if self._due[rule] < 1:
            return False
        self._due[rule] -= 1
        self.struck[rule] = self.struck.get(rule, 0) + 1
        return True

    # People and their browsers

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def _new_device(self, ip: str) -> Device:
        family = self.random.choice(FAMILIES)
        agent = AGENTS[family].format(
            self.random.randint(1, 40) if family == "Safari" else self.random.randint(110, 150)
        )
        device = Device(family, agent, ip, self._new_anonymous_id())
        if self.random.random() < 0.002:
            device.skew = timedelta(seconds=self.random.choice((-1, 1)) * self.random.uniform(600, 90_000))
        if self.strikes("clock-skew"):
            device.skew = timedelta(hours=5)
        return device

    def _new_anonymous_id(self) -> str:
        if self.strikes("anonymous-id-not-random"):
            return self.random.choice(
                ("undefined", f"guest-{self.random.randint(1, 99)}", str(self.random.randint(1, 10**6)))
            )
        if self.strikes("anonymous-id-shared-by-browsers"):
            return "5f9d1c8e-0000-4000-8000-c0ffee000000"
        return self._uuid()

    def _new_person(self, number: int) -> Person:
        first = self.random.choice(("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia"))
        last = (
            self.random.choice("BCDFGHKLMNPRST")
            + self.random.choice(("arlow", "inter", "embers", "alloway"))
            + str(number)
        )
        last = last.translate(str.maketrans("0123456789", "abcdefghij"))
        ip = f"10.{number % 200}.{number // 200}.{self.random.randint(1, 250)}"
        devices = [self._new_device(ip) for _ in range(self.random.choice((1, 1, 2)))]
        person = Person(
            f"{first} {last}", f"{first}.{last}.{number}@mail.example".lower(), f"+4930{number:07}",
            self.random.random() < 0.6, devices,
        )  # fmt: skip
        if person.joins and self.random.random() < 0.4:
            person.user_id = self._new_user_id(person)
            person.created = START - timedelta(days=self.random.uniform(3, 900))
        return person

    def _new_user_id(self, person: Person) -> str:
        if self.strikes("user-id-is-email"):
            return person.email
        if self.strikes("user-id-is-phone"):
            return person.phone
        if self.strikes("user-id-is-user-name"):
            return person.email.partition("@")[0]
        if self.strikes("user-ids-of-several-forms"):
            return f"legacy_{self.random.randint(1000, 99_999)}"
        return "".join(self.random.choice("0123456789abcdef") for _ in range(24))

    # A visit

    def _visit(self, person: Person, at: datetime) -> None:
        self._now = at
        self._url = ""
        device = self.random.choice(person.devices)
        self._open(person, device)
        self._page("/")
        for _ in range(self.random.randint(1, 3)):
            self._browse()
        person.visits += 1
        if not person.subscribed and self.random.random() < 0.08:
            self._subscribe(person)
        if person.joins and person.user_id is None and (person.visits > 1 or self.random.random() < 0.5):
            self._sign_up(person)
        elif person.user_id is not None and device.user_id != person.user_id and self.random.random() < 0.8:
            self._log_in(person)
        if person.user_id is not None and device.user_id == person.user_id:
            self._as_member(person)
        device.seen = self._now

    def _open(self, person: Person, device: Device) -> None:
        """Find a browser as it is after the time away."""
        self._device = device
        away = self._now - device.seen if device.seen else timedelta()
        if (device.family == "Safari" and away > timedelta(days=7)) or self.random.random() < 0.004:
            self._clear()
        if device.user_id not in (None, person.user_id):
            # Somebody else's session, which has ended: the site resets, as it should.
            if self.strikes("shared-browser-without-reset"):
                return
            self._clear()
        if device.user_id and away > timedelta(minutes=31):
            self._return(person, device, away)
        if device.user_id is None:
            self._meddle(device)

    def _return(self, person: Person, device: Device, away: timedelta) -> None:
        """Come back as a known visitor."""
        if timedelta(minutes=31) < away < timedelta(days=7) and self.strikes("anonymous-id-replaced-too-often"):
            self._clear()
        elif self.strikes("known-visitor-without-user-id"):
            device.user_id = None
            self._page("/")
            self._browse()
            device.user_id = person.user_id
        elif self.strikes("members-page-without-user-id"):
            self._clear()
            self._page("/account")

    def _meddle(self, device: Device) -> None:
        """Do to an unknown visitor's browser what a faulty site does."""
        if self.strikes("several-anonymous-ids-in-one-visit"):
            self._page("/")
            device.anonymous_id = self._uuid()
        if self.strikes("anonymous-id-of-one-subdomain"):
            self._page("/")
            kept, device.anonymous_id = device.anonymous_id, self._uuid()
            self._page("/news", host=f"blog.{HOST}")
            device.anonymous_id, self._url = kept, ""
        if self.strikes("anonymous-id-overwritten-by-server"):
            self._page("/")
            device.anonymous_id = self._uuid()
            self._send("page", name="Rendered", library="analytics-node")
        if self.strikes("anonymous-id-overwritten-by-page"):
            self._page("/lottery")
            device.anonymous_id = self._uuid()
            self._track("Lottery Shown")

    def _clear(self) -> None:
        self._device.anonymous_id = self._new_anonymous_id()
        self._device.user_id = None

    def _browse(self) -> None:
        product = self.random.choice(PRODUCTS)
        query = "?email=ada%40mail.example" if self.strikes("personal-data-in-addresses") else ""
        title = "Your page, ada@mail.example" if self.strikes("personal-data-in-titles") else product.title()
        self._page(f"/products/{product}", query=query, title=title)
        name = f"Viewed by {uuid.UUID(int=7)}" if self.strikes("personal-data-in-event-names") else "Product Viewed"
        properties: Event = {"sku": product, "price": 1.5}
        if self._device.user_id is None and self.strikes("user-id-as-property-only"):
            properties["userId"] = "507f191e810c19729de860ea"
        self._track(name, properties)

    def _subscribe(self, person: Person) -> None:
        self._page("/newsletter")
        person.subscribed = True
        first, _, last = person.name.partition(" ")
        traits = {"email": person.email, "firstName": first, "lastName": last}
        if person.user_id is None and not person.joins and self.strikes("traits-as-properties"):
            self._track("Newsletter Subscribed", traits)
            return
        self._send("identify", traits=traits)
        self._track("Newsletter Subscribed")

    def _sign_up(self, person: Person) -> None:
        self._page("/register")
        self._wait(20, 90)
        person.user_id = self._new_user_id(person)
        person.created = self._now
        is_tracked = not self.strikes("new-user-without-sign-up")
        if is_tracked:
            self._server("Signed Up", person)
        if self.strikes("sign-up-missing-in-browser"):
            self._page("/welcome", wait=(2, 6))
            return
        if self.strikes("calls-on-a-page-that-is-left"):
            self._page("/registered", wait=(2, 6))
            self._identify(person)
            self._track("Signed Up", {"plan": "free"}, wait=(0, 0.01))
            self._page("/welcome", wait=(0.2, 0.5))
            return
        if self.strikes("reset-at-login"):
            self._page("/welcome", wait=(2, 6))
            self._clear()
        else:
            self._page("/welcome", wait=(2, 6))
        if self.strikes("alias-not-needed"):
            self._send("alias", userId=person.user_id, previousId=self._device.anonymous_id)
            self._wait(0.01, 0.02)
        if self.strikes("sign-up-without-identify"):
            self._track("Signed Up", {"plan": "free"})
            return
        self._identify(person)
        if self.strikes("alias-after-identify"):
            self._wait(0.01, 0.1)
            self._send("alias", userId=person.user_id, previousId=self._device.anonymous_id)
        if self.strikes("identify-without-track"):
            self._wait(400, 500)
        if is_tracked:
            self._track("Signed Up", {"plan": "free"}, wait=(0.01, 0.3))

    def _log_in(self, person: Person) -> None:
        self._page("/login")
        self._wait(5, 40)
        if self.strikes("user-id-changed-by-alias"):
            before, person.user_id = person.user_id, self._new_user_id(person)
            self._send("alias", userId=person.user_id, previousId=before)
        if self.strikes("one-email-two-user-ids"):
            person.user_id = self._new_user_id(person)
        self._page("/account", wait=(1, 3))
        if self.strikes("login-without-identify"):
            self._track("Signed In")
            return
        self._identify(person)
        if not self.strikes("identify-without-track"):
            self._track("Signed In", wait=(0.01, 0.3))

    def _as_member(self, person: Person) -> None:
        self._page("/account")
        self._browse()
        if self.random.random() < 0.3:
            self._track("Order Completed", {"total": self.random.randint(5, 90)})
        if self.strikes("user-id-overwritten"):
            kept, self._device.user_id = self._device.user_id, "507f191e810c19729de860ea"
            self._send("identify", traits={"plan": "free"})
            self._track("Record Opened")
            self._device.user_id = kept
            return
        if self.random.random() < 0.15:
            self._track("Signed Out")
            if self.strikes("no-reset-at-logout"):
                self._page("/", wait=(3, 20))
                self._browse()
                return
            self._clear()
            self._page("/", wait=(1, 3))

    # Calls

    def _identify(self, person: Person) -> None:
        self._wait(0.005, 0.05)
        self._device.user_id = person.user_id
        assert person.created is not None
        age: Any = 42
        if self.strikes("trait-changes-type"):
            age = "42"
        traits = {
            "name": person.name,
            "email": person.email,
            "createdAt": _iso(person.created),
            "plan": "free",
            "age": age,
        }
        self._send("identify", traits=traits)

    def _page(
        self, path: str, *, host: str = HOST, query: str = "", title: str = "", wait: tuple[float, float] = (4, 90)
    ) -> None:
        self._wait(*wait)
        referrer = self._url or self.random.choice(("", "", "https://search.example/"))
        self._url = f"https://{host}{path}{query}"
        self._referrer = referrer
        self._title = title or path.strip("/").title() or "Home"
        self._send("page", name=None)

    def _track(self, name: str, properties: Event | None = None, wait: tuple[float, float] = (1, 30)) -> None:
        self._wait(*wait)
        self._send("track", event=name, properties=properties or {})

    def _wait(self, least: float, most: float) -> None:
        self._now += timedelta(seconds=self.random.uniform(least, most))

    def _server(self, name: str, person: Person) -> None:
        at = self._now + timedelta(milliseconds=300)
        self._events.append({
            "type": "track", "event": name, "userId": person.user_id, "anonymousId": None, "channel": "server",
            "messageId": f"node-next-{self._uuid()}", "properties": {}, "writeKey": "server", "integrations": {},
            "context": {"library": {"name": "@segment/analytics-node", "version": "2.2.1"}},
            "originalTimestamp": _iso(at), "timestamp": _iso(at), "sentAt": _iso(at),
            "receivedAt": _iso(at + timedelta(milliseconds=40)),
        })  # fmt: skip

    def _send(self, kind: str, *, library: str = "analytics.js", **fields: Any) -> None:
        device, at = self._device, self._now
        sent = at + timedelta(milliseconds=self.random.uniform(5, 900))
        late = timedelta(days=2) if self.random.random() < 0.002 or self.strikes("late-events") else timedelta()
        sent += late
        received = sent + timedelta(milliseconds=self.random.uniform(20, 200))
        event: Event = {
            "type": kind, "messageId": f"ajs-next-{self._uuid()}", "anonymousId": device.anonymous_id,
            "userId": device.user_id, "integrations": {}, "writeKey": "web" if library == "analytics.js" else "server",
            "channel": "client" if library == "analytics.js" else "server",
            "context": {
                "ip": device.ip, "userAgent": device.agent, "locale": "en-GB",
                "library": {"name": library, "version": "next-1.84.3"},
                "page": {"path": "/", "referrer": self._referrer if self._url else "", "search": "",
                         "title": self._title if self._url else "", "url": self._url},
            },
            # As collectors correct clocks: the time that the request was under way is in it.
            "originalTimestamp": _iso(at + device.skew), "timestamp": _iso(at + (received - sent)),
            "sentAt": _iso(sent + device.skew), "receivedAt": _iso(received),
            **fields,
        }  # fmt: skip
        if self.strikes("missing-sent-at"):
            del event["sentAt"]
        if self.strikes("events-from-the-future"):
            del event["sentAt"]
            event["timestamp"] = event["originalTimestamp"] = _iso(at + timedelta(hours=3))
        self._events.append(event)
        if self.random.random() < 0.001 or self.strikes("repeated-messages"):
            self._events.append({**event, "receivedAt": _iso(received + timedelta(seconds=5))})


def _iso(at: datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
