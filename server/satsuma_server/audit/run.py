"""Holds a history against the rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from satsuma_server.settings import AuditRuleSettings

from .calls import code_of, language_of
from .errors import AuditError
from .findings import Example, Finding, Input, Moment, Part, Report, Severity, Skipped
from .history import History
from .populations import EVENTS_WHERE, POPULATIONS
from .rule import Rule
from .rules import FAMILY_OF, RULES
from .tracked_users import tracked_users

STRETCHES = 12
"""Parts of the history's time that a trend has."""

MOST_EXAMPLES = 5
MOST_PARTS = 3
MOST_LIBRARIES = 5

LEAST_PART = 0.1
"""Part of a finding that a page, browser or day must have to be worth a word."""

STEADY = 0.25
"""A share that differs by less than this part of itself between the two halves is steady."""

LEAST_FOR_TREND = 10
"""Units in each half, and units that are found in both, of which less tells nothing."""

COST = {Severity.WRONG: (6, 30), Severity.HINT: (1, 8), Severity.NOTE: (0, 0)}
"""What a finding takes from the score of 100: for being there, and for the share of 1."""

type Totals = dict[int, int]
"""How many units there are in each stretch; -1 is all of them."""


def run_audit(
    history: History,
    only: Collection[str] = (),
    progress: Callable[[str], None] = lambda rule: None,
) -> Report:
    """Return what the rules find.

    Args:
        history: the events; it is made ready.
        only: ids of the rules to hold against it; all where none is named.
        progress: told the id of each rule before it is looked at.

    Raises:
        AuditError: `only` or the settings name a rule that there is not.
    """
    known = [*only, *history.settings.rules]
    if unknown := sorted({rule for rule in known if rule not in RULES}):
        raise AuditError(f"there is no rule {', '.join(unknown)}: docs/audit.md lists them")
    history.ready()
    bench = _Bench(history)
    findings, passed, skipped = [], [], []
    for rule in RULES.values():
        if only and rule.id not in only:
            continue
        progress(rule.id)
        wish = history.settings.rules.get(rule.id, AuditRuleSettings())
        if wish.off:
            skipped.append(Skipped(rule.id, rule.title, wish.off, by_settings=True))
        elif not bench.total(rule.population):
            skipped.append(Skipped(rule.id, rule.title, f"there were no {rule.population}"))
        elif finding := bench.hold(rule, wish):
            findings.append(finding)
        elif (total := bench.total(rule.population)) < _least(rule, wish):
            skipped.append(Skipped(rule.id, rule.title, f"too few to tell: {total} {rule.population}"))
        else:
            passed.append(rule.id)
    order = list(Severity)
    findings.sort(key=lambda one: (order.index(one.severity), -one.share))
    return Report(
        made_at=_iso(datetime.now(UTC).replace(tzinfo=None)) or "",
        score=score(findings),
        input=_input(history),
        findings=findings,
        passed=passed,
        skipped=skipped,
        tracked_users=tracked_users(history),
        currency=history.settings.currency if history.settings.price else "",
    )


def score(findings: Collection[Finding]) -> int:
    """Return how well a site identifies its users, from 0 to 100."""
    cost = sum(COST[one.severity][0] + COST[one.severity][1] * one.share for one in findings)
    return max(0, round(100 - cost))


