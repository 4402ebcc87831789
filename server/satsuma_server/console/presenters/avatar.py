"""Draws a small picture for each id, so that a visitor is easy to recognize: a slice of fruit with some segments
filled."""

from __future__ import annotations

import math
from functools import lru_cache
from zlib import crc32

from markupsafe import Markup

HUES = 12
SEGMENTS = 6
FEWEST, MOST = 2, 5
"""How many segments are filled. With none or all of them, two ids of one colour would look alike too often."""

PATTERNS = [bits for bits in range(1 << SEGMENTS) if FEWEST <= bits.bit_count() <= MOST]


def hue(text: str) -> int:
    """Return the number of an id's colour, below `HUES`."""
    return crc32(text.encode("utf-8", "replace")) % HUES


@lru_cache(maxsize=4096)
def glyph(text: str) -> Markup:
    """Return the picture of an id as SVG. The id itself is not in it."""
    number = crc32(text.encode("utf-8", "replace"))
    pattern = PATTERNS[number // HUES % len(PATTERNS)]
    filled = "".join(SLICES[index] for index in range(SEGMENTS) if pattern >> index & 1)
    empty = "".join(SLICES[index] for index in range(SEGMENTS) if not pattern >> index & 1)
    return Markup(  # noqa: S704
        f'<svg class="glyph hue-{number % HUES}" viewBox="0 0 20 20" aria-hidden="true">'
        f'<circle cx="10" cy="10" r="9.5"/><path class="off" d="{empty}"/><path class="on" d="{filled}"/></svg>'
    )


def _slice(index: int) -> str:
    # A wedge with a gap on both sides, as in a slice of an orange.
    start, end = (math.radians(60 * index + gap) for gap in (6, 54))
    inner = math.radians(60 * index + 30)
    x0, y0 = 10 + 1.6 * math.cos(inner), 10 + 1.6 * math.sin(inner)
    x1, y1, x2, y2 = (10 + 7.6 * turn(angle) for angle in (start, end) for turn in (math.cos, math.sin))
    return f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}A7.6 7.6 0 0 1 {x2:.1f} {y2:.1f}Z"


SLICES = [_slice(index) for index in range(SEGMENTS)]
