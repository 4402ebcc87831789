"""The identity graph as the browser's script draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from satsuma_server.profiles import USER_ID, Key, Link, Outcome, Rule

from .glyph import hue
from .words import short

MOST_LINKS = 200
"""Edges beyond which a drawing tells nobody anything: the newest are drawn."""

RULES = {Rule.SAME_EVENT: "one event had both", Rule.ALIAS: "alias", Rule.PREVIOUS: "an alias had named it"}


def elements(keys: Sequence[Key], links: Sequence[Link]) -> list[dict[str, Any]]:
    """Return nodes and edges: plain data, with texts that are only ever drawn."""
    drawn = list(links)[-MOST_LINKS:]
    known = {*keys, *(key for link in drawn for key in (link.left, link.right))}
    ordered = sorted(known, key=lambda key: (key.type != USER_ID, key.type, key.value))[: 2 * MOST_LINKS]
    nodes = [_node(key, index, len(ordered), key in keys) for index, key in enumerate(ordered)]
    return nodes + [_edge(link) for link in drawn if link.left in ordered and link.right in ordered]


def _node(key: Key, index: int, count: int, belongs: bool) -> dict[str, Any]:
    # On a circle to begin with, so that the same person is always drawn alike.
    angle = 2 * math.pi * index / max(1, count)
    return {
        "data": {"id": str(key), "label": short(key.value), "kind": key.type, "hue": hue(key.value)},
        "classes": ("user" if key.type == USER_ID else "other") + ("" if belongs else " apart"),
        "position": {"x": 160 * math.cos(angle), "y": 110 * math.sin(angle)},
    }


def _edge(link: Link) -> dict[str, Any]:
    kind = "undone" if link.undone else str(link.outcome)
    return {
        "data": {
            "id": f"link-{link.number}",
            "source": str(link.left),
            "target": str(link.right),
            "label": "kept apart" if link.outcome is Outcome.REFUSED else RULES[link.rule],
        },
        "classes": kind,
    }
