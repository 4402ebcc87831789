"""Applies tracking plans in the collector: a source's own plan, or the one for all sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from satsuma.errors import EventError

from satsuma_server.settings import Settings

from .file import read_plan
from .model import Plan, Violation

REFUSE = "refuse"
BY_PLAN = ", against the tracking plan"
"""The end of the reason of every refusal by a plan. The text before it may have anything that a sender wrote."""


Check = Callable[[dict[str, Any]], None]
"""Checks one event: marks what is not as planned, or raises `EventError` to refuse the event."""


class NotesViolations(Protocol):
    """Counts what is not as planned."""

    def note(self, source: str, found: Iterable[Violation], message_id: object, *, refused: bool) -> None:
        """Count the violations of one event. It is called from any thread."""
        ...


class Enforcement:
    """The plans that a collector's settings name."""

    def __init__(self, settings: Settings, violations: NotesViolations) -> None:
        """Read the plans.

        Args:
            settings: name the plans.
            violations: gets what is not as planned.

        Raises:
            PlanError: a plan can't be read or is not valid.
        """
        self._violations = violations
        read: dict[Path, Plan] = {}

        def plan_of(path: Path | None) -> Plan | None:
            return None if path is None else read.setdefault(path, read.get(path) or read_plan(path))

        default = plan_of(settings.plan)
        self._default = default and (default, settings.plan_mode)
        self._own = {
            source.write_key: (plan, source.plan_mode or settings.plan_mode)
            for source in settings.sources
            if (plan := plan_of(Path(source.plan) if source.plan else settings.plan))
        }

    def check_for(self, write_key: str) -> Check | None:
        """Return the function that checks a source's events; None where the source has no plan."""
        found = self._own.get(write_key, self._default)
        if not found:
            return None
        plan, mode = found

        def check(event: dict[str, Any]) -> None:
            violations = plan.check(event)
            if not violations:
                return
            refused = mode == REFUSE
            self._violations.note(write_key, violations, event.get("messageId"), refused=refused)
            if refused:
                first = violations[0]
                more = f" (and {len(violations) - 1} more)" if violations[1:] else ""
                raise EventError(first.path or ".event", f"{first.reason}: {_called(first)}{more}{BY_PLAN}")
            _mark(event, violations)

        return check


def _called(violation: Violation) -> str:
    return f"{violation.type} {violation.event[:120]!r}" if violation.event else violation.type


def _mark(event: dict[str, Any], violations: list[Violation]) -> None:
    """Write into an event what is wrong with it, in ``context.protocols``, as Segment Protocols does."""
    told = [{"path": one.path, "rule": one.rule, "reason": one.reason} for one in violations]
    context = dict(event.get("context") or {})
    given = context.get("protocols")
    context["protocols"] = {**(given if isinstance(given, dict) else {}), "violations": told}
    event["context"] = context
