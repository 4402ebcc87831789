"""One visitor's session: who is logged in, what is in the cart, and which analytics calls the next page makes.

The calls for something that has just happened are made by the next page, as the specification recommends, because a
page that redirects at once may lose them.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from .catalogue import BY_SLUG, Product
from .users import ShopError, User, Users

Call = list[Any]
"""One analytics call: the method, then the arguments."""

MAX_CART = 50
MAX_FIELD = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cart."""

    product: Product
    quantity: int

    @property
    def total(self) -> int:
        return self.product.price * self.quantity


class Visit:
    """The session of one request."""

    def __init__(self, request: Request, users: Users) -> None:
        self._session: dict[str, Any] = request.session
        self._users = users

    @property
    def user(self) -> User | None:
        """The customer who is logged in; None where nobody is."""
        return self._users.get(self._session.get("user"))

    def log_in(self, user: User | None) -> None:
        """Log a customer in, or log out with None."""
        if user is None:
            self._session.pop("user", None)
        else:
            self._session["user"] = user.id

    def later(self, *calls: Call) -> None:
        """Let the next page make these calls."""
        self._session["calls"] = [*self._session.get("calls", []), *calls][-20:]

    def take_calls(self) -> list[Call]:
        """Return the calls that the previous page left, and forget them."""
        calls: list[Call] = self._session.pop("calls", [])
        return calls

    @property
    def csrf(self) -> str:
        """The token that forms must send."""
        token: str = self._session.setdefault("csrf", secrets.token_urlsafe(16))
        return token

    def check(self, form: FormData) -> None:
        """Raise `ShopError` unless a page of the shop sent the form."""
        if not hmac.compare_digest(field(form, "csrf").encode(), self.csrf.encode()):
            raise ShopError("This form is out of date. Please send it again.")

    @property
    def cart(self) -> list[Line]:
        """The lines of the cart."""
        held: dict[str, int] = self._session.get("cart", {})
        return [Line(BY_SLUG[slug], quantity) for slug, quantity in held.items() if slug in BY_SLUG]

    def change(self, slug: str, by: int) -> None:
        """Change the quantity of a product in the cart."""
        held: dict[str, int] = dict(self._session.get("cart", {}))
        held[slug] = max(0, min(held.get(slug, 0) + by, MAX_CART))
        self._session["cart"] = {name: quantity for name, quantity in held.items() if quantity}

    def empty(self) -> None:
        """Empty the cart."""
        self._session.pop("cart", None)


def field(form: FormData, name: str) -> str:
    """Return a form's text field, shortened to a sensible length; empty where it is missing."""
    value = form.get(name)
    return value[:MAX_FIELD] if isinstance(value, str) else ""
