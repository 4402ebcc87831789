"""Reads and writes plans as files: TOML, or JSON with the same structure."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from satsuma_server.errors import PlanError

from .model import PAYLOADS, Plan

CALLS = tuple(kind for kind in PAYLOADS if kind != "track")
NAMES = ("title", "unplanned", "every", "track", *CALLS)


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        PlanError: the file can't be read or isn't a plan; the message says where.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise PlanError(f"the tracking plan {path}: {error}") from error
    try:
        return make_plan(content)
    except PlanError as error:
        raise PlanError(f"the tracking plan {path}: {error}") from error


def make_plan(content: Any) -> Plan:
    """Return the plan in a file's content.

    Raises:
        PlanError: the content isn't a plan.
    """
    if not isinstance(content, dict):
        raise PlanError("is not a table")
    unknown = sorted(content.keys() - set(NAMES))
    if unknown:
        raise PlanError(f"has {unknown[0]!r}: use one of {', '.join(NAMES)}")
    if not isinstance(content.get("unplanned", False), bool):
        raise PlanError("unplanned is neither true nor false")
    track = _table(content, "track")
    return Plan(
        title=str(content.get("title", "")),
        track={name: _table(track, name, "track.") for name in track},
        calls={kind: _table(content, kind) for kind in CALLS if kind in content},
        every=_table(content, "every") if "every" in content else None,
        unplanned=content.get("unplanned", False),
    )


def write_plan(plan: Plan) -> str:
    """Return a plan as TOML."""
    content: dict[str, Any] = {"title": plan.title, "unplanned": plan.unplanned}
    if plan.every is not None:
        content["every"] = plan.every
    content |= plan.calls
    if plan.track:
        content["track"] = dict(plan.track)
    import tomlkit  # Imported here, as in `model`, so that a collector without a plan starts faster.

    return tomlkit.dumps(content)


def _table(content: dict[str, Any], name: str, within: str = "") -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise PlanError(f"{within}{name} is not a table")
    return table
