"""What the collector tells to those who hold the token: stored events, refused ones, and what was not as planned."""

from __future__ import annotations

from .routes import MAX_LIMIT, NEXT_AFTER, ReadApi

__all__ = ["MAX_LIMIT", "NEXT_AFTER", "ReadApi"]
