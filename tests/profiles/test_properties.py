"""Whatever comes, in whatever order and however often: the same people."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import networkx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from profiles.people import People, body
from satsuma_server.errors import ConflictError
from satsuma_server.identity.identifiers import Key
from satsuma_server.identity.links import Outcome
from satsuma_server.identity.reach import Reach
from satsuma_server.log import Stored
from satsuma_server.profiles.store.row_mapping import unpack_sizes

USERS = st.sampled_from([None, "ann", "bob", "cyd"])
DEVICES = st.sampled_from([None, "d1", "d2", "d3", "d4", "d5"])
EMAILS = st.sampled_from([None, "a@x.example", "b@x.example"])
EVENTS = st.tuples(USERS, DEVICES, EMAILS).filter(lambda ids: any(ids[:2]))
OPEN = {"protect": False, "identifiers": {"email": {}}}

Ids = tuple[str | None, str | None, str | None]


def stored(seq: int, number: int, ids: Ids) -> Stored:
    user, device, email = ids
    if user and device and number % 7 == 0:
        return Stored(seq, "web", body(number, "alias", user, previousId=device))
    traits = {"email": email} if email else {}
    return Stored(seq, "web", body(number, "identify", user, device, traits={**traits, "n": number}))


def components(history: list[Ids]) -> set[frozenset[str]]:
    """Return who is whom by networkx, which knows nothing of us."""
    graph = networkx.Graph()
    for ids in history:
        names = [f"{type}:{id}" for type, id in zip(("user_id", "anonymous_id", "email"), ids, strict=True) if id]
        networkx.add_path(graph, names) if len(names) > 1 else graph.add_node(names[0])
    return {frozenset(one) for one in networkx.connected_components(graph)}


def known(people: set[frozenset[str]]) -> set[frozenset[str]]:
    """Leave aliases' names aside."""
    bare = {frozenset(id for id in one if not id.startswith("previous_id")) for one in people}
    return bare - {frozenset()}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(EVENTS, min_size=1, max_size=25), order=st.randoms(use_true_random=False))
def test_without_limits_the_order_of_arrival_changes_nobody(history: list[Ids], order: random.Random) -> None:
    """Also not which trait is the newest, nor what an alias joins."""
    told = list(enumerate(history, start=1))
    shuffled = told.copy()
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = People(Path(one), **OPEN), People(Path(other), **OPEN)
        first.take([stored(seq, number, ids) for seq, (number, ids) in enumerate(told, start=1)])
        for seq, (number, ids) in enumerate(shuffled, start=1):
            second.take([stored(seq, number, ids)])
        assert first.everybody() == second.everybody()
        traits = [
            {frozenset(map(str, (i.key for i in p.identifiers))): p.traits for p in _all(people)}
            for people in (first, second)
        ]
        assert traits[0] == traits[1]


def _all(people: People) -> list[Any]:
    return [people.ask.find(row["profile"]) for row in people.ask.profiles()]


class Life(RuleBasedStateMachine):
    """Events come, come again, merges are undone, and all is built anew."""

    @initialize(protect=st.booleans())
    def begin(self, protect: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.people = People(self.folder, protect=protect, identifiers={"email": {"limit": 2}})
        self.protect = protect
        self.history: list[Ids] = []
        self.batch: list[Stored] = []
        self.undone: list[tuple[str, str]] = []

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.people.store.close()
            shutil.rmtree(self.folder)

    @rule(events=st.lists(EVENTS, min_size=1, max_size=6))
    def events_come(self, events: list[Ids]) -> None:
        seq = len(self.people.log) + 1
        self.batch = [
            Stored(seq + i, "web", body(seq + i, "identify", u, d, traits={"email": e} if e else {}))
            for i, (u, d, e) in enumerate(events)
        ]
        self.history += events
        self.people.log += self.batch
        self.people.take(self.batch)

    @rule()
    def a_batch_comes_again(self) -> None:
        if self.batch:
            self.people.take(self.batch)

    @rule(which=st.integers(0, 50))
    def somebody_undoes_a_link(self, which: int) -> None:
        links = [self.people.ask.link(number) for number in range(1, 51)]
        found = [link for link in links if link]
        if not found:
            return
        link = found[which % len(found)]
        try:
            self.people.store.undo(link.number)
        except ConflictError:
            assert link.outcome not in (Outcome.ADDED, Outcome.MERGED)
        else:
            self.undone.append((str(link.left), str(link.right)))

    @rule()
    def all_is_built_anew_event_by_event(self) -> None:
        before = self.facts()
        self.people.store.start_anew()
        for one in self.people.log:
            self.people.take([one])
        assert self.facts() == before

    def facts(self) -> Any:
        links = [self.people.ask.link(number) for number in range(1, 200)]
        return list(self.people.ask.identity_map()), list(self.people.ask.profiles()), [link for link in links if link]

    def tracked(self) -> list[tuple[int, int, int]]:
        """Return the month's users, devices without one and devices with one, of all sources and of the only one."""
        users, devices = ({ids[place] for ids in self.history} - {None} for place in (0, 1))
        identified = {device for user, device, _ in self.history if user} - {None}
        return [(len(users), len(devices - identified), len(identified))] * 2 if self.history else []

    @invariant()
    def people_are_who_they_are(self) -> None:
        if not hasattr(self, "people"):
            return
        everybody = self.people.everybody()
        assert all(not ({a, b} <= one) for one in everybody for a, b in self.undone)
        if self.protect:
            assert all(sum(id.startswith("user_id:") for id in one) <= 1 for one in everybody)
            assert all(sum(id.startswith("email:") for id in one) <= 2 for one in everybody)
        elif not self.undone:
            assert everybody == components(self.history)
        # What stands for many is what it stands for: the ring, the sizes, and the names.
        nodes = self.people.database.run("SELECT profile, type, value, sizes, number FROM nodes ORDER BY number")
        for profile in {row[0] for row in nodes}:
            members = [row for row in nodes if row[0] == profile]
            assert sorted(self.people.ask.reach(Key("profile", str(profile)), Reach.ALL)[0]) == sorted(
                Key(*row[1:3]) for row in members
            )
            sizes = [unpack_sizes(row[3]) for row in members if row[3]]
            assert sizes == ([Counter(row[1] for row in members)] if len(members) > 1 else [])
        for profile, type, value, _, _ in nodes:
            assert self.people.ask.number_of(Key(type, value)) == profile
        usage = self.people.ask.usage()
        assert [(one.users, one.anonymous, one.identified) for one in usage] == self.tracked()
        counts = self.people.database.run("SELECT sum(identifies) FROM nodes")[0][0]
        assert (counts or 0) == len(self.history)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)


@pytest.mark.parametrize("batch", [1, 500])
def test_a_random_history_gives_what_networkx_finds(tmp_path: Path, batch: int) -> None:
    chance = random.Random(21)
    ids = [(f"u{chance.randrange(400)}", f"a{chance.randrange(900)}", None) for _ in range(1500)]
    people = People(tmp_path, protect=False)
    events = [
        Stored(seq, "web", body(seq, "track", user, device)) for seq, (user, device, _) in enumerate(ids, start=1)
    ]
    events = events[: 300 if batch == 1 else None]
    for start in range(0, len(events), batch):
        people.take(events[start : start + batch])
    assert people.everybody() == components(ids[: len(events)])
