"""Makes what two libraries left to be seen comparable: ids by order of sight, times by their form, ports by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MESSAGE_ID = re.compile(rf"ajs-next-\d{{13}}-{UUID.pattern}|ajs-[0-9a-f]{{32}}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PORT = re.compile(r"(?<=[a-z0-9]):\d{4,5}\b")
NOW = ("timestamp", "sentAt")
GENERATION = "satsuma_generation"


def normalise(seen: dict[str, Any], load: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was seen with everything replaced that differs from run to run.

    Args:
        load: the stage's own options of ``analytics.load``, which no scenario has asked for.
    """
    ids: dict[str, str] = {}
    _take_out(seen["told"], load)

    def name_ids(text: str) -> str:
        found = PORT.sub("", MESSAGE_ID.sub("<message>", text))
        return UUID.sub(lambda match: ids.setdefault(match.group(), f"<id {len(ids) + 1}>"), found)

    seen = _each_text(seen, name_ids)
    for event in seen["events"]:
        for one in event["body"].get("batch", [event["body"]]):
            _hide_times(one)
            _hide_library(one)
            if one is not event["body"]:
                _hide_key(one, event["body"])
        _hide_times(event["body"])
    for state in seen["states"]:
        for held in (state["cookies"], state["storage"] or {}):
            for name in [name for name in held if name.startswith(GENERATION)]:
                del held[name]
        for cookie in state["cookies"].values():
            cookie["days"] = None if cookie["days"] is None else round(cookie["days"])
    return seen


def _take_out(told: Any, load: Mapping[str, Any]) -> None:
    """Take load options out of whatever shows them."""
    if isinstance(told, dict):
        for name in [name for name, value in load.items() if told.get(name) == value]:
            del told[name]
    for one in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        _take_out(one, load)


def _hide_times(event: dict[str, Any]) -> None:
    for name in NOW:
        if TIME.fullmatch(str(event.get(name))) and not event[name].startswith("2020-"):
            event[name] = "<time>"


def _hide_key(event: dict[str, Any], batch: dict[str, Any]) -> None:
    """Take the write key out of an event whose batch tells the same one: `intended.EVERYWHERE` says why."""
    if event.get("writeKey") == batch.get("writeKey"):
        event.pop("writeKey", None)


def _hide_library(event: dict[str, Any]) -> None:
    library = event.get("context", {}).get("library")
    if library and library["version"].startswith(("next-", "satsuma-")):
        library["version"] = "<version>"


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        # Sorted, since ids are named by order of sight, and libraries write their keys in orders of their own.
        return {change(key): _each_text(item, change) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    return value
