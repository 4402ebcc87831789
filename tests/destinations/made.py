"""Messages and outcomes for tests."""

from __future__ import annotations

from satsuma_server.destinations import Fate, Message, Outcome, Payload


def message(seq: int, *names: str, channel: str = "", size: int = 10) -> Message:
    return Message(seq, f"m{seq}", Payload({"n": seq}, channel), size, names)


def delivered(refused: dict[int, str] | None = None) -> Outcome:
    return Outcome(Fate.DELIVERED, refused=refused or {})


def later(retry_after: float | None = None) -> Outcome:
    return Outcome(Fate.LATER, "it answers 503", 503, retry_after=retry_after)


def refused(answer: str = "") -> Outcome:
    return Outcome(Fate.REFUSED, "it answers 400", 400, answer)
