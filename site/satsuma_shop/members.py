"""Pages for accounts, where the shop's database assigns a userId and the page passes it to analytics."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .catalogue import PRODUCTS
from .handling import go, visited
from .mistakes import Mistakes
from .rendering import PLANS, Renderer
from .safety import local_path
from .users import ShopError, User, Users
from .visit import Call, Visit, field


class Members:
    """The pages for visitors who have an account or create one."""

    def __init__(self, users: Users, render: Renderer, mistakes: Mistakes) -> None:
        self.users = users
        self.render = render
        self._mistakes = mistakes

    def routes(self) -> list[Route]:
        """Return the routes."""
        both = ["GET", "POST"]
        return [
            Route("/register", self.register, methods=both),
            Route("/welcome", self.welcome),
            Route("/hasty", self.hasty, methods=both),
            Route("/login", self.login, methods=both),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/account", self.account, methods=both),
            Route("/app", self.app),
            Route("/app/login", self.app_login, methods=["POST"]),
        ]

    @visited
    async def register(self, request: Request, visit: Visit) -> Response:
        if request.method == "GET":
            return self.render.shop(request, visit, "register.html", form={})
        form = await request.form()
        try:
            user = await self._sign_up(visit, form)
        except ShopError as error:
            return self.render.shop(request, visit, "register.html", form=form, error=error)
        calls = self._signed_up(request, user)
        if self._mistakes.are_made(request):
            return self.render.shop(request, visit, "hasty.html", calls)
        # The next page makes the calls, as the specification recommends.
        visit.later(*calls)
        return go("/welcome")

    @visited
    async def hasty(self, request: Request, visit: Visit) -> Response:
        """Show what the specification warns of: a page that makes the calls and is left at once."""
        if request.method == "GET":
            return self.render.shop(request, visit, "register.html", form={}, hasty=True)
        form = await request.form()
        try:
            user = await self._sign_up(visit, form)
        except ShopError as error:
            return self.render.shop(request, visit, "register.html", form=form, hasty=True, error=error)
        return self.render.shop(request, visit, "hasty.html", self._signed_up(request, user))

    @visited
    async def welcome(self, request: Request, visit: Visit) -> Response:
        return self.render.shop(request, visit, "welcome.html") if visit.user else go("/register")

    @visited
    async def login(self, request: Request, visit: Visit) -> Response:
        if request.method == "GET":
            then = local_path(request.query_params.get("then", ""), "/account")
            return self.render.shop(request, visit, "login.html", form={"then": then})
        form = await request.form()
        try:
            visit.check(form)
            user = await run_in_threadpool(self.users.login, field(form, "email"), field(form, "password"))
        except ShopError as error:
            return self.render.shop(request, visit, "login.html", form=form, error=error)
        visit.log_in(user)
        visit.later(self._identify(request, user), ["track", "Signed In"])
        return go(local_path(field(form, "then"), "/account"))

    @visited
    async def logout(self, request: Request, visit: Visit) -> Response:
        visit.check(await request.form())
        visit.log_in(None)
        visit.empty()
        visit.later(["track", "Signed Out"], *([] if self._mistakes.are_made(request) else [["reset"]]))
        return go("/")

    @visited
    async def account(self, request: Request, visit: Visit) -> Response:
        user = visit.user
        if user is None:
            return go("/login?then=/account")
        if request.method == "GET":
            return self.render.shop(request, visit, "account.html", form=user.traits())
        form = await request.form()
        try:
            visit.check(form)
            user = self.users.update(user.id, field(form, "name"), field(form, "email"), _plan(form))
        except ShopError as error:
            return self.render.shop(request, visit, "account.html", form=form, error=error)
        visit.later(self._identify(request, user))
        return go("/account?saved=1")

    @visited
    async def app(self, request: Request, visit: Visit) -> Response:
        """Answer with a page that behaves like a mobile app: it has screens, and makes the calls of a login itself."""
        return self.render.shop(request, visit, "app.html", products=PRODUCTS)

    @visited
    async def app_login(self, request: Request, visit: Visit) -> Response:
        form = await request.form()
        try:
            visit.check(form)
            user = await run_in_threadpool(self.users.login, field(form, "email"), field(form, "password"))
        except ShopError as error:
            return JSONResponse({"error": str(error)}, 422)
        visit.log_in(user)
        return JSONResponse({"userId": self._mistakes.user_id(request, user), "traits": user.traits()})

    async def _sign_up(self, visit: Visit, form: FormData) -> User:
        visit.check(form)
        given = field(form, "name"), field(form, "email"), field(form, "password"), _plan(form)
        user = await run_in_threadpool(self.users.register, *given)
        visit.log_in(user)
        return user

    def _identify(self, request: Request, user: User) -> Call:
        return ["identify", self._mistakes.user_id(request, user), user.traits()]

    def _signed_up(self, request: Request, user: User) -> list[Call]:
        return [self._identify(request, user), ["track", "Signed Up", {"plan": user.plan}]]


def _plan(form: Any) -> str:
    plan = field(form, "plan")
    return plan if plan in PLANS else PLANS[0]
