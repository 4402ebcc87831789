"""The QA console: a tester or product manager sees identity happen.

Rendered on the server; what events hold is hostile and never reaches a page unescaped.
"""

from __future__ import annotations

from .part import Console
from .place import PREFIX

__all__ = ["PREFIX", "Console"]
