"""The identity graph as nodes and edges, which the browser's script draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from satsuma_server.identity.identifiers import USER_ID, Key
from satsuma_server.identity.links import Outcome, Rule
from satsuma_server.profiles import Link

from .avatar import hue
from .template_filters import short

MOST_LINKS = 200
"""The most edges that are drawn, the newest ones. A drawing with more can't be read."""

RULES = {
    Rule.SAME_EVENT: "same event",
    Rule.ALIAS: "alias",
    Rule.PREVIOUS: "aliased before",
    Rule.SIGNED: "signed",
    Rule.SERVER: "server",
}


def elements(keys: Sequence[Key], links: Sequence[Link]) -> list[dict[str, Any]]:
    """Return nodes and edges as plain data, whose texts are only drawn. Each identifier's value is one node."""
    drawn = [link for link in links if link.left.value != link.right.value][-MOST_LINKS:]
    mine = {key.value for key in keys}
    known: dict[str, Key] = {}
    for key in (*keys, *(key for link in drawn for key in (link.left, link.right))):
        if key.value not in known or key.type == USER_ID:
            known[key.value] = key
    users = [key for key in known.values() if key.type == USER_ID and key.value in mine]
    others = _beside([key for key in known.values() if key not in users], drawn)
    nodes = [_node(key, *_in_row(at, len(users)), True) for at, key in enumerate(users)]
    nodes += [_node(key, *_around(at, len(others)), key.value in mine) for at, key in enumerate(others)]
    return nodes + [_edge(link) for link in drawn]


def _beside(keys: Sequence[Key], links: Sequence[Link]) -> list[Key]:
    """Return keys in an order that makes neighbours of linked keys, as far as possible."""
    waiting = {key.value: key for key in keys}
    ordered = []
    while waiting:
        value = next(iter(waiting))
        while value in waiting:
            ordered.append(waiting.pop(value))
            ends = ((link.left.value, link.right.value) for link in links)
            near = (right if left == value else left for left, right in ends if value in (left, right))
            value = next((one for one in near if one in waiting), value)
    return ordered


def _in_row(at: int, count: int) -> tuple[float, float]:
    return 150 * (at - (count - 1) / 2), 0


def _around(at: int, count: int) -> tuple[float, float]:
    # The userIds are in the middle and all other ids around them. The same person always gets the same drawing.
    angle = 2 * math.pi * at / max(1, count) - 2
    size = 1 + count / 24
    return round(170 * size * math.cos(angle)), round(115 * size * math.sin(angle))


def _node(key: Key, x: float, y: float, belongs: bool) -> dict[str, Any]:
    return {
        "data": {"id": key.value, "label": short(key.value), "hue": hue(key.value)},
        "classes": ("user" if key.type == USER_ID else "other") + ("" if belongs else " apart"),
        "position": {"x": x, "y": y},
    }


def _edge(link: Link) -> dict[str, Any]:
    kind = "undone" if link.undone else str(link.outcome)
    return {
        "data": {
            "id": f"link-{link.number}",
            "source": link.left.value,
            "target": link.right.value,
            "label": "kept apart" if link.outcome is Outcome.REFUSED else RULES[link.rule],
        },
        "classes": kind,
    }
