"""The exceptions of the plugin."""

from __future__ import annotations


class ExpectationError(AssertionError):
    """An expectation was not met. The message has the difference and the timeline."""
