"""What all pages of the console share: the layout, the security headers, and the check of the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import FormData, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from satsuma_server.access import GuardedRoute, Holder, route_of
from satsuma_server.access import Scope as TokenScope
from satsuma_server.console.assets import ConsoleAssets
from satsuma_server.console.forwarded_headers import PREFIX, base_of
from satsuma_server.console.presenters import template_filters
from satsuma_server.console.presenters.avatar import glyph, hue
from satsuma_server.console.presenters.feed_entry import title_of
from satsuma_server.console.session import Session, Sessions, check_origin
from satsuma_server.errors import CollectorError, ForbiddenError
from satsuma_server.http.auth import check_route, may_use, note
from satsuma_server.paths import path_of
from satsuma_server.settings import Settings

OPEN = (f"{PREFIX}/login", f"{PREFIX}/assets/")
"""Paths that need no session."""

MOST_FIELDS = 20

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default",  # made by trusted.js
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

SCREENS = (
    ("live", "Live", "what comes in, as it comes"),
    ("people", "People", "who is who, and why"),
    ("refused", "Refused", "what was not accepted"),
    ("plan", "Plan", "what breaks the tracking plan"),
    ("sources", "Sources", "what to paste, and who sends"),
    ("health", "Health", "which practices of identifying users are broken"),
    ("charts", "Charts", "how much, and how many"),
    ("warehouse", "Warehouse", "tables, and SQL"),
    ("destinations", "Destinations", "where events go on to, and how that goes"),
)


class Pages:
    """Renders templates in the console's layout."""

    def __init__(self, sessions: Sessions, assets: ConsoleAssets) -> None:
        self._sessions = sessions
        self._assets = assets
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {**template_filters.FILTERS, "title_of": title_of}
        self._templates.globals |= {"glyph": glyph, "glyph_hue": hue}

    def know(self, **filters: Callable[[Any], Any]) -> None:
        """Add filters that the templates can use."""
        self._templates.filters |= filters

    def show(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """Render a template and return it as a response."""
        return HTMLResponse(self.render(request, template, **context), status)

    def render(self, request: Request, template: str, **context: Any) -> str:
        """Render a template and return its text."""
        base = base_of(request)
        session: Session | None = getattr(request.state, "session", None)
        frame = {
            "base": base,
            "csrf": session.csrf if session else "",
            "asset": lambda name: f"{base}/{self._assets.path(name)}",
            "screens": screens_of(session.holder) if session else [],
            "may_undo": session is not None and session.holder.may(TokenScope.ADMIN),
            "here": request.url.path.removeprefix(PREFIX).strip("/").partition("/")[0],
        }
        return self._templates.get_template(template).render(**frame, **context)

    def block(self, request: Request, template: str, macro: str, *given: Any) -> Markup:
        """Call one macro of a template and return its HTML."""
        module = self._templates.get_template(template).make_module({"base": base_of(request)})
        return Markup(getattr(module, macro)(*given))  # noqa: S704

    def problem(self, request: Request, error: CollectorError, title: str = "That didn't work") -> Response:
        """Return a page that shows an error."""
        return self.show(request, "problem.html", error.status, title=title, reason=str(error))

    async def form(self, request: Request) -> FormData:
        """Return a request's form, after checking that a page of the console sent it.

        Raises:
            ForbiddenError: the form doesn't have the session's CSRF token.
        """
        form = await request.form(max_files=0, max_fields=MOST_FIELDS)
        if form.get("csrf") != request.state.session.csrf:
            raise ForbiddenError("this form is of another login: load the page again")
        return form

    def is_open(self, request: Request) -> bool:
        """Tell whether a request that was let in would still be, for answers that go on without an end."""
        session = self._sessions.of(request)
        return session is not None and may_use(session.holder, _route(request))

    def go(self, request: Request, path: str) -> Response:
        """Return a redirect to another page of the console."""
        return RedirectResponse(f"{base_of(request)}/{path}", 303)


def screens_of(holder: Holder) -> list[tuple[str, str, str]]:
    """Return the screens that a token's scopes allow, as in `SCREENS`."""
    return [screen for screen in SCREENS if may_use(holder, route_of("GET", f"{PREFIX}/{screen[0]}"))]


def _route(request: Request) -> GuardedRoute:
    return route_of(request.method, path_of(request.scope))


class Gate:
    """An ASGI app before all routes of the console: it adds security headers, and lets nobody pass without a session
    whose token has the scope of the page."""

    def __init__(self, app: ASGIApp, sessions: Sessions, pages: Pages, settings: Settings) -> None:
        self._app = app
        self._sessions = sessions
        self._pages = pages
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it through."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope, receive)
        answer = self._refusal(request)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        if request.method not in ("GET", "HEAD"):
            check_origin(request)
        session = self._sessions.of(request)
        request.state.session = session
        path = request.url.path
        if path.startswith(OPEN):
            return None
        if session is not None:
            refused = not may_use(session.holder, _route(request))
            note(request, self._settings, session.holder, refused=refused)
            try:
                check_route(session.holder, _route(request))
            except ForbiddenError as error:
                return self._pages.problem(request, error, "Your token doesn't open this")
            return None
        login = f"{base_of(request)}/login?next={quote(_wanted(request))}"
        if "hx-request" in request.headers:
            return Response(status_code=401, headers={"HX-Redirect": login})
        if request.method == "GET" and "text/html" in request.headers.get("accept", "text/html"):
            return RedirectResponse(login, 303)
        return Response("log in first", 401)


def _wanted(request: Request) -> str:
    query = request.url.query
    return request.url.path.removeprefix(f"{PREFIX}/") + (f"?{query}" if query else "")
