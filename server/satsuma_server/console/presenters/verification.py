"""Explains how well it is known whose an event is: what ``context.verification`` says, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from satsuma_server.verification import FIELD, Verification

from .lint import Advice, Level

VERIFIED = "verified"
CLAIMED = "claimed"

MARKS = {
    Verification.SERVER: VERIFIED,
    Verification.SIGNED: VERIFIED,
    Verification.CLAIMED: CLAIMED,
    Verification.PUBLIC: CLAIMED,
}
ADVICE = {
    Verification.SERVER: Advice(Level.NOTE, "The userId is verified", "A server sent it with a secret key."),
    Verification.SIGNED: Advice(Level.NOTE, "The userId is verified", "The site's server has signed it."),
    Verification.CLAIMED: Advice(
        Level.HINT,
        "The userId is only claimed",
        "No valid signature came with it. The event counts as the userId's only if a signed event has had the same "
        "userId and anonymousId before; else it counts as the anonymousId's, and links nothing.",
    ),
    Verification.PUBLIC: Advice(
        Level.HINT,
        "The userId and the traits are only claimed",
        "This source believes nobody but servers with a secret key. The event counts as the userId's only if such a "
        "server has sent the same userId and anonymousId before.",
    ),
}


def mark_of(event: Mapping[str, Any]) -> str:
    """Return how far an event's userId can be believed, in one word; empty where the source takes any userId."""
    verification = _noted(event)
    return MARKS.get(verification, "") if verification and event.get("userId") else ""


def verification_advice(event: Mapping[str, Any]) -> list[Advice]:
    """Return what there is to tell about an event's userId."""
    verification = _noted(event)
    return [ADVICE[verification]] if verification in ADVICE and event.get("userId") else []


def _noted(event: Mapping[str, Any]) -> Verification | None:
    context = event.get("context")
    noted = context.get(FIELD) if isinstance(context, Mapping) else None
    return Verification(noted) if isinstance(noted, str) and noted in [*Verification] else None
