"""Who is whom: the specification's scenarios, shared computers, aliases, limits, and undoing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from profiles.people import START, People
from satsuma_server.errors import ConflictError, NotFoundError
from satsuma_server.identity.links import LinkWarning, Outcome


def test_multi_day_single_device(people: People) -> None:
    """Scenario 1: «they come back two days later from the same device, sign up, and are assigned a userId»."""
    people.see("page", anonymous="web")
    people.see("track", anonymous="web")
    people.see("identify", "97980cfea0067", "web", traits={"name": "Peter Gibbons"}, at=START + 2 * 86_400_000)
    people.see("track", "97980cfea0067", "web")
    profile = people.profile("anonymous_id", "web")
    assert profile.user_id == "97980cfea0067"
    assert profile.counts == {"page": 1, "track": 2, "identify": 1}
    assert profile.traits == {"name": "Peter Gibbons"}
    assert (profile.first_seen, profile.last_seen) == (START + 1000, START + 2 * 86_400_000)


def test_multi_device_single_login(people: People) -> None:
    """Scenario 2: «their mobile application activity remains anonymous»."""
    people.see("screen", anonymous="app")
    people.see("identify", "u", "web")
    people.see("screen", anonymous="app")
    assert people.everybody() == {frozenset({"user_id:u", "anonymous_id:web"}), frozenset({"anonymous_id:app"})}
    assert people.profile("anonymous_id", "app").user_id is None


def test_multi_device_multiple_logins(people: People) -> None:
    """Scenario 3: «Segment can tie the anonymous activity on both web and mobile to this user»."""
    people.see("page", anonymous="web")
    people.see("screen", anonymous="app", source="app")
    people.see("identify", "u", "web")
    people.see("identify", "u", "app", source="app")
    assert people.ids("user_id", "u") == {"user_id:u", "anonymous_id:web", "anonymous_id:app"}
    assert people.profile("user_id", "u").counts == {"page": 1, "screen": 1, "identify": 2}


def test_a_shared_computer_does_not_make_one_person_of_two(people: People) -> None:
    people.see("identify", "ann", "shared", traits={"name": "Ann"})
    people.see("identify", "bob", "shared", traits={"name": "Bob"})
    people.see("track", "bob", "shared")
    people.see("track", "ann", "shared")
    people.see("track", None, "shared")
    assert people.ids("user_id", "ann") == {"user_id:ann", "anonymous_id:shared"}
    assert people.ids("user_id", "bob") == {"user_id:bob"}
    # Each event is that of its own userId.
    assert people.profile("user_id", "bob").counts == {"identify": 1, "track": 1}
    assert people.profile("user_id", "ann").counts == {"identify": 1, "track": 2}
    assert people.profile("user_id", "bob").traits == {"name": "Bob"}
    refused = people.links("user_id", "bob")[-1]
    assert (refused.outcome, refused.warnings) == (Outcome.REFUSED, (LinkWarning.TWO_USERS,))
    assert "Two userIds are two people" in refused.explain()


def test_after_reset_another_user_is_another_person(people: People) -> None:
    people.see("identify", "ann", "first")
    people.see("page", None, "second")
    people.see("identify", "bob", "second")
    assert people.everybody() == {
        frozenset({"user_id:ann", "anonymous_id:first"}),
        frozenset({"user_id:bob", "anonymous_id:second"}),
    }


@pytest.mark.parametrize(
    "value",
    ["null", "NULL", "-1", "anonymous", "undefined", "0", "000", "00000000-0000-0000-0000-000000000000", " none "],
)
def test_a_value_that_is_nobodys_joins_nobody(people: People, value: str) -> None:
    people.see("identify", value, "one")
    people.see("identify", value, "other")
    people.see("track", "u", value)
    people.see("track", value)
    assert people.everybody() == {frozenset({f"anonymous_id:{one}"}) for one in ("one", "other")} | {
        frozenset({"user_id:u"})
    }
    assert sum(people.ask.totals().blocked.values()) == 4


def test_an_anonymous_soft_registration_comes_with_its_traits(people: People) -> None:
    people.see("identify", None, "web", traits={"email": "jvisitor@thissite.com", "plan": "none"})
    people.see("identify", "123abc", "web", traits={"plan": "premium"})
    assert people.profile("user_id", "123abc").traits == {"email": "jvisitor@thissite.com", "plan": "premium"}


def test_the_later_trait_wins_whichever_comes_first_and_null_takes_it_away(people: People) -> None:
    people.see("identify", "u", traits={"plan": "new", "gone": None}, at=START + 9000)
    people.see("identify", "u", traits={"plan": "old", "gone": 1, "kept": [1, {"a": None}]}, at=START)
    assert people.profile("user_id", "u").traits == {"plan": "new", "kept": [1, {"a": None}]}


def test_configured_identifiers_link_too(make_people: Callable[..., People]) -> None:
    people = make_people(identifiers={"email": {}, "device": {"limit": 1}})
    people.see("identify", None, "web", traits={"email": "Joe@Example.com"})
    people.see("identify", "u", traits={"email": "joe@example.com "}, context={"device": {"id": "d1"}})
    people.see("track", "u", context={"device": {"id": "d2"}})
    assert people.ids("user_id", "u") == {"user_id:u", "anonymous_id:web", "email:joe@example.com", "device:d1"}
    assert people.links("user_id", "u")[-1].warnings == (LinkWarning.LIMIT,)


def test_each_source_may_have_people_of_its_own(make_people: Callable[..., People]) -> None:
    people = make_people(per_source=True)
    people.see("identify", "1", "a", source="shop")
    people.see("identify", "1", "b", source="blog")
    assert people.ids("user_id", "1", "shop") == {"user_id:1", "anonymous_id:a"}
    assert people.ids("user_id", "1", "blog") == {"user_id:1", "anonymous_id:b"}


def test_alias_joins_an_anonymous_history_whichever_comes_first(people: People) -> None:
    people.see("page", None, "early")
    people.see("alias", "u", previousId="early")
    people.see("alias", "u", previousId="late")
    people.see("page", None, "late")
    assert people.ids("user_id", "u") == {
        *("user_id:u", "anonymous_id:early", "previous_id:early", "anonymous_id:late", "previous_id:late"),
    }
    assert not people.ask.warnings(10, 10**9)


def test_alias_after_identify_is_warned_of(people: People) -> None:
    """«You must make the Alias call before you make the Identify call for that user.»"""
    people.see("page", None, "web")
    people.see("identify", "u")
    people.see("alias", "u", previousId="web")
    (warned,) = people.ask.warnings(10, 10**9)
    assert warned.warnings == (LinkWarning.LATE_ALIAS,)
    assert "Mixpanel and Kissmetrics need the alias before" in warned.explain()
    assert "anonymous_id:web" in people.ids("user_id", "u")


@pytest.mark.parametrize("alias_first", [True, False])
def test_a_user_id_can_not_be_changed(people: People, alias_first: bool) -> None:
    """«There is no way to change an existing userId.»"""
    if not alias_first:
        people.see("track", "old")
    people.see("alias", "new", previousId="old")
    people.see("track", "old")
    people.see("track", "new")
    assert people.ids("user_id", "old") == {"user_id:old"}
    assert people.profile("user_id", "new").counts == {"alias": 1, "track": 1}
    (warned,) = people.ask.warnings(10, 10**9)
    assert warned.warnings == (LinkWarning.USER_ID_CHANGE,)
    assert "A userId can't be changed: user_id:old keeps its events" in warned.explain()


def test_a_late_copy_of_an_event_changes_nothing(people: People) -> None:
    people.see("track", "u", "web")
    again = people.log[0]._replace(seq=2)
    people.log.append(again)
    people.take([again])
    people.take(people.log)
    assert people.profile("user_id", "u").counts == {"track": 1}


def test_a_merge_is_explained_and_undone_for_good(people: People) -> None:
    people.see("identify", "u", "web")
    people.see("page", None, "cafe")
    people.see("page", None, "cafe")
    people.see("track", "u", "cafe")
    link = people.links("user_id", "u")[-1]
    assert (link.outcome, link.seq, link.message_id) == (Outcome.MERGED, 4, "m4")
    assert str(link.left), str(link.right) == ("user_id:u", "anonymous_id:cafe")
    assert "m4 (number 4" in link.explain()

    people.store.undo(link.number)
    apart = {frozenset({"user_id:u", "anonymous_id:web"}), frozenset({"anonymous_id:cafe"})}
    assert people.everybody() == apart
    assert people.profile("anonymous_id", "cafe").counts == {"page": 2}
    people.see("track", "u", "cafe")
    assert people.everybody() == apart
    assert people.ask.link(link.number).undone  # type: ignore[union-attr]

    people.store.start_anew()
    people.take(people.log)
    assert people.everybody() == apart


def test_what_joined_nothing_can_not_be_undone(people: People) -> None:
    people.see("identify", "ann", "shared")
    people.see("identify", "bob", "shared")
    with pytest.raises(ConflictError):
        people.store.undo(2)
    with pytest.raises(NotFoundError):
        people.store.undo(99)
    people.store.undo(1)
    with pytest.raises(ConflictError):
        people.store.undo(1)
    # Now that the device isn't Ann's, it is the next one's who used it.
    assert people.everybody() == {frozenset({"user_id:ann"}), frozenset({"user_id:bob", "anonymous_id:shared"})}


def test_identifiers_tell_how_they_came_to_a_profile(people: People) -> None:
    people.see("page", None, "web")
    people.see("identify", "u", "web")
    first, second = people.profile("user_id", "u").identifiers
    assert (str(first.key), first.link) == ("anonymous_id:web", None)
    assert str(second.key) == "user_id:u"
    assert second.link is not None
    assert (second.link.outcome, second.link.seq, second.link.message_id) == (Outcome.ADDED, 2, "m2")
