"""The shop's pages."""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from .catalogue import BY_SLUG, PRODUCTS, Product, money
from .users import ShopError, Users
from .visit import Call, Line, Visit, field

HERE = Path(__file__).parent
PLANS = ("pips", "segments", "grove")
type Handler = Callable[[Pages, Request, Visit], Awaitable[Response]]
type Endpoint = Callable[[Pages, Request], Awaitable[Response]]


def _page(handler: Handler) -> Endpoint:
    """Give a handler the visit that its request belongs to."""

    @functools.wraps(handler)
    async def endpoint(pages: Pages, request: Request) -> Response:
        return await handler(pages, request, Visit(request, pages.users))

    return endpoint


class Pages:
    """Answers the shop's visitors."""

    def __init__(self, users: Users, snippet: Callable[[], str]) -> None:
        """Take the user database and what gives the snippet's text."""
        self.users = users
        self._templates = Jinja2Templates(HERE / "templates")
        self._templates.env.globals |= {"money": money, "plans": PLANS, "snippet": lambda: Markup(snippet())}  # noqa: S704

    def routes(self) -> list[Route]:
        """Return the shop's routes."""
        both = ["GET", "POST"]
        return [
            Route("/", self.home),
            Route("/products/{slug}", self.product),
            Route("/cart", self.cart),
            Route("/cart/{slug}", self.change_cart, methods=["POST"]),
            Route("/checkout", self.checkout, methods=["POST"]),
            Route("/thanks", self.thanks),
            Route("/newsletter", self.newsletter, methods=both),
            Route("/register", self.register, methods=both),
            Route("/welcome", self.welcome),
            Route("/login", self.login, methods=both),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/account", self.account, methods=both),
        ]

    @_page
    async def home(self, request: Request, visit: Visit) -> Response:
        return self._show(request, visit, "home.html", products=PRODUCTS)

    @_page
    async def product(self, request: Request, visit: Visit) -> Response:
        product = _product(request)
        others = [other for other in PRODUCTS if other is not product][:3]
        viewed: Call = ["track", "Product Viewed", product.properties()]
        return self._show(request, visit, "product.html", [viewed], product=product, others=others)

    @_page
    async def cart(self, request: Request, visit: Visit) -> Response:
        lines = visit.cart
        viewed: Call = [
            "track",
            "Cart Viewed",
            {"products": [line.product.properties(line.quantity) for line in lines]},
        ]
        return self._show(request, visit, "cart.html", [viewed] if lines else [], lines=lines, total=_total(lines))

    @_page
    async def change_cart(self, request: Request, visit: Visit) -> Response:
        product = _product(request)
        form = await request.form()
        try:
            visit.check(form)
        except ShopError as error:
            return self._show(request, visit, "cart.html", lines=visit.cart, total=_total(visit.cart), error=error)
        by = -1 if field(form, "by") == "-1" else 1
        visit.change(product.slug, by)
        visit.later(["track", "Product Added" if by > 0 else "Product Removed", product.properties()])
        return _go("/cart")

    @_page
    async def checkout(self, request: Request, visit: Visit) -> Response:
        lines = visit.cart
        form = await request.form()
        try:
            visit.check(form)
            if not lines:
                raise ShopError("Your cart is empty.")
        except ShopError as error:
            return self._show(request, visit, "cart.html", lines=lines, total=_total(lines), error=error)
        order = {
            "order_id": secrets.token_hex(4),
            "total": _total(lines) / 100,
            "currency": "EUR",
            "products": _contents(lines),
        }
        visit.empty()
        visit.later(["track", "Order Completed", order])
        return _go("/thanks")

    @_page
    async def thanks(self, request: Request, visit: Visit) -> Response:
        return self._show(request, visit, "thanks.html")

    @_page
    async def newsletter(self, request: Request, visit: Visit) -> Response:
        if request.method == "GET":
            return self._show(request, visit, "newsletter.html", form={})
        form = await request.form()
        first, last, email = (field(form, name) for name in ("first_name", "last_name", "email"))
        try:
            visit.check(form)
            self.users.subscribe(first, last, email)
        except ShopError as error:
            return self._show(request, visit, "newsletter.html", form=form, error=error)
        # Traits only: somebody who reads a newsletter has no account, so there is no userId.
        visit.later(
            ["identify", {"firstName": first, "lastName": last, "email": email}], ["track", "Newsletter Subscribed"]
        )
        return _go("/newsletter?subscribed=1")

    @_page
    async def register(self, request: Request, visit: Visit) -> Response:
        if request.method == "GET":
            return self._show(request, visit, "register.html", form={})
        form = await request.form()
        try:
            visit.check(form)
            user = self.users.register(field(form, "name"), field(form, "email"), field(form, "password"), _plan(form))
        except ShopError as error:
            return self._show(request, visit, "register.html", form=form, error=error)
        visit.log_in(user)
        visit.later(["identify", user.id, user.traits()], ["track", "Signed Up", {"plan": user.plan}])
        return _go("/welcome")

    @_page
    async def welcome(self, request: Request, visit: Visit) -> Response:
        return self._show(request, visit, "welcome.html") if visit.user else _go("/register")

    @_page
    async def login(self, request: Request, visit: Visit) -> Response:
        if request.method == "GET":
            return self._show(request, visit, "login.html", form={})
        form = await request.form()
        try:
            visit.check(form)
            user = self.users.login(field(form, "email"), field(form, "password"))
        except ShopError as error:
            return self._show(request, visit, "login.html", form=form, error=error)
        visit.log_in(user)
        visit.later(["identify", user.id, user.traits()], ["track", "Signed In"])
        return _go("/account")

    @_page
    async def logout(self, request: Request, visit: Visit) -> Response:
        visit.check(await request.form())
        visit.log_in(None)
        visit.empty()
        visit.later(["track", "Signed Out"], ["reset"])
        return _go("/")

    @_page
    async def account(self, request: Request, visit: Visit) -> Response:
        user = visit.user
        if user is None:
            return _go("/login")
        if request.method == "GET":
            return self._show(request, visit, "account.html", form=user.traits())
        form = await request.form()
        try:
            visit.check(form)
            user = self.users.update(user.id, field(form, "name"), field(form, "email"), _plan(form))
        except ShopError as error:
            return self._show(request, visit, "account.html", form=form, error=error)
        visit.later(["identify", user.id, user.traits()])
        return _go("/account?saved=1")

    def _show(
        self, request: Request, visit: Visit, template: str, calls: list[Call] | None = None, **more: Any
    ) -> Response:
        context = {
            "user": visit.user,
            "csrf": visit.csrf,
            "cart_count": sum(line.quantity for line in visit.cart),
            "calls": _script_json([*visit.take_calls(), *(calls or [])]),
            **more,
        }
        status = 422 if "error" in more else 200
        return self._templates.TemplateResponse(request, template, context, status_code=status)


def _product(request: Request) -> Product:
    product = BY_SLUG.get(request.path_params["slug"])
    if product is None:
        raise HTTPException(404)
    return product


def _plan(form: Any) -> str:
    plan = field(form, "plan")
    return plan if plan in PLANS else PLANS[0]


def _contents(lines: list[Line]) -> list[dict[str, Any]]:
    return [line.product.properties(line.quantity) for line in lines]


def _total(lines: list[Line]) -> int:
    return sum(line.total for line in lines)


def _go(where: str) -> Response:
    return RedirectResponse(where, status_code=303)


def _script_json(value: Any) -> Markup:
    """Return JSON that is safe inside a script element: what a customer typed can't close it."""
    text = json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704
