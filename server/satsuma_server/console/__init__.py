"""The QA console: a tester or product manager sees identity happen.

Rendered on the server; what events hold is hostile and never reaches a page unescaped.
"""

from __future__ import annotations

from .forwarded_headers import PREFIX
from .projection import Console

__all__ = ["PREFIX", "Console"]
