"""The audit: which best practices of identifying users a site breaks, where, and how that is mended.

It reads recorded events, from files of any Segment-compatible pipeline or from the collector's log, into one table
(`history`), holds that table against the rules (`rules`), and tells the findings (`findings`, `output`).
"""

from __future__ import annotations

from .findings import Example, Finding, Part, Report, Severity
from .history import History
from .run import run_audit

__all__ = ["Example", "Finding", "History", "Part", "Report", "Severity", "run_audit"]
