"""The screen for logging in, and logging out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.access import Holder, scope_of
from satsuma_server.console.forwarded_headers import PREFIX, address_of
from satsuma_server.console.session import Sessions
from satsuma_server.http.auth import note
from satsuma_server.http.guesses import Guesses
from satsuma_server.paths import is_normal
from satsuma_server.settings import Settings

from .page import Pages, screens_of

LONGEST = 1000


class Login:
    """Logs people in with a token, and out."""

    def __init__(self, settings: Settings, pages: Pages, sessions: Sessions) -> None:
        self._settings = settings
        self._pages = pages
        self._sessions = sessions
        self._guesses = Guesses()

    def routes(self) -> list[Route]:
        """Return its routes."""
        return [
            Route(PREFIX, self._home),
            Route(f"{PREFIX}/", self._home),
            Route(f"{PREFIX}/login", self._show),
            Route(f"{PREFIX}/login", self._log_in, methods=["POST"]),
            Route(f"{PREFIX}/logout", self._log_out, methods=["POST"]),
        ]

    async def _home(self, request: Request) -> Response:
        return self._pages.go(request, _screen(request.state.session.holder, ""))

    async def _show(self, request: Request) -> Response:
        if request.state.session is not None:
            return self._pages.go(request, "")
        return self._pages.show(request, "login.html", next=_next(request.query_params.get("next", "")), problem="")

    async def _log_in(self, request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=4)
        token, after = str(form.get("token", "")).strip()[:LONGEST], _next(str(form.get("next", "")))
        address = address_of(request)
        wait = self._guesses.wait(address, token)
        if wait:
            problem = f"Too many wrong tokens came from your address. Try again in {wait} seconds."
            answer = self._pages.show(request, "login.html", 429, next=after, problem=problem)
            answer.headers["Retry-After"] = str(wait)
            return answer
        holder = self._settings.tokens.holder(token)
        self._guesses.note(address, token, right=holder is not None)
        if holder is None:
            problem = (
                "That is not a token of this collector. Satsuma prints one at its start, beside the console's address."
            )
            return self._pages.show(request, "login.html", 401, next=after, problem=problem)
        if not screens_of(holder):
            problem = f"The token {holder.name!r} has no scope that opens a screen of the console."
            if holder.sources:
                problem = f"The token {holder.name!r} is limited to some sources, and the console shows all of them."
            return self._pages.show(request, "login.html", 403, next=after, problem=problem)
        answer = self._pages.go(request, _screen(holder, after))
        self._sessions.begin(holder, answer, request)
        note(request, self._settings, holder, action="log in")
        return answer

    async def _log_out(self, request: Request) -> Response:
        await self._pages.form(request)
        answer = self._pages.go(request, "login")
        self._sessions.end(request.state.session, answer, request)
        return answer


def _screen(holder: Holder, wanted: str) -> str:
    """Return the page that a token's holder wanted, or the first screen where its scopes don't allow that one."""
    path = f"{PREFIX}/{wanted.partition('?')[0]}"
    allowed = wanted and is_normal(path) and holder.may(scope_of("GET", path))
    return wanted if allowed else screens_of(holder)[0][0]


def _next(path: str) -> str:
    """Return where to go after the login. It is always a page of the console, whatever the link says."""
    path = path[:LONGEST]
    return path if path and all(char.isprintable() and char != "\\" for char in path) and path[0].isalpha() else "live"
