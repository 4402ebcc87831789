"""Who may read, delete and ask: named tokens with scopes, and the scope that each route needs."""

from __future__ import annotations

from .audit_log import AuditLog
from .routes import GuardedRoute, route_of, scope_of
from .scopes import Scope
from .tokens import Holder, Tokens

__all__ = ["AuditLog", "GuardedRoute", "Holder", "Scope", "Tokens", "route_of", "scope_of"]
