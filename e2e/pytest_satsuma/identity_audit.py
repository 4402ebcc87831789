"""The events of a whole test session, held against the best practices of identifying users."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from satsuma_server.audit import Finding, History, Report, run_audit
from satsuma_server.audit.errors import AuditError
from satsuma_server.audit.rules import RULES
from satsuma_server.settings import AuditRuleSettings, AuditSettings

DEFAULT = (
    "user-id-is-email",
    "user-id-is-phone",
    "user-id-is-user-name",
    "user-id-changed-by-alias",
    "login-without-identify",
    "known-visitor-without-user-id",
    "sign-up-without-identify",
    "anonymous-id-not-random",
    "no-reset-at-logout",
    "user-id-overwritten",
    "shared-browser-without-reset",
    "reset-at-login",
    "alias-after-identify",
    "user-id-as-property-only",
    "personal-data-in-event-names",
    "personal-data-in-addresses",
    "personal-data-in-titles",
)
"""Rules of which a single case in a test is a mistake. The others need many visitors, or real times."""

MOST_EVENTS = 200_000
"""Events of a session that are kept; what comes after them is counted only."""

ONE_IS_ENOUGH = AuditSettings(rules={rule: AuditRuleSettings(share=0.0, least=1) for rule in RULES})


def rules_of(given: str | None) -> tuple[str, ...]:
    """Return the rules that ``--identity-audit`` names: none where it is not given, the default where it names none.

    Raises:
        AuditError: it names a rule that there is not.
    """
    if given is None:
        return ()
    named = tuple(rule.strip() for rule in given.split(",") if rule.strip()) or DEFAULT
    if unknown := [rule for rule in named if rule not in RULES]:
        raise AuditError(f"there is no rule {', '.join(unknown)}; there are {', '.join(RULES)}")
    return named


@dataclass(slots=True)
class SessionEvents:
    """What the tests of a session have sent.

    Attributes:
        lines: pairs of a test and an event as JSON; plain values, which workers can hand over.
        left_out: events beyond `MOST_EVENTS`.
    """

    lines: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0

    def add(self, test: str, events: Iterable[dict[str, Any]]) -> None:
        """Add the events of a test."""
        self.take((test, json.dumps(event)) for event in events)

    def take(self, lines: Iterable[tuple[str, str]]) -> None:
        """Add what a worker has gathered."""
        for test, line in lines:
            if len(self.lines) < MOST_EVENTS:
                self.lines.append((test, line))
            else:
                self.left_out += 1

    def audited(self, rules: Collection[str]) -> Report:
        """Return what the rules find."""
        numbers: dict[str, int] = {}
        with History(ONE_IS_ENOUGH, complete=True) as history:
            history.add(
                [_of_one_house(json.loads(line), numbers.setdefault(test, len(numbers))) for test, line in self.lines]
            )
            return run_audit(history, rules)

    def tests_of(self, finding: Finding) -> list[str]:
        """Return the tests whose events are examples of a finding."""
        wanted = {one.message_id for one in finding.examples}
        return list(dict.fromkeys(test for test, line in self.lines if json.loads(line).get("messageId") in wanted))


def as_text(report: Report, events: SessionEvents) -> str:
    """Return what was found, for a terminal."""
    if not report.findings:
        told = f"{len(report.passed)} rules are kept by {report.input.events} events"
    else:
        told = "\n\n".join(_told(one, events.tests_of(one)) for one in report.findings)
    return f"{told}\n{events.left_out} events were too many to look at" if events.left_out else told


def _told(one: Finding, tests: list[str]) -> str:
    lines = [f"{one.severity.value}: {one.title} ({one.rule}): {one.found} of {one.total} {one.unit}", one.explanation]
    lines += [f"  in {test}" for test in tests]
    lines += [
        shown(f"  {example.person or 'nobody'}: {example.type} {example.name} {example.detail}".rstrip())
        for example in one.examples
    ]
    lines += [one.advice, *(f"    {line}" for code in one.code.values() for line in code.splitlines())]
    return "\n".join(lines)


def shown(text: str) -> str:
    """Return a text that a terminal only shows: control characters in an event are not obeyed."""
    return "".join(char if char.isprintable() else "·" for char in text)[:200]


def _of_one_house(event: dict[str, Any], number: int) -> bytes:
    """Return an event as if each test had an address of its own: browsers of different tests are different ones."""
    context = event.get("context")
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return json.dumps({**event, "context": {**(context if isinstance(context, dict) else {}), "ip": address}}).encode()
