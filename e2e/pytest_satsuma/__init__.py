"""Test a site's analytics identity in a real browser."""

from .visitor import CookieState, IdentityState, Visitor

__all__ = ["CookieState", "IdentityState", "Visitor"]
