"""A chart of stacked bars, as numbers that a template draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from satsuma.clock import iso_time

WIDTH, HEIGHT = 960, 240
"""Of the drawing, in its own units."""

LEFT, BOTTOM, TOP = 46, 24, 8
GAP = 0.22
"""Of a column's width, between columns."""

LINES = 4
LABELS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One interval: when it begins, in milliseconds since 1970, and its values, one of each series."""

    at: float
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of one series."""

    series: str
    x: float
    y: float
    width: float
    height: float


class Bars:
    """Lays a chart out."""

    def __init__(
        self, series: Sequence[str], columns: Sequence[Column], *, with_day: bool = False, with_time: bool = True
    ) -> None:
        """Take the series' names, lowest first, the columns, and what their labels tell."""
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
        """Return y and value of the lines across."""
        step = self.top / LINES
        return [(self._y(step * index), round(step * index)) for index in range(LINES + 1)]

    def labels(self) -> list[tuple[float, str]]:
        """Return x and text of the labels below."""
        every = max(1, math.ceil(len(self.columns) / LABELS))
        return [
            (LEFT + self._step * (index + 0.5), self.told(column))
            for index, column in enumerate(self.columns)
            if index % every == every // 2
        ]

    def told(self, column: Column) -> str:
        """Return when a column begins."""
        text = iso_time(column.at)
        if not self._with_time:
            return text[5:10]
        span = self.columns[-1].at - self.columns[0].at
        return f"{text[5:10]} {text[11:13]}h" if span > 2 * 86_400_000 else text[11:16]

    def drawn(self) -> list[tuple[Column, list[Piece]]]:
        """Return each column that has something with its pieces, lowest first."""
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
    """Return the next round number that `LINES` divides, at least that many."""
    size = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return next(
        step * LINES * scale
        for scale in (size // 10 or 1, size, 10 * size, 100 * size)
        for step in (1, 2, 3, 5, 10, 15, 20)
        if step * LINES * scale >= value
    )
