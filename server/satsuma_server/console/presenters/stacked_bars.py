"""Computes the positions of a chart of stacked bars, which a template draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from satsuma.clock import iso_time

WIDTH, HEIGHT = 960, 240
"""Size of the drawing, in its own units."""

LEFT, BOTTOM, TOP = 46, 24, 8
GAP = 0.22
"""The gap between columns, as a share of a column's width."""

LINES = 4
LABELS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One interval: its start in milliseconds since 1970, and one value for each series."""

    at: float
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """The rectangle of one series in a column."""

    series: str
    x: float
    y: float
    width: float
    height: float


class Bars:
    """The layout of one chart."""

    def __init__(
        self, series: Sequence[str], columns: Sequence[Column], *, with_day: bool = False, with_time: bool = True
    ) -> None:
        """Take the names of the series, the lowest first, the columns, and how they are labelled."""
        self.series = series
        self.columns = columns
        self.total = sum(sum(column.values) for column in columns)
        self.totals = [(name, sum(column.values[at] for column in columns)) for at, name in enumerate(series)]
        self.top = nice(max((sum(column.values) for column in columns), default=0))
        self._with_time = with_time and not with_day
        self._step = (WIDTH - LEFT) / max(1, len(columns))

    @property
    def box(self) -> str:
        """The drawing's viewBox."""
        return f"0 0 {WIDTH} {HEIGHT}"

    def lines(self) -> list[tuple[float, int]]:
        """Return the y position and the value of each horizontal line."""
        step = self.top / LINES
        return [(self._y(step * index), round(step * index)) for index in range(LINES + 1)]

    def labels(self) -> list[tuple[float, str]]:
        """Return the x position and the text of each label below the chart."""
        every = max(1, math.ceil(len(self.columns) / LABELS))
        return [
            (LEFT + self._step * (index + 0.5), self.told(column))
            for index, column in enumerate(self.columns)
            if index % every == every // 2
        ]

    def told(self, column: Column) -> str:
        """Return the start of a column as text."""
        text = iso_time(column.at)
        if not self._with_time:
            return text[5:10]
        span = self.columns[-1].at - self.columns[0].at
        return f"{text[5:10]} {text[11:13]}h" if span > 2 * 86_400_000 else text[11:16]

    def drawn(self) -> list[tuple[Column, list[Piece]]]:
        """Return each column that isn't empty, with its pieces, the lowest first."""
        return [
            (column, self._pieces(index, column)) for index, column in enumerate(self.columns) if sum(column.values)
        ]

    def _pieces(self, index: int, column: Column) -> list[Piece]:
        pieces, below = [], 0
        for name, value in zip(self.series, column.values, strict=True):
            if value:
                top, bottom = self._y(below + value), self._y(below)
                x = LEFT + self._step * (index + GAP / 2)
                pieces.append(Piece(name, round(x, 2), top, round(self._step * (1 - GAP), 2), round(bottom - top, 2)))
                below += value
        return pieces

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - BOTTOM - TOP), 2)


def nice(value: int) -> int:
    """Return the smallest round number that is at least `value` and divisible by `LINES`."""
    size = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return next(
        step * LINES * scale
        for scale in (size // 10 or 1, size, 10 * size, 100 * size)
        for step in (1, 2, 3, 5, 10, 15, 20)
        if step * LINES * scale >= value
    )
