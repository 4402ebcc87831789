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
        faults: by module of `satsuma`.
    """

    name: str
    says: str
    faults: Mapping[str, Fault]


def mutant(name: str, says: str, module: str, *changes: tuple[str, str]) -> Mutant:
    """Return a mutant that differs in one module."""
    return Mutant(name, says, {module: Fault(changes)})


SYNC = "value = codec.number_to_text(self.get(key))\n        self.set(key, value)\n"
CONSISTENT = "value = codec.number_to_text(winner)\n        self.set(key, value)\n"
WRITE = "self._write(key, text, self.options.maxage)"
MERGE = "if current is None or current == id:"

MUTANTS = (
    mutant(
        "user-id-not-healed",
        "a userId that one store has lost is not written there again",
        "storage.py",
        (SYNC, SYNC.replace("        self.set(key, value)\n", "")),
    ),
    mutant(
        "anonymous-id-not-healed",
        "an anonymousId that one store has lost is not written there again",
        "storage.py",
        (CONSISTENT, CONSISTENT.replace("        self.set(key, value)\n", "")),
    ),
    mutant(
        "storage-not-asked",
        "where the cookie is gone, localStorage is not asked for the id",
        "storage.py",
        (
            "            value = self._read(store, key)\n            if value is not None:",
            "            value = self._read(store, key)\n            if value is not None and store.kind == 'cookie':",
        ),
    ),
    mutant("month", "cookies live 30 days", "storage.py", ("maxage: float = 365", "maxage: float = 30")),
    mutant("400-days", "cookies live 400 days", "storage.py", ("maxage: float = 365", "maxage: float = 400")),
    mutant(
        "not-renewed",
        "a cookie that is there already is not given a new year",
        "storage.py",
        (WRITE, f"if self.get(key) != value:\n            {WRITE}"),
    ),
    mutant("no-cookies", "cookies are not written", "storage.py", (WRITE, "return")),
    mutant(
        "no-local-storage",
        "localStorage is not written",
        "storage.py",
        ("self._area.set_item(key, codec.to_json(value))", "return"),
    ),
    mutant("path", "cookies are those of one folder", "storage.py", ('path: str = "/"', 'path: str = "/products"')),
    mutant(
        "same-site",
        "cookies have no SameSite",
        "storage.py",
        ('same_site: str | None = "Lax"', "same_site: str | None = None"),
    ),
    mutant(
        "storage-wins",
        "localStorage wins over the anonymousId that a server has put into the cookie",
        "storage.py",
        ("winner = cookies[0] if cookies else (", "winner = ("),
    ),
    mutant(
        "raw-cookie",
        "a cookie's value is not encoded",
        "codec.py",
        ("return _quote(text, _VALUE_SAFE)", "return text"),
    ),
    mutant(
        "reset-keeps-anonymous-id",
        "reset keeps the anonymousId",
        "identity.py",
        ("        self.anonymous_id(None)\n        super().logout()", "        super().logout()"),
        ("        super().clear()\n        self._ids.clear(ANONYMOUS_ID_KEY)", "        super().clear()"),
    ),
    mutant(
        "reset-keeps-user-id",
        "reset keeps the userId",
        "identity.py",
        ("        self.id(None)\n        self.traits({})", "        self.traits({})"),
        ("        self._ids.clear(self.options.keys.id)\n", ""),
    ),
    mutant(
        "reset-keeps-traits",
        "reset keeps the traits",
        "identity.py",
        ("        self.id(None)\n        self.traits({})", "        self.id(None)"),
        ("        self._traits.clear(self.options.keys.traits)\n", ""),
    ),
    mutant(
        "reset-keeps-group",
        "reset keeps the group",
        "analytics.py",
        ("        self._user.reset()\n        self._group.reset()", "        self._user.reset()"),
    ),
    mutant(
        "reset-leaves-keys",
        "reset leaves keys of nothing in localStorage",
        "identity.py",
        ("        self.logout()\n        self.clear()", "        self.logout()"),
    ),
    mutant(
        "other-user-same-anonymous-id",
        "who logs in as somebody else keeps the anonymousId",
        "identity.py",
        ("# The anonymousId belonged to somebody else.\n        self.anonymous_id(None)", "return"),
    ),
    mutant(
        "new-user-new-anonymous-id",
        "who registers gets a new anonymousId",
        "identity.py",
        (
            "if value is not None and previous is not None and value != previous:",
            "if value is not None and value != previous:",
        ),
    ),
    mutant("traits-of-another", "somebody else's traits are taken over", "identity.py", (MERGE, "if True:")),
    mutant("traits-not-merged", "new traits take the place of all others", "identity.py", (MERGE, "if False:")),
    mutant(
        "traits-not-kept",
        "traits are sent, but not kept",
        "identity.py",
        ("            self.id(id)\n        self.traits(merged)", "            self.id(id)"),
    ),
    mutant(
        "user-id-not-kept",
        "the userId of an identify is not kept",
        "identity.py",
        ("        if id:\n            self.id(id)\n", ""),
    ),
    mutant(
        "no-id-on-read",
        "asking for the anonymousId makes none",
        "identity.py",
        ("            value = self._new_id()", "            return None"),
    ),
    mutant(
        "same-id-for-all",
        "all visitors get the same anonymousId",
        "identity.py",
        ("            value = self._new_id()", "            value = 'bd077b70-816b-448b-ae79-2f5f7d856513'"),
    ),
    mutant(
        "no-uuid",
        "the anonymousId is no UUID",
        "identity.py",
        ("            value = self._new_id()", "            value = self._new_id().replace('-', '')"),
    ),
    mutant(
        "first-anonymous-id-stays",
        "an anonymousId that is set does not overwrite the one that is there",
        "identity.py",
        ("        if value is UNSET:\n            found", "        if value is not None:\n            found"),
        ("            value = self._new_id()", "            value = self._new_id() if value is UNSET else value"),
    ),
    mutant(
        "calls-without-user-id",
        "calls after an identify don't carry the userId",
        "events.py",
        ('if user_id and event["type"] != "alias":', "if False:"),
    ),
    mutant(
        "calls-without-anonymous-id",
        "calls of a known visitor don't carry the anonymousId",
        "events.py",
        ("        if anonymous_id:\n            event", "        if anonymous_id and not user_id:\n            event"),
    ),
    mutant(
        "given-anonymous-id-ignored",
        "an anonymousId that is given with a call is not taken",
        "events.py",
        ("            self.user.anonymous_id(str(anonymous_id))", "            pass"),
    ),
    mutant(
        "alias-of-nobody",
        "an alias does not name the anonymous visitor",
        "events.py",
        ("or self.user.id() or self.user.anonymous_id()", "or self.user.id()"),
    ),
    mutant(
        "identify-without-known-traits",
        "an identify tells only the traits that it was given",
        "analytics.py",
        ("self._user.id(), self._user.traits() or {})", "self._user.id(), call.traits or {})"),
    ),
)
