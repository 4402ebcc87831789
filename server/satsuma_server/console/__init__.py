"""The QA console, in which testers and product managers watch what happens to identities.

Its pages are rendered on the server. What is in events is hostile, and never reaches a page unescaped.
"""

from __future__ import annotations

from .forwarded_headers import PREFIX
from .projection import Console

__all__ = ["PREFIX", "Console"]
