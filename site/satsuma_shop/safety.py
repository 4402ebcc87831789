"""Protects the shop's pages: the Content-Security-Policy, and forms that only its own pages can send."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
POLICY = b"content-security-policy"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def policy(
    *, scripts: Iterable[str] = (), hosts: Iterable[str] = (), frames: Iterable[str] = (), parents: Iterable[str] = ()
) -> str:
    """Return a Content-Security-Policy without 'unsafe-inline' and 'unsafe-eval'.

    Args:
        scripts: texts of the page's inline scripts, which are allowed by their hashes.
        hosts: origins, in addition to the page's own, that scripts may be loaded from and may connect to.
        frames: origins whose pages may be in frames of the page.
        parents: origins whose pages may frame it.
    """
    hashes = " ".join(_hash(text) for text in scripts)
    others = " ".join(hosts)
    rules = {
        "default-src": "'none'",
        # Pyodide needs WebAssembly and nothing more.
        "script-src": f"'self' 'wasm-unsafe-eval' {hashes} {others}",
        "connect-src": f"'self' {others}",
        "style-src": "'self'",
        "img-src": "'self'",
        "frame-src": " ".join(frames) or "'none'",
        "frame-ancestors": " ".join(parents) or "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {' '.join(rule.split())}" for name, rule in rules.items())


@lru_cache(maxsize=64)
def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def local_path(text: str, otherwise: str) -> str:
    """Return a path of this site, or `otherwise`, so that a link can't redirect to another site."""
    parts = urlsplit(text)
    inside = text.startswith("/") and not text.startswith("//") and not parts.scheme and not parts.netloc
    return text if inside and "\\" not in text and text.isprintable() else otherwise


class Safety:
    """Middleware that adds security headers, and refuses changes that pages of other sites request.

    The tracking API is open to all, since write keys are public.
    """

    def __init__(self, app: ASGIApp, open_to_all: str = "/v1/") -> None:
        self._app = app
        self._open = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] not in SAFE_METHODS and not scope["path"].startswith(self._open) and _foreign(scope):
            await PlainTextResponse("This form was sent by another site's page.", 403)(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", policy())
            await send(message)

        await self._app(scope, receive, send_safely)


def _foreign(scope: Scope) -> bool:
    """Tell whether a request comes from a page of another origin, according to the browser."""
    headers = Headers(scope=scope)
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None:
        # Only the host is compared: behind a proxy with TLS, the scheme differs from the one that we see.
        return urlsplit(origin).netloc != headers.get("host")
    return site not in (None, "same-origin", "none")
