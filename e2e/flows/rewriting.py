"""The shop with another library in its pages: its snippet is replaced on the way out."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def rewritten(app: ASGIApp, snippet: str, other: str) -> ASGIApp:
    """Return an ASGI app whose pages have `other` where those of `app` have `snippet`.

    Raises:
        AssertionError: a page of HTML, asked for, has no such snippet where its head ends.
    """
    old, new = snippet.encode(), other.encode()

    async def rewrite(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def send_rewritten(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            replaced = body.replace(old, new)
            headers = MutableHeaders(scope=start)
            is_page = headers.get("content-type", "").startswith("text/html") and start["status"] < 300
            # The shop's policy knows its own snippet alone, and no other library's CDN.
            del headers["content-security-policy"]
            assert not is_page or replaced != body, f"{scope['path']} has no snippet to replace"
            if "content-length" in headers:
                headers["content-length"] = str(len(replaced))
            await send(start)
            await send({"type": "http.response.body", "body": replaced})

        await app(scope, receive, send_rewritten)

    return rewrite
