"""Mistakes that a tester can have the shop make: those that sites make most, for the audit to find.

With the cookie `grove_mistakes` the shop makes the calls of a sign-up on a page that redirects at once, forgets to
reset at logout, and takes email addresses as userIds.
"""

from __future__ import annotations

from starlette.requests import Request

from .users import User

COOKIE = "grove_mistakes"


class Mistakes:
    """Tells whether a visitor's requests are answered with mistakes."""

    def __init__(self, *, possible: bool) -> None:
        """Take whether the shop is a demo; in any other it makes none."""
        self._possible = possible

    def are_made(self, request: Request) -> bool:
        """Return whether the visitor has asked for them."""
        return self._possible and request.cookies.get(COOKIE) == "yes"

    def user_id(self, request: Request, user: User) -> str:
        """Return the userId that the page passes to analytics."""
        return user.email if self.are_made(request) else user.id
