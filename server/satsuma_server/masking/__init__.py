"""Rules that drop, hash or mask personal data in events before anything is stored.

What is stored here means the log and all that follows it, and also the events that are refused.
"""

from __future__ import annotations

from .events import WITHHELD, Masking
from .patterns import mask_address
from .rules import MaskingRule

__all__ = ["WITHHELD", "Masking", "MaskingRule", "mask_address"]
