"""What was stored, refused, or not as planned."""

from __future__ import annotations

from satsuma_server.read_api import MAX_LIMIT

from .parts import NDJSON, Schema, operation, whole_number


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
    events = operation("events", "Stored events, in the log's order.", lines, parameters=[*numbers, last])
    refused = operation("refused", "Refused events, with reason and raw text.", lines, parameters=numbers)
    violations = operation("violations", "What was not as planned, counted.", lines)
    return {
        "/v1/events": {"get": events},
        "/v1/refused": {"get": refused},
        "/v1/violations": {"get": violations},
        "/v1/health": {"get": health},
    }
