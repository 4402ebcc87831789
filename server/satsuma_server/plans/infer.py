"""Infers a first plan from events that were sent. People, who know what was intended, then correct it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .model import PAYLOADS, Plan

DEEPEST = 8
"""How many levels of nested objects are described."""

MOST_NAMES = 200
"""The most properties of one object that are described. An object with more is a dictionary with arbitrary keys."""

TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
    dict: "object",
    list: "array",
}


@dataclass(slots=True)
class _Shape:
    """What is known of the values at one place: their types and properties."""

    seen: int = 0
    types: set[str] = field(default_factory=set)
    objects: int = 0
    names: dict[str, _Shape] = field(default_factory=dict)
    items: _Shape | None = None

    def add(self, value: Any, depth: int = 0) -> None:
        self.seen += 1
        self.types.add(TYPES[type(value)])
        if depth >= DEEPEST:
            return
        if isinstance(value, dict):
            self.objects += 1
            for name, item in value.items():
                if name in self.names or len(self.names) <= MOST_NAMES:
                    self.names.setdefault(name, _Shape()).add(item, depth + 1)
        elif isinstance(value, list):
            self.items = self.items or _Shape()
            for item in value:
                self.items.add(item, depth + 1)

    def schema(self, *, closed: bool = False) -> dict[str, Any]:
        types = self.types - {"integer"} if "number" in self.types else self.types
        schema: dict[str, Any] = {"type": min(types) if len(types) == 1 else sorted(types)} if types else {}
        if "object" in types and self.names and len(self.names) <= MOST_NAMES:
            required = sorted(name for name, shape in self.names.items() if shape.seen == self.objects)
            schema |= {"required": required} if required else {}
            schema |= {"additionalProperties": False} if closed else {}
            schema["properties"] = {name: shape.schema() for name, shape in sorted(self.names.items())}
        if "array" in types and self.items and self.items.seen:
            schema["items"] = self.items.schema()
        return schema


def infer_plan(events: Iterable[Mapping[str, Any]], title: str = "") -> Plan:
    """Return a plan that all of these events comply with.

    Properties that every event of a name has are required, properties that none has are not allowed, and types are
    those that were seen. For pages and screens only the types are described, since their properties depend on the page.

    Args:
        events: events as the collector's log has them.
        title: title of the plan.
    """
    shapes: dict[tuple[str, str], _Shape] = {}
    for event in events:
        kind = event["type"]
        if kind in PAYLOADS:
            name = str(event["event"]) if kind == "track" else ""
            shapes.setdefault((kind, name), _Shape()).add(event.get(PAYLOADS[kind]) or {})
    schemas = {key: shape.schema(closed=key[0] == "track") for key, shape in sorted(shapes.items())}
    for (kind, _), schema in schemas.items():
        del schema["type"]  # The properties are always an object.
        if kind != "track":
            schema.pop("required", None)
    return Plan(
        title=title,
        track={name: schema for (kind, name), schema in schemas.items() if kind == "track"},
        calls={kind: schema for (kind, _), schema in schemas.items() if kind != "track"},
    )
