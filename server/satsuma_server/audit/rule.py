"""What a rule of the audit is."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import Call
from .findings import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One practice, and the query that finds who breaks it.

    Attributes:
        id: its name in settings and reports; never changed, never used again.
        severity: how much it matters.
        title: what is wrong, in a few words.
        explanation: what follows from it.
        specification: the heading of "Best Practices for Identifying Users" that it stands under, or what else says so.
        population: name of the query in `populations` that tells how many could break it; reports show it.
        query: SQL with the columns `id` (an event), `unit` (who or what is counted) and `detail` (a text, or null). It
            may name values of the settings, as ``$session_minutes``.
        advice: how it is mended.
        fix: the mending as calls, which are shown in the language of the library that sent it.
        share: least part of the population, from 0 to 1, of which it is told.
        least: least number of units of which it is told.
        parts: what it is counted by, besides days: ``page``, ``browser``.
        on_server: the mending is a server's, whatever library sent the events.
    """

    id: str
    severity: Severity
    title: str
    explanation: str
    specification: str
    population: str
    query: str
    advice: str
    fix: tuple[Call, ...] = ()
    share: float = 0.01
    least: int = 3
    parts: tuple[str, ...] = ()
    on_server: bool = False
