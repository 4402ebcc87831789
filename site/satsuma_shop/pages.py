"""The shop's pages for everybody: fruit, cart and newsletter."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .catalogue import BY_SLUG, PRODUCTS, Product, search
from .handling import go, visited
from .rendering import Renderer
from .users import ShopError, Users
from .visit import MAX_FIELD, Call, Line, Visit, field


class Grove:
    """The pages that need no account."""

    def __init__(self, users: Users, render: Renderer) -> None:
        self.users = users
        self.render = render

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.home),
            Route("/search", self.found),
            Route("/products/{slug}", self.product),
            Route("/cart", self.cart),
            Route("/cart/{slug}", self.change_cart, methods=["POST"]),
            Route("/checkout", self.checkout, methods=["POST"]),
            Route("/thanks", self.thanks),
            Route("/newsletter", self.newsletter, methods=["GET", "POST"]),
        ]

    @visited
    async def home(self, request: Request, visit: Visit) -> Response:
        return self.render.shop(request, visit, "home.html", products=PRODUCTS)

    @visited
    async def found(self, request: Request, visit: Visit) -> Response:
        query = request.query_params.get("q", "").strip()[:MAX_FIELD]
        products = search(query)
        searched: Call = ["track", "Products Searched", {"query": query, "found": len(products)}]
        return self.render.shop(request, visit, "search.html", [searched], products=products, query=query)

    @visited
    async def product(self, request: Request, visit: Visit) -> Response:
        product = _product(request)
        others = [other for other in PRODUCTS if other is not product][:3]
        viewed: Call = ["track", "Product Viewed", product.properties()]
        return self.render.shop(request, visit, "product.html", [viewed], product=product, others=others)

    @visited
    async def cart(self, request: Request, visit: Visit) -> Response:
        lines = visit.cart
        viewed: Call = ["track", "Cart Viewed", {"products": _contents(lines)}]
        return self._show_cart(request, visit, [viewed] if lines else [])

    @visited
    async def change_cart(self, request: Request, visit: Visit) -> Response:
        product = _product(request)
        form = await request.form()
        try:
            visit.check(form)
        except ShopError as error:
            return self._show_cart(request, visit, error=error)
        by = -1 if field(form, "by") == "-1" else 1
        visit.change(product.slug, by)
        visit.later(["track", "Product Added" if by > 0 else "Product Removed", product.properties()])
        return go("/cart")

    @visited
    async def checkout(self, request: Request, visit: Visit) -> Response:
        lines = visit.cart
        form = await request.form()
        try:
            visit.check(form)
            if not lines:
                raise ShopError("Your cart is empty.")
        except ShopError as error:
            return self._show_cart(request, visit, error=error)
        order = {
            "order_id": secrets.token_hex(4),
            "total": _total(lines) / 100,
            "currency": "EUR",
            "products": _contents(lines),
        }
        visit.empty()
        visit.later(["track", "Order Completed", order])
        return go("/thanks")

    @visited
    async def thanks(self, request: Request, visit: Visit) -> Response:
        return self.render.shop(request, visit, "thanks.html")

    @visited
    async def newsletter(self, request: Request, visit: Visit) -> Response:
        if request.method == "GET":
            return self.render.shop(request, visit, "newsletter.html", form={})
        form = await request.form()
        first, last, email = (field(form, name) for name in ("first_name", "last_name", "email"))
        try:
            visit.check(form)
            self.users.subscribe(first, last, email)
        except ShopError as error:
            return self.render.shop(request, visit, "newsletter.html", form=form, error=error)
        # Only traits and no userId, because a newsletter subscriber has no account.
        traits = {"firstName": first, "lastName": last, "email": email}
        visit.later(["identify", traits], ["track", "Newsletter Subscribed"])
        return go("/newsletter?subscribed=1")

    def _show_cart(self, request: Request, visit: Visit, calls: list[Call] | None = None, **more: Any) -> Response:
        lines = visit.cart
        return self.render.shop(request, visit, "cart.html", calls or [], lines=lines, total=_total(lines), **more)


def _product(request: Request) -> Product:
    product = BY_SLUG.get(request.path_params["slug"])
    if product is None:
        raise HTTPException(404)
    return product


def _contents(lines: list[Line]) -> list[dict[str, Any]]:
    return [line.product.properties(line.quantity) for line in lines]


def _total(lines: list[Line]) -> int:
    return sum(line.total for line in lines)
