"""Renders templates with what every page of the shop has: the snippet, the calls to make, the
Content-Security-Policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from .catalogue import money
from .devices import Devices
from .safety import policy
from .visit import Call, Visit

HERE = Path(__file__).parent
PLANS = ("pips", "segments", "grove")
CONSENT_COOKIE = "grove_consent"

type Snippet = Callable[..., str]


class Renderer:
    """Renders pages."""

    def __init__(self, snippet: Snippet, *, qa: bool, console: str) -> None:
        """Take a function that returns the snippet's text.

        Args:
            snippet: takes the load options and, for another source than the shop's, its write key.
            qa: whether every page has the tester's drawer.
            console: address of the collector's console.
        """
        self.snippet = snippet
        self._console = console
        self._templates = Jinja2Templates(HERE / "templates")
        self._templates.env.globals |= {"money": money, "plans": PLANS, "qa": qa, "console": console}

    def shop(
        self,
        request: Request,
        visit: Visit,
        template: str,
        calls: Iterable[Call] = (),
        status: int = 200,
        **more: Any,
    ) -> Response:
        """Return a page of the shop. It makes the calls that the previous page left for it, and its own."""
        devices = Devices.of(request.url)
        made = [*visit.take_calls(), *calls]
        options: dict[str, Any] = devices.options
        if request.cookies.get(CONSENT_COOKIE) == "no":
            # The page remembers the visitor's answer and repeats it on each visit. Before there is one, nothing is
            # kept.
            options, made = {**options, "consent": "required"}, [["consent", False], *made]
        script = self.snippet(options)
        context = {
            "user": visit.user,
            "csrf": visit.csrf,
            "cart_count": sum(line.quantity for line in visit.cart),
            "snippet": Markup(script),  # noqa: S704 (our own script, made safe for a script element)
            "calls": script_json(made),
            "about": self.about(devices),
            **more,
        }
        allowed = policy(scripts=[script], parents=["'self'", devices.lab])
        return self.page(request, template, context, allowed, 422 if "error" in more else status)

    def about(self, devices: Devices) -> Markup:
        """Return the drawer's data as JSON for a script element."""
        told = {"lab": devices.lab, "here": devices.here, "devices": devices.origins, "console": self._console}
        return script_json(told)

    def page(
        self, request: Request, template: str, context: dict[str, Any], allowed: str, status: int = 200
    ) -> Response:
        """Return any page, with a Content-Security-Policy."""
        headers = {"Content-Security-Policy": allowed, "Cache-Control": "no-store"}
        return self._templates.TemplateResponse(request, template, context, status_code=status, headers=headers)


def script_json(value: Any) -> Markup:
    """Return JSON that is safe inside a script element: no text in it can close the element."""
    text = json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(text)  # noqa: S704
