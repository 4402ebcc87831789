"""How a site's identity calls are audited, and how often."""

from __future__ import annotations

import msgspec


class AuditRuleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of the audit, where it is not as by default.

    Attributes:
        share: least part of those who could break it, from 0 to 1, of which it is told.
        least: least number of them of which it is told.
        off: the reason for which the rule is switched off; the report shows it.
    """

    share: float | None = None
    least: int | None = None
    off: str = ""


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit of how a site identifies its users; docs/audit.md has the reasons of the defaults.

    Attributes:
        rules: rules that are not as by default, by their ids.
        sign_up_events, login_events, logout_events: names of the events that tell of those, in lower case; words are
            told apart by anything that is no letter, so that ``Signed_Up`` is ``signed up``.
        session_minutes: a visit ends when nothing comes for so long.
        left_ms: a page that is left within so many milliseconds had no time to send.
        cause_seconds: how soon after an identify the event that caused it must come.
        replaced_days: an anonymousId that is replaced sooner than this was not lost by the browser's own rules.
        shared_kinds: an anonymousId that so many kinds of browsers have is shared by them.
        skew_minutes: a clock that is wrong by more is told of.
        late_hours: an event that comes later is late.
        price: of a thousand monthly tracked users, to tell what identify calls spare; 0 for none.
        currency: of that price, for people.
        memory: most that the database may use, as ``400MB``.
    """

    rules: dict[str, AuditRuleSettings] = {}
    sign_up_events: tuple[str, ...] = (
        "signed up",
        "sign up",
        "sign up completed",
        "user signed up",
        "account created",
        "user registered",
        "registered",
        "registration completed",
    )
    login_events: tuple[str, ...] = ("signed in", "logged in", "login", "user logged in", "user signed in")
    logout_events: tuple[str, ...] = ("signed out", "logged out", "logout", "user logged out", "user signed out")
    session_minutes: int = 30
    left_ms: int = 1_000
    cause_seconds: int = 10
    replaced_days: int = 7
    shared_kinds: int = 3
    skew_minutes: int = 5
    late_hours: int = 24
    price: float = 0.0
    currency: str = "USD"
    memory: str = "400MB"

    def values(self) -> dict[str, int]:
        """Return the thresholds that queries name."""
        names = ("session_minutes", "left_ms", "cause_seconds", "replaced_days", "shared_kinds", "skew_minutes")
        return {name: getattr(self, name) for name in (*names, "late_hours")}


class HealthSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit that the collector makes of its own events, for the console's screen Health.

    Attributes:
        every_minutes: how often, where events have come since the last one; 0 for only when somebody asks for one.
        most_events: how many of the newest events are read. Each takes the database some hundred bytes on disk.
        days: events that were received earlier are left out, so that mended mistakes leave the report.
    """

    every_minutes: int = 60
    most_events: int = 200_000
    days: int = 30
