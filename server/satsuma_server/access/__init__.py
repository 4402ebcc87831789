"""Who may read, delete and ask: named tokens with scopes, and the scope that each route needs."""

from __future__ import annotations

from .routes import scope_of
from .scopes import Scope
from .tokens import Holder, Tokens

__all__ = ["Holder", "Scope", "Tokens", "scope_of"]
