"""Events about people, in short form, and what profiles make of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from satsuma.clock import iso_time
from satsuma_server.identity.extraction import IdentifierExtractor
from satsuma_server.identity.identifiers import Key
from satsuma_server.identity.rules import ProfileSettings, Rules
from satsuma_server.log import Stored
from satsuma_server.profiles import Link, Profile
from satsuma_server.profiles.store.database import Database, Sqlite
from satsuma_server.profiles.store.queries import Queries
from satsuma_server.profiles.store.store import Store

START = 1_700_000_000_000


def body(number: int, type: str = "track", user: str | None = None, anonymous: str | None = None, **more: Any) -> bytes:
    """Return an event as the log has it."""
    time = iso_time(more.pop("at", START + 1000 * number))
    event = {"type": type, "messageId": f"m{number}", "userId": user, "anonymousId": anonymous}
    return msgspec.json.encode({**event, "timestamp": time, "receivedAt": time, **more})


class People:
    """A store of profiles, and events that are given to it as a follower would."""

    def __init__(self, data: Path, database: Database | None = None, **settings: Any) -> None:
        self.rules = Rules(msgspec.convert(settings, ProfileSettings))
        self.database = database or Sqlite(data)
        self.store = Store(self.database, self.rules)
        self.ask = Queries(self.database)
        self.log: list[Stored] = []
        self._numbers = itertools.count(1)

    def see(self, type: str = "track", user: str | None = None, anonymous: str | None = None, **more: Any) -> int:
        """Let one event happen; return its seq."""
        source = more.pop("source", "web")
        self.log.append(Stored(len(self.log) + 1, source, body(next(self._numbers), type, user, anonymous, **more)))
        self.take(self.log[-1:])
        return len(self.log)

    def take(self, stored: Sequence[Stored]) -> None:
        """Give events to the store as one batch."""
        read = IdentifierExtractor(self.rules).read
        self.store.take([one for each in stored if (one := read(each))], stored[-1].seq)

    def profile(self, type: str, value: str, space: str = "") -> Profile:
        """Return the profile of an identifier."""
        number = self.ask.number_of(Key(type, value, space))
        assert number is not None, f"nobody is {type}:{value}"
        found = self.ask.find(number)
        assert found is not None
        return found

    def ids(self, type: str, value: str, space: str = "") -> set[str]:
        """Return the identifiers of the person whose one of them is."""
        return {str(one.key) for one in self.profile(type, value, space).identifiers}

    def links(self, type: str, value: str) -> list[Link]:
        """Return the links of a person."""
        return self.ask.links(self.profile(type, value).number)

    def everybody(self) -> set[frozenset[str]]:
        """Return all people as their identifiers."""
        people: dict[int, set[str]] = {}
        for row in self.ask.identity_map():
            people.setdefault(row["profile"], set()).add(f"{row['id_type']}:{row['id']}")
        return {frozenset(one) for one in people.values()}
