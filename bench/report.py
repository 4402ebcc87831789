"""What a benchmark tells: medians, their spread, and the ratio to the baseline of the same round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return first quartile, median and third quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return a median with its quartiles, as people read them."""
    low, middle, high = quartiles(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def table(title: str, unit: str, baseline: str, rounds: dict[str, list[float]], digits: int = 0) -> None:
    """Print each contender's median and its ratio to `baseline`, pair by pair of the same round."""
    shown = Table(title=title, title_justify="left")
    for name, justify in (("", "left"), (f"median (quartiles), {unit}", "right"), (f"ratio to {baseline}", "right")):
        shown.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name, values in rounds.items():
        ratios = [value / base for value, base in zip(values, rounds[baseline], strict=True)]
        shown.add_row(name, spread(values, digits), spread(ratios, 2))
    Console().print(shown)
