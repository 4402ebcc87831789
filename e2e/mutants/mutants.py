"""Faults in the rules of identity, one at a time: each must make a test of the specification fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is changed in one module: each text, which occurs there once, becomes the other."""

    changes: tuple[tuple[str, str], ...]

    def put_into(self, source: str) -> str:
        """Return the source with the fault in it.

        Raises:
            AssertionError: a text isn't there, or not only once.
        """
        for old, new in self.changes:
            assert source.count(old) == 1, f"{source.count(old)} times in the source: {old!r}"
            source = source.replace(old, new)
        return source


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Attributes:
        name: short, fit for a folder.
        says: what the SDK does wrong now.
        test: the one that is tried first; where it doesn't notice, all are.
        faults: by module of `satsuma`.
    """

    name: str
    says: str
    test: str
    faults: Mapping[str, Fault]


def mutant(name: str, says: str, test: str, module: str, *changes: tuple[str, str]) -> Mutant:
    """Return a mutant that differs in one module."""
    return Mutant(name, says, test, {module: Fault(changes)})


SYNC = "if held is not None), None)\n        self._heal(key, value, found)\n"
CONSISTENT = "(present[0][1] if present else None)\n        self._heal(key, value, found)\n"
HEAL = "        self._heal(key, value, found)\n"
ALL = "found = [(store, self._read(store, key, store.get_id)) for store in self.stores]"
WRITE = "self._write(key, text, self.options.maxage)"
MAKE = "            return self._set_anonymous_id(self._new_id())"
MERGE = "if current is None or current == id else {}"

MUTANTS = (
    mutant(
        "user-id-not-healed",
        "a userId that one store has lost is not written there again",
        "test_a_known_visitor_is_still_known_after_a_year",
        "storage.py",
        (SYNC, SYNC.replace(HEAL, "")),
    ),
    mutant(
        "anonymous-id-not-healed",
        "an anonymousId that one store has lost is not written there again",
        "test_a_known_visitor_is_still_known_after_a_year",
        "storage.py",
        (CONSISTENT, CONSISTENT.replace(HEAL, "")),
    ),
    mutant(
        "storage-not-asked",
        "where the cookie is gone, localStorage is not asked for the id",
        "test_a_single_cookie_that_expires_in_real_time_is_set_anew",
        "storage.py",
        (ALL, ALL.replace("self.stores]", "self.stores if store.kind == 'cookie']")),
    ),
    mutant(
        "month",
        "cookies live 30 days",
        "test_the_cookies_live_one_year_on_the_whole_site",
        "cookie_jar.py",
        ("maxage: float = 365", "maxage: float = 30"),
    ),
    mutant(
        "400-days",
        "cookies live 400 days",
        "test_the_cookies_live_one_year_on_the_whole_site",
        "cookie_jar.py",
        ("maxage: float = 365", "maxage: float = 400"),
    ),
    mutant(
        "not-renewed",
        "a cookie that is there already is not given a new year",
        "test_who_comes_back_within_the_year_has_a_year_again",
        "storage.py",
        (WRITE, f"if self.get(key) != value:\n            {WRITE}"),
    ),
    mutant(
        "no-cookies",
        "cookies are not written",
        "test_the_first_page_makes_an_anonymous_visitor_and_tells_of_them",
        "storage.py",
        (WRITE, "return"),
    ),
    mutant(
        "no-local-storage",
        "localStorage is not written",
        "test_the_first_page_makes_an_anonymous_visitor_and_tells_of_them",
        "storage.py",
        ("self._local_storage.set_item(key, text)", "pass"),
    ),
    mutant(
        "path",
        "cookies are those of one folder",
        "test_the_cookies_live_one_year_on_the_whole_site",
        "cookie_jar.py",
        ('path: str = "/"', 'path: str = "/products"'),
    ),
    mutant(
        "same-site",
        "cookies have no SameSite",
        "test_the_cookies_live_one_year_on_the_whole_site",
        "cookie_jar.py",
        ('same_site: str | None = "Lax"', "same_site: str | None = None"),
    ),
    mutant(
        "storage-wins",
        "localStorage wins over the anonymousId that a server has put into the cookie",
        "test_an_anonymous_id_in_a_servers_cookie_overwrites_the_one_in_local_storage",
        "storage.py",
        ("value = cookies[0] if cookies else (", "value = ("),
    ),
    mutant(
        "raw-cookie",
        "a cookie's value is not encoded",
        "test_a_user_id_is_kept_as_it_is",
        "codec.py",
        ("return _quote(text, _VALUE_SAFE)", "return text"),
    ),
    mutant(
        "reset-keeps-anonymous-id",
        "reset keeps the anonymousId",
        "test_reset_removes_everything_and_the_next_visit_is_somebody_new",
        "identity.py",
        ("        self._ids.set_id(ANONYMOUS_ID_KEY, None)\n        super()._forget()", "        super()._forget()"),
        ("        super().clear()\n        self._ids.clear(ANONYMOUS_ID_KEY)", "        super().clear()"),
    ),
    mutant(
        "reset-keeps-user-id",
        "reset keeps the userId",
        "test_reset_removes_everything_and_the_next_visit_is_somebody_new",
        "identity.py",
        ("        self._ids.set_id(self.options.keys.id, None)\n        self.traits({})", "        self.traits({})"),
        ("        self._ids.clear(self.options.keys.id)\n", ""),
    ),
    mutant(
        "reset-keeps-traits",
        "reset keeps the traits",
        "test_reset_removes_everything_and_the_next_visit_is_somebody_new",
        "identity.py",
        ("(self.options.keys.id, None)\n        self.traits({})", "(self.options.keys.id, None)"),
        ("        self._traits.clear(self.options.keys.traits)\n", ""),
    ),
    mutant(
        "reset-keeps-group",
        "reset keeps the group",
        "test_reset_removes_everything_and_the_next_visit_is_somebody_new",
        "analytics.py",
        ("        self._visitor.group.reset()\n", ""),
    ),
    mutant(
        "reset-leaves-keys",
        "reset leaves keys of nothing in localStorage",
        "test_reset_removes_everything_and_the_next_visit_is_somebody_new",
        "identity.py",
        ("        self._forget()\n        self.clear()", "        self._forget()"),
    ),
    mutant(
        "other-user-same-anonymous-id",
        "who logs in as somebody else keeps the anonymousId",
        "test_logging_in_as_another_user_mixes_nothing",
        "identity.py",
        ("# The anonymousId belonged to somebody else.\n        self._ids.set_id(ANONYMOUS_ID_KEY, None)", "return"),
    ),
    mutant(
        "new-user-new-anonymous-id",
        "who registers gets a new anonymousId",
        "test_full_registration_carries_both_ids",
        "identity.py",
        (
            "if value is not None and previous is not None and value != previous:",
            "if value is not None and value != previous:",
        ),
    ),
    mutant(
        "traits-of-another",
        "somebody else's traits are taken over",
        "test_logging_in_as_another_user_mixes_nothing",
        "identity.py",
        (MERGE, "if True else {}"),
    ),
    mutant(
        "traits-not-merged",
        "new traits take the place of all others",
        "test_full_registration_carries_both_ids",
        "identity.py",
        (MERGE, "if False else {}"),
    ),
    mutant(
        "traits-not-kept",
        "traits are sent, but not kept",
        "test_soft_registration_sends_traits_and_no_user_id",
        "identity.py",
        ("        self.traits(self._within_bounds(", "        (self._within_bounds("),
    ),
    mutant(
        "user-id-not-kept",
        "the userId of an identify is not kept",
        "test_every_later_call_carries_both_ids",
        "identity.py",
        ("        if id:\n            self.id(id)\n", ""),
    ),
    mutant(
        "no-id-on-read",
        "asking for the anonymousId makes none",
        "test_the_first_page_makes_an_anonymous_visitor_and_tells_of_them",
        "identity.py",
        (MAKE, "            return None"),
    ),
    mutant(
        "same-id-for-all",
        "all visitors get the same anonymousId",
        "test_a_device_shares_the_user_id_from_its_own_login_on",
        "identity.py",
        (MAKE, MAKE.replace("self._new_id()", "'bd077b70-816b-448b-ae79-2f5f7d856513'")),
    ),
    mutant(
        "no-uuid",
        "the anonymousId is no UUID",
        "test_the_first_page_makes_an_anonymous_visitor_and_tells_of_them",
        "identity.py",
        (MAKE, MAKE.replace("self._new_id()", "self._new_id().replace('-', '')")),
    ),
    mutant(
        "first-anonymous-id-stays",
        "an anonymousId that is set does not overwrite the one that is there",
        "test_an_anonymous_id_from_a_server_overwrites_the_visitors_own",
        "identity.py",
        ("kept = self._set_anonymous_id(value)", "kept = previous or self._set_anonymous_id(value)"),
    ),
    mutant(
        "calls-without-user-id",
        "calls after an identify don't carry the userId",
        "test_every_later_call_carries_both_ids",
        "events.py",
        ('if user_id and event.get("type") != "alias":', "if False:"),
    ),
    mutant(
        "calls-without-anonymous-id",
        "calls of a known visitor don't carry the anonymousId",
        "test_every_later_call_carries_both_ids",
        "events.py",
        ("        if anonymous_id:\n            event", "        if anonymous_id and not user_id:\n            event"),
    ),
    mutant(
        "given-anonymous-id-ignored",
        "an anonymousId that is given with a call is not taken",
        "test_an_anonymous_id_from_a_server_overwrites_the_visitors_own",
        "events.py",
        ("            self.user.anonymous_id(str(anonymous_id))", "            pass"),
    ),
    mutant(
        "alias-of-nobody",
        "an alias does not name the anonymous visitor",
        "test_an_alias_before_the_identify_links_the_anonymous_visitor",
        "events.py",
        ("or self.user.id() or self.user.anonymous_id()", "or self.user.id()"),
    ),
    mutant(
        "identify-without-known-traits",
        "an identify tells only the traits that it was given",
        "test_full_registration_carries_both_ids",
        "visitor_state.py",
        ("user.id(), user.traits() or {})", "user.id(), call.traits or {})"),
    ),
)
