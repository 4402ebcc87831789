"""What can go wrong in an audit; the message says what to do."""

from __future__ import annotations

from satsuma.errors import SatsumaError


class AuditError(SatsumaError):
    """The audit can't be made as it was asked for."""
