"""Lets the shop's server set the cookies of the visitor's ids, too, for testers who ask for it.

A page can't see who has set a cookie. So each answer tells it in ``Server-Timing``, which scripts can read.
"""

from __future__ import annotations

from satsuma.platforms.server import Client, Visitors
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .devices import Devices

COOKIE = "grove_server"
REMOVAL = "Max-Age=0"


class ServedCookies:
    """ASGI middleware that renews the ids' cookies with each page, where the cookie `COOKIE` says so."""

    def __init__(self, app: ASGIApp, client: Client) -> None:
        self._app = app
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add cookies to the answer."""
        if scope["type"] != "http" or Request(scope).cookies.get(COOKIE) != "yes":
            await self._app(scope, receive, send)
            return
        cookies = self._cookies(Request(scope))

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for cookie in cookies:
                    headers.append("Set-Cookie", cookie)
                    if REMOVAL not in cookie:
                        headers.append("Server-Timing", f'cookie;desc="{cookie.partition(";")[0]}"')
            await send(message)

        await self._app(scope, receive, send_with_cookies)

    def _cookies(self, request: Request) -> list[str]:
        headers = dict(request.headers)
        if headers.get("sec-fetch-dest") == "iframe":
            headers["sec-fetch-dest"] = "document"  # The lab's frames stand for pages.
        visitors = Visitors(self._client, Devices.of(request.url).options, refresh=True)
        return visitors.visitor(request.method, str(request.url), headers, None).set_cookies()
