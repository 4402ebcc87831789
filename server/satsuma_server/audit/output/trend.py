"""The share of a finding over time, as the points of a small drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from satsuma_server.audit.findings import Moment

WIDTH, HEIGHT = 160, 36


@dataclass(frozen=True, slots=True)
class Curve:
    """A drawing of `WIDTH` by `HEIGHT`.

    Attributes:
        line: points of an SVG polyline.
        most: the highest share.
        box: the viewBox.
    """

    line: str
    most: float
    box: str = f"0 -2 {WIDTH} {HEIGHT + 4}"

    @classmethod
    def of(cls, trend: Sequence[Moment]) -> Curve:
        """Return the drawing of a trend; stretches in which there was nothing to look at are passed over."""
        shares = [(place, one.found / one.total) for place, one in enumerate(trend) if one.total]
        most = max((share for _, share in shares), default=0.0)
        step = WIDTH / max(1, len(trend) - 1)
        points = (f"{place * step:.1f},{HEIGHT * (1 - share / most if most else 1):.1f}" for place, share in shares)
        return cls(" ".join(points), most)
