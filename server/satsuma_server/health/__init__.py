"""The audit of a running collector, made again and again: the newest report, and how the score changed.

An audit needs more memory than the second process should keep, so each runs in a child process that ends with it.
"""

from __future__ import annotations

from .projection import Health
from .reports import Score

__all__ = ["Health", "Score"]
