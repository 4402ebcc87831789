"""Rules against made-up shops: faults are found, and a healthy shop is told nothing wrong."""

from __future__ import annotations

import pytest
from audit.worlds import World
from satsuma_server.audit import History, Report, Severity, run_audit
from satsuma_server.audit.rules import RULES

NATURAL = ("anonymous-id-lost-in-safari",)
"""Rules that a healthy shop breaks too: browsers are like that."""

SHARES = (0.01, 0.05, 0.3)
FAULTS = [rule for rule in RULES if rule not in NATURAL]
SMALL = 300


def audited(world: World) -> Report:
    with History() as history:
        history.add([*world.lines()])
        return run_audit(history)


def found(report: Report) -> set[str]:
    return {one.rule for one in report.findings}


def test_a_healthy_shop_is_told_nothing_wrong() -> None:
    report = audited(World(7))
    assert report.worst() in (None, Severity.NOTE, Severity.HINT)
    assert report.score > 95
    assert not [one.rule for one in report.skipped if one.rule not in ("alias-after-identify", "alias-not-needed")]


TOGETHER = (
    "user-id-is-email", "login-without-identify", "anonymous-id-not-random", "no-reset-at-logout", "reset-at-login",
    "trait-changes-type", "personal-data-in-titles", "sign-up-missing-in-browser", "calls-on-a-page-that-is-left",
    "late-events", "repeated-messages", "missing-sent-at", "user-id-as-property-only",
)  # fmt: skip


def test_faults_are_found_with_people_that_show_them() -> None:
    world = World(3, SMALL, dict.fromkeys(TOGETHER, 0.3))
    report = audited(world)
    assert found(report) >= set(TOGETHER)
    for one in report.findings:
        assert 0 < one.share <= 1
        assert 1 <= len(one.examples) <= 5
        assert one.advice
    email = next(one for one in report.findings if one.rule == "user-id-is-email")
    assert email.found == len({event["userId"] for event in world.events() if "@" in (event["userId"] or "")})
    assert all("@" in example.person for example in email.examples)
    assert report.score < 60


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(30))
def test_no_healthy_world_is_told_anything_wrong(seed: int) -> None:
    report = audited(World(seed))
    assert [one.rule for one in report.findings if one.severity is Severity.WRONG] == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found(rule: str, share: float) -> None:
    report = audited(World(1, faults={rule: share}))
    if share >= 0.05:
        assert rule in found(report)