class _Bench:
    """Counts populations once, and holds rules against them."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._totals: dict[str, Totals] = {}
        first, last = history.run("SELECT min(ts), max(ts) FROM events")[0]
        self._first: datetime = first or datetime(2000, 1, 1)  # As the database has it: in UTC, without saying so.
        seconds = (last - first).total_seconds() if first else 0
        self._width = max(1, math.ceil((seconds + 1) / STRETCHES))

    def total(self, population: str) -> int:
        return self._counted(population)[-1]

    def hold(self, rule: Rule, wish: AuditRuleSettings) -> Finding | None:
        """Return what a rule finds, None where that is too little to tell of."""
        run = self._history.run
        run(f"CREATE OR REPLACE TEMP TABLE found AS {rule.query}")
        found = int(run("SELECT count(DISTINCT unit) FROM found")[0][0])
        total = max(self.total(rule.population), found)
        share = rule.share if wish.share is None else wish.share
        if not found or found < _least(rule, wish) or found < share * total:
            return None
        trend = self._trend(rule)
        libraries = self._libraries()
        since, latest = run("SELECT min(ts), max(ts) FROM found JOIN events USING (id)")[0]
        return Finding(
            rule=rule.id,
            family=FAMILY_OF[rule.id],
            severity=rule.severity,
            title=rule.title,
            explanation=rule.explanation,
            specification=rule.specification,
            unit=rule.population,
            found=found,
            total=total,
            share=round(found / total, 6),
            trend=trend,
            direction=direction(trend),
            parts=self._parts(rule, found),
            libraries=libraries,
            examples=self._examples(),
            advice=rule.advice,
            code=_code(rule, libraries),
            since=_iso(since),
            latest=_iso(latest),
        )

    def _counted(self, population: str) -> Totals:
        if population not in self._totals:
            # Each event is there once, and to look for others of the same id would take most of an audit's time.
            count = "count(*)" if population in EVENTS_WHERE else "count(DISTINCT unit)"
            self._totals[population] = self._by_stretch(POPULATIONS[population], count)
        return self._totals[population]

    def _by_stretch(self, sql: str, count: str = "count(DISTINCT unit)") -> Totals:
        rows = self._history.run(
            f"""SELECT stretch, {count} FROM (
                SELECT unit, floor(date_diff('second', $from, ts) / {self._width})::INTEGER AS stretch FROM ({sql})
            ) GROUP BY GROUPING SETS ((stretch), ()) ORDER BY grouping(stretch)""".replace("$from", self._start)
        )
        return {**{int(stretch): count for stretch, count in rows[:-1] if stretch is not None}, -1: rows[-1][1]}

    @property
    def _start(self) -> str:
        return f"TIMESTAMP '{self._first}'"

    def _trend(self, rule: Rule) -> list[Moment]:
        found = self._by_stretch("SELECT unit, e.ts FROM found JOIN events e USING (id)")
        total = self._counted(rule.population)
        return [
            Moment(
                _iso(self._first + timedelta(seconds=number * self._width)) or "",
                found.get(number, 0),
                max(total.get(number, 0), found.get(number, 0)),
            )
            for number in range(STRETCHES)
        ]

    def _libraries(self) -> list[str]:
        rows = self._history.run(
            f"""SELECT library FROM found JOIN events USING (id)
            GROUP BY library ORDER BY count(*) DESC, library LIMIT {MOST_LIBRARIES}"""
        )
        return [row[0] for row in rows]

    def _parts(self, rule: Rule, found: int) -> list[Part]:
        columns = {"page": "path", "browser": "browser", "day": "strftime(ts, '%Y-%m-%d')"}
        return [
            Part(kind, value, count)
            for kind in (*rule.parts, "day")
            for value, count in self._history.run(
                f"""SELECT {columns[kind]} AS value, count(DISTINCT unit) AS units FROM found JOIN events USING (id)
                WHERE {columns[kind]} IS NOT NULL GROUP BY value HAVING units >= {LEAST_PART} * {found}
                ORDER BY units DESC, value LIMIT {MOST_PARTS}"""
            )
        ]

    def _examples(self) -> list[Example]:
        """Return examples, each of another person where there are so many: those that happened last."""
        rows = self._history.run(
            f"""SELECT user_id, anonymous_id, message_id, type, event, ts, source, detail, seq FROM (
                SELECT e.*, f.detail,
                    row_number() OVER (PARTITION BY coalesce(user_id, anonymous_id) ORDER BY ts DESC, id DESC) AS turn
                FROM (SELECT id, max(detail) AS detail FROM found GROUP BY id) f JOIN events e USING (id)
            ) ORDER BY turn, ts DESC, id DESC LIMIT {MOST_EXAMPLES}"""
        )
        return [
            Example(
                person=f"user_id:{user}" if user else f"anonymous_id:{device}" if device else "",
                message_id=message or "",
                type=kind,
                name=name or "",
                at=_iso(at) or "",
                source=source,
                detail=detail or "",
                seq=seq,
            )
            for user, device, message, kind, name, at, source, detail, seq in rows
        ]


def _least(rule: Rule, wish: AuditRuleSettings) -> int:
    return rule.least if wish.least is None else wish.least


def direction(trend: list[Moment]) -> str:
    """Return where a share goes: the later half of the time beside the earlier."""
    half = len(trend) // 2
    found, total = (
        [sum(getattr(one, name) for one in part) for part in (trend[:half], trend[half:])]
        for name in ("found", "total")
    )
    if min(total) < LEAST_FOR_TREND or sum(found) < LEAST_FOR_TREND:
        return "unknown"
    before, after = found[0] / total[0], found[1] / total[1]
    if abs(after - before) <= STEADY * max(before, after):
        return "steady"
    return "rising" if after > before else "falling"


def _code(rule: Rule, libraries: list[str]) -> dict[str, str]:
    if not rule.fix:
        return {}
    languages = dict.fromkeys(language_of(one) for one in libraries)
    return {language: code_of(rule.fix, language) for language in languages}


def _input(history: History) -> Input:
    row = history.run(
        """SELECT count(*), min(ts), max(ts), count(DISTINCT user_id), count(DISTINCT anonymous_id) FROM events"""
    )[0]
    counted = {
        name: dict(history.run(f"SELECT {name}, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"))
        for name in ("source", "library")
    }
    return Input(
        events=row[0],
        repeated=history.repeated,
        unreadable=history.unreadable.total(),
        reasons=dict(history.unreadable),
        people=row[3],
        anonymous_ids=row[4],
        first=_iso(row[1]),
        last=_iso(row[2]),
        sources=counted["source"],
        libraries=counted["library"],
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat(timespec='milliseconds')}Z"
