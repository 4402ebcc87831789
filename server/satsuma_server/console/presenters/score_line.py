"""The scores of a collector's audits over time, as the points of a small drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from satsuma_server.health import Score

WIDTH, HEIGHT = 320, 64


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """A drawing of `WIDTH` by `HEIGHT`, whose lower edge is a score of 0 and the upper one of 100.

    Attributes:
        points: points of an SVG polyline.
        box: the viewBox.
    """

    points: str
    box: str = f"0 -2 {WIDTH} {HEIGHT + 4}"

    @classmethod
    def of(cls, scores: Sequence[Score]) -> ScoreLine:
        """Return the drawing of scores, of which there must be one at least, the oldest first."""
        times = [datetime.fromisoformat(one.made_at).timestamp() for one in scores]
        width = max(1.0, times[-1] - times[0])
        return cls(
            " ".join(
                f"{WIDTH * (time - times[0]) / width:.1f},{HEIGHT * (1 - one.score / 100):.1f}"
                for time, one in zip(times, scores, strict=True)
            )
        )
