"""Describes the routes of the destinations."""

from __future__ import annotations

from typing import Any

import msgspec

from satsuma_server.destinations import DeletionRequest, DestinationStatus, Failed
from satsuma_server.destinations.routes import Replay, Resend, Resent

from .parts import JSON, TEXT, Schema, in_path, listed, named, told, whole_number

ANSWERED = (DestinationStatus, DeletionRequest, Failed, Replay, Resend, Resent)


def schemas() -> Schema:
    """Return the schemas of bodies and answers."""
    _, components = msgspec.json.schema_components(ANSWERED, ref_template="#/components/schemas/{name}")
    return components


def paths() -> Schema:
    """Return the paths."""
    name = in_path("name", "The destination's, as in the settings.", TEXT)
    page = [whole_number("limit", "At most so many."), whole_number("before", "Only those with a lower id.")]
    one, status = "/v1/destinations/{name}", named("DestinationStatus")
    return {
        "/v1/destinations": {"get": told("destinations", "How the destinations are doing.", listed(status))},
        f"{one}/failed": {"get": told("failedMessages", "What was set aside.", listed(named("Failed")), name, *page)},
        f"{one}/deletions": {
            "get": told(
                "deletionRequests", "Requests to delete people.", listed(named("DeletionRequest")), name, page[0]
            )
        },
        f"{one}/pause": {"post": told("pauseDestination", "Stop it until it is resumed.", status, name)},
        f"{one}/resume": {"post": told("resumeDestination", "Let it go on, at once.", status, name)},
        f"{one}/replay": {"post": _with_body("replayDestination", "Deliver events again.", status, "Replay", name)},
        f"{one}/resend": {
            "post": _with_body("resendFailed", "Send again what was set aside.", named("Resent"), "Resend", name)
        },
    }


def _with_body(id: str, about: str, answer: Schema, body: str, name: Schema) -> Schema:
    described: dict[str, Any] = told(id, about, answer, name)
    return {**described, "requestBody": {"required": True, "content": {JSON: {"schema": named(body)}}}}
