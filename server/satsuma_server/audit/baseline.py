"""A baseline: findings that a team knows of, so that only new and worse ones fail a build."""

from __future__ import annotations

from pathlib import Path

import msgspec

from .errors import AuditError
from .findings import Report

TOLERANCE = 0.1
"""Part of a known share by which it may grow before the finding counts as new."""


class Baseline(msgspec.Struct, frozen=True):
    """Known findings: the share of each, by its rule."""

    findings: dict[str, float]
    made_at: str = ""
    format: int = 1


def read_baseline(file: Path) -> Baseline:
    """Return what a file holds.

    Raises:
        AuditError: it can't be read, or is no baseline.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Baseline)
    except (OSError, msgspec.DecodeError) as error:
        raise AuditError(f"{file} is no baseline: {error}; --write-baseline makes one") from error


def write_baseline(report: Report, file: Path) -> None:
    """Keep the findings of a report.

    Raises:
        AuditError: the file can't be written.
    """
    made = Baseline({one.rule: one.share for one in report.findings}, report.made_at)
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
    except OSError as error:
        raise AuditError(f"{file} can't be written: {error.strerror}") from error


def compared(report: Report, baseline: Baseline | None) -> Report:
    """Return a report that marks what the baseline has, and tells what is mended since. What grew is not known."""
    if baseline is None:
        return report
    known = baseline.findings
    findings = [
        msgspec.structs.replace(one, known=one.share <= known.get(one.rule, -1.0) * (1 + TOLERANCE))
        for one in report.findings
    ]
    mended = sorted(set(known) - {one.rule for one in findings})
    return msgspec.structs.replace(report, findings=findings, mended=mended)
