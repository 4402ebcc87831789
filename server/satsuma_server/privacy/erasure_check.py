"""Searches every file of the data folder for a person's identifiers, to check that a deletion left nothing behind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

SHORTEST = 6
"""The fewest bytes of a value that is searched for. Shorter ones occur everywhere by chance."""

READ_BYTES = 8 << 20


def find_in_files(folder: Path, values: Iterable[str]) -> list[str]:
    """Return the paths, relative to a folder, of files in it that have one of the values, as text or as JSON."""
    needles = {text for value in values for text in (value.encode(), msgspec.json.encode(value)[1:-1])}
    sought = sorted(needle for needle in needles if len(needle) >= SHORTEST)
    if not sought:
        return []
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return [str(file.relative_to(folder)) for file in files if _holds(file, sought)]


def _holds(file: Path, needles: list[bytes]) -> bool:
    overlap = max(map(len, needles)) - 1
    before = b""
    try:
        with file.open("rb") as opened:
            while piece := opened.read(READ_BYTES):
                window = before + piece
                if any(needle in window for needle in needles):
                    return True
                before = window[-overlap:]
    except FileNotFoundError:
        return False  # It was removed while other files were read.
    return False
