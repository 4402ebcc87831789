"""What the checks of ``satsuma doctor`` find."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """What one check found.

    Attributes:
        well: whether it is as it should be; None where nobody can see that from here.
        advice: what to do where it isn't well.
    """

    well: bool | None
    what: str
    advice: str = ""
