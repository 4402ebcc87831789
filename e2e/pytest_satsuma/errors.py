"""What the plugin raises."""

from __future__ import annotations


class ExpectationError(AssertionError):
    """Something did not come as expected; the message has the difference and the timeline."""
