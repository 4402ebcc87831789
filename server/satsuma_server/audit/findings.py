"""What an audit finds. These structures are the JSON report; docs/audit.md documents them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

FORMAT = 1
"""Of the JSON report; it changes when a reader of the old one would misread the new one."""


class Severity(StrEnum):
    """How much a finding matters.

    Attributes:
        WRONG: people are lost, doubled or mixed up, so that numbers are off; or personal data leaks.
        HINT: it works, but could be better or safer.
        NOTE: it explains numbers; nobody has to do anything.
    """

    WRONG = "wrong"
    HINT = "hint"
    NOTE = "note"


class Example(msgspec.Struct, frozen=True):
    """One event that shows a finding.

    Attributes:
        person: the identifier that finds the person in the console, as ``user_id:42``; empty where there is none.
        message_id, type, name, at: of the event; `at` is ISO 8601 in UTC.
        source: its write key, or the project that its archive names.
        detail: what is wrong about it.
        seq: its number in the collector's log; None where it comes from elsewhere.
    """

    person: str
    message_id: str
    type: str
    name: str
    at: str
    source: str
    detail: str
    seq: int | None = None


class Part(msgspec.Struct, frozen=True):
    """A page, browser or day that a finding is most often seen in.

    Attributes:
        kind: ``page``, ``browser`` or ``day``.
        value: which one.
        count: how many of the finding's are there.
    """

    kind: str
    value: str
    count: int


class Moment(msgspec.Struct, frozen=True):
    """One stretch of the history: how many there were of what a rule looks at, and how many break it."""

    at: str
    found: int
    total: int


class Finding(msgspec.Struct, frozen=True):
    """One rule that is broken.

    Attributes:
        rule: its id.
        family: the module that it is of.
        severity: how much it matters.
        title, explanation: what is wrong, and why it matters.
        specification: where the best practices say so.
        unit: what is counted, in the plural: the population of which `total` is the number.
        found: how many break the rule.
        total: how many could have.
        share: `found` of `total`, from 0 to 1.
        trend: the same over time, the oldest first.
        direction: of the share, the later half beside the earlier: ``rising``, ``falling``, ``steady``, or
            ``unknown`` where there is too little to tell.
        parts: where it is seen most.
        libraries: what sent it, the most frequent first.
        examples: up to five.
        advice: how it is mended.
        code: the mending in code, by library.
        known: the baseline has it.
        since, latest: ISO 8601 times of the first and the last event that shows it.
    """

    rule: str
    family: str
    severity: Severity
    title: str
    explanation: str
    specification: str
    unit: str
    found: int
    total: int
    share: float
    trend: list[Moment]
    direction: str
    parts: list[Part]
    libraries: list[str]
    examples: list[Example]
    advice: str
    code: dict[str, str]
    known: bool = False
    since: str | None = None
    latest: str | None = None

    def days(self) -> str:
        """Return since when it has been so, and until when, as dates; empty where no event has a time."""
        first, last = (self.since or "")[:10], (self.latest or "")[:10]
        return first if first == last else f"{first} to {last}"


class Skipped(msgspec.Struct, frozen=True):
    """A rule that was not held against the events: switched off, or there was nothing that it looks at."""

    rule: str
    title: str
    reason: str
    by_settings: bool = False


class Input(msgspec.Struct, frozen=True):
    """What was read.

    Attributes:
        events: how many the rules were held against; repeated messages count once.
        repeated: messages that came again.
        unreadable: lines and objects that are no events.
        reasons: how many of those for which reason.
        people, anonymous_ids: how many different ones.
        first, last: ISO 8601 times of the earliest and the latest event; None without any.
        sources, libraries: events by source and by library.
    """

    events: int = 0
    repeated: int = 0
    unreadable: int = 0
    reasons: dict[str, int] = {}
    people: int = 0
    anonymous_ids: int = 0
    first: str | None = None
    last: str | None = None
    sources: dict[str, int] = {}
    libraries: dict[str, int] = {}


class TrackedUsers(msgspec.Struct, frozen=True):
    """Monthly tracked users, and what identify calls have to do with them.

    Attributes:
        month: as ``2026-11``.
        counted: userIds, and anonymousIds that no event of the month ties to one.
        spared: anonymousIds with events before the identify, which don't count since one came.
        avoidable: anonymousIds that count, though an identify of another month tells whose they are: identifying on
            each page for members would spare them.
        price: of those that are avoidable; None where no price is given.
    """

    month: str
    counted: int
    spared: int
    avoidable: int
    price: float | None = None


class Report(msgspec.Struct, frozen=True):
    """The outcome of an audit.

    Attributes:
        format: version of this structure.
        made_at: ISO 8601 time in UTC.
        score: from 0 to 100.
        input: what was read.
        findings: the worst first.
        passed: ids of the rules that are kept.
        skipped: rules that were not held against the events.
        tracked_users: by month, the oldest first.
        mended: rules that the baseline has findings of, and this report has none of.
        currency: of prices.
    """

    made_at: str
    score: int
    input: Input
    findings: list[Finding]
    passed: list[str]
    skipped: list[Skipped]
    tracked_users: list[TrackedUsers] = []
    mended: list[str] = []
    currency: str = ""
    format: int = FORMAT

    def worst(self, *, new: bool = False) -> Severity | None:
        """Return the worst severity of all findings, or of those that the baseline has not; None without any."""
        found = {one.severity for one in self.findings if not (new and one.known)}
        return next((one for one in Severity if one in found), None)

    def counts(self) -> dict[Severity, int]:
        """Return how many findings there are of each severity."""
        return {severity: sum(one.severity is severity for one in self.findings) for severity in Severity}

    def without_examples(self) -> Report:
        """Return the report without the people and events that it names."""
        bare = [msgspec.structs.replace(one, examples=[]) for one in self.findings]
        return msgspec.structs.replace(self, findings=bare)
