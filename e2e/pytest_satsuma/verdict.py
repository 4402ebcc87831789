"""Checks the events of every test that has passed, against the tracking plan and the golden files."""

from __future__ import annotations

from operator import methodcaller

from satsuma_server.plans import Plan

from . import record
from .case import Case
from .errors import ExpectationError
from .expect import STORY
from .options import Options
from .timeline import describe

__tracebackhide__ = methodcaller("errisinstance", ExpectationError)

UNPLANNED = "unplanned"
"""The marker for tests whose events need not comply with the plan."""


def judge(case: Case, nodeid: str, options: Options, *, planned: bool) -> None:
    """Raise `ExpectationError` where a test's events violate the plan or differ from the golden file."""
    if options.plan is not None and planned:
        check_plan(case, options.plan)
    if not (options.record or options.compare):
        return
    path = record.path_of(options.golden, nodeid)
    events = case.events()
    if options.record:
        record.write(path, events)
    elif not path.is_file():
        raise ExpectationError(f"there is no golden file {path}: run once with --satsuma-record")
    elif changed := record.compare(path, events):
        raise ExpectationError(f"the payloads are not those of the golden file:\n{changed}")


def check_plan(case: Case, plan: Plan) -> None:
    """Raise `ExpectationError` where an event violates the plan."""
    found = [(event, violation) for event in case.events() for violation in plan.check(event)]
    if found:
        lines = [f"  seq {event['seq']}: {violation}\n    in {describe(event)}" for event, violation in found[:40]]
        counted = f"{len(found)} violations of the tracking plan {plan.title!r}:"
        raise ExpectationError("\n".join([counted, *lines, "", STORY, case.as_text()]))
