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

RULES = {Rule.SAME_EVENT: "same event", Rule.ALIAS: "alias", Rule.PREVIOUS: "aliased before"}


def elements(keys: Sequence[Key], links: Sequence[Link]) -> list[dict[str, Any]]:
    """Return nodes and edges: plain data, with texts that are only ever drawn. Each value is one node."""
    drawn = [link for link in links if link.left.value != link.right.value][-MOST_LINKS:]
    mine = {key.value for key in keys}
    known: dict[str, Key] = {}
    for key in (*keys, *(key for link in drawn for key in (link.left, link.right))):
        if key.value not in known or key.type == USER_ID:
            known[key.value] = key
    users = [key for key in known.values() if key.type == USER_ID]
    others = [key for key in known.values() if key.type != USER_ID]
    nodes = [_node(key, *_in_row(at, len(users)), key.value in mine) for at, key in enumerate(users)]
    nodes += [_node(key, *_around(at, len(others)), key.value in mine) for at, key in enumerate(others)]
    return nodes + [_edge(link) for link in drawn]


def _in_row(at: int, count: int) -> tuple[float, float]:
    return 150 * (at - (count - 1) / 2), 0


def _around(at: int, count: int) -> tuple[float, float]:
    # Users in the middle, all else around them, always alike for the same person. Begun aslant, so that two or four
    # of them don't lie on the users' own row.
    angle = 2 * math.pi * at / max(1, count) - 2
    size = 1 + count / 24
    return round(190 * size * math.cos(angle)), round(115 * size * math.sin(angle))


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
