"""Where two sights differ, path by path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ABSENT = "<absent>"


def differences(reference: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Yield a line for each place where what our library left differs from what the reference did."""
    if isinstance(reference, dict) and isinstance(ours, dict):
        for name in sorted(reference.keys() | ours.keys()):
            yield from differences(reference.get(name, ABSENT), ours.get(name, ABSENT), f"{path}.{name}")
    elif isinstance(reference, list) and isinstance(ours, list):
        if len(reference) != len(ours):
            yield f"{path}: reference has {len(reference)}, ours {len(ours)}"
        for index, (one, other) in enumerate(zip(reference, ours, strict=False)):
            yield from differences(one, other, f"{path}[{index}]")
    elif reference != ours or type(reference) is not type(ours):
        yield f"{path}: reference {reference!r}, ours {ours!r}"
