"""Takes out of an event what nothing proves, for services that can't tell a claim from what is known.

In a source that wants userIds signed, a page can claim any userId. Here such a claim links nothing; a service that got
it would make one person of a visitor and whomever the visitor names.
"""

from __future__ import annotations

from typing import Any

from satsuma_server.verification import FIELD, Verification

from .paths import look

UNPROVEN = (Verification.CLAIMED, Verification.PUBLIC)

ABOUT_PEOPLE = ("identify", "alias", "group")
"""Types of events that say nothing without their claims."""


def without_claims(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return an event as that of its anonymousId alone, where its userId is only claimed, and otherwise as it is; None
    where nothing is left of it."""
    if look(event, ("context", FIELD)) not in UNPROVEN:
        return event
    if event.get("type") in ABOUT_PEOPLE or not event.get("anonymousId"):
        return None
    context = {name: value for name, value in event["context"].items() if name != "traits"}
    kept = {name: value for name, value in event.items() if name not in ("traits", "previousId", "groupId")}
    return {**kept, "userId": None, "context": context}
