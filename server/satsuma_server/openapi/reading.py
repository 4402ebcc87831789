"""What was stored, refused, or not as planned."""

from __future__ import annotations

import msgspec
from satsuma.validation import EVENT_TYPES

from satsuma_server.read_api import MAX_LIMIT, NEXT_AFTER
from satsuma_server.status import CollectorStatus

from .parts import JSON, NDJSON, NUMBER, TIME, TOKEN, Schema, in_query, listed, named, operation, whole_number

WORD: Schema = {"type": "string", "minLength": 1}
EVENTS = """Stored events, in the log's order: each as accepted, with the times that the collector gave it, the writeKey
of its source and its seq. Filters combine; one that is given several times takes any of its values."""
NEXT = """The `after` of the next request. A page may be short, or empty, though there is more, since one request looks
at a bounded part of the log. There is no more once this is the `after` that was asked for."""


def schemas() -> Schema:
    """Return the schemas of answers."""
    _, components = msgspec.json.schema_components((CollectorStatus,), ref_template="#/components/schemas/{name}")
    return components


def paths() -> Schema:
    """Return the paths."""
    numbers = [whole_number("after", "Only what comes after this one."), whole_number("limit", "At most so many.")]
    last = whole_number("last", "Only so many of the newest.", maximum=MAX_LIMIT)
    health: Schema = {
        "operationId": "health",
        "summary": "Whether the log takes writes.",
        "responses": {"200": {"description": "It does."}, "503": {"description": "It does not."}},
    }
    lines: Schema = {NDJSON: {}}
    follow = in_query("follow", "Go on with events as they come; without a limit.", {"enum": ["0", "1"]})
    events = operation("events", _line(EVENTS), lines, parameters=[*numbers, last, follow, *_filters()])
    events["responses"]["200"]["headers"] = {NEXT_AFTER: {"description": _line(NEXT), "schema": NUMBER}}
    refused = operation("refused", "Refused events, with reason and raw text.", lines, parameters=numbers)
    violations = operation("violations", "What was not as planned, counted.", lines)
    who = in_query("person", "Only entries about this person, as TYPE:ID.", WORD)
    audit_log = operation(
        "auditLog", "Who read, exported, deleted, undid and logged in: the newest.", lines, parameters=[numbers[1], who]
    )
    metrics = operation("metrics", "Metrics for Prometheus; with a token, also what was kept.", {"text/plain": {}})
    doing = {JSON: {"schema": named("CollectorStatus")}}
    status = operation("status", "How the collector, its log and what follows it are doing.", doing)
    # Whether it needs a token is a setting.
    metrics["security"] = [{}, *TOKEN]
    return {
        "/v1/events": {"get": events},
        "/v1/refused": {"get": refused},
        "/v1/violations": {"get": violations},
        "/v1/audit-log": {"get": audit_log},
        "/v1/health": {"get": health},
        "/v1/status": {"get": status},
        "/metrics": {"get": metrics},
    }


def _filters() -> list[Schema]:
    return [
        in_query("source", "Only events of these sources, by their writeKey.", listed(WORD)),
        in_query("type", "Only events of these types.", listed({"type": "string", "enum": [*EVENT_TYPES]})),
        in_query("userId", "Only events with one of these userIds.", listed(WORD)),
        in_query("anonymousId", "Only events with one of these anonymousIds.", listed(WORD)),
        in_query("receivedAfter", "Only what the collector got then or later.", TIME),
        in_query("receivedBefore", "Only what the collector got earlier.", TIME),
    ]


def _line(text: str) -> str:
    return " ".join(text.split())
