"""The screen for logging in, and logging out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.console.forwarded_headers import PREFIX, address_of
from satsuma_server.console.session import Failures, Sessions
from satsuma_server.http.auth import is_token
from satsuma_server.settings import Settings

from .page import Pages

LONGEST = 1000


class Login:
    """Logs people in with the collector's token, and out."""

    def __init__(self, settings: Settings, pages: Pages, sessions: Sessions) -> None:
        self._settings = settings
        self._pages = pages
        self._sessions = sessions
        self._failures = Failures()

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
        return self._pages.go(request, "live")

    async def _show(self, request: Request) -> Response:
        if request.state.session is not None:
            return self._pages.go(request, "live")
        return self._pages.show(request, "login.html", next=_next(request.query_params.get("next", "")), problem="")

    async def _log_in(self, request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=4)
        token, after = str(form.get("token", "")).strip()[:LONGEST], _next(str(form.get("next", "")))
        address = address_of(request)
        wait = self._failures.wait(address)
        if wait:
            problem = f"Too many wrong tokens came from your address. Try again in {wait} seconds."
            answer = self._pages.show(request, "login.html", 429, next=after, problem=problem)
            answer.headers["Retry-After"] = str(wait)
            return answer
        if not is_token(token, self._settings):
            self._failures.note(address)
            problem = (
                "That is not this collector's token. Satsuma prints it at its start, beside the console's address."
            )
            return self._pages.show(request, "login.html", 401, next=after, problem=problem)
        answer = self._pages.go(request, after)
        self._sessions.begin(answer, request)
        return answer

    async def _log_out(self, request: Request) -> Response:
        await self._pages.form(request)
        answer = self._pages.go(request, "login")
        self._sessions.end(request.state.session, answer, request)
        return answer


def _next(path: str) -> str:
    """Return where to go after the login. It is always a page of the console, whatever the link says."""
    path = path[:LONGEST]
    return path if path and all(char.isprintable() and char != "\\" for char in path) and path[0].isalpha() else "live"
