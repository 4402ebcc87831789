"""Pages where an element, another library or a second source wants the name ``analytics`` too."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .devices import Devices
from .rendering import Renderer
from .safety import policy

SECOND_KEY = "orchard"
"""Write key of the second source, and its name in the page."""

PAGES: dict[str, tuple[str, str]] = {
    "element": ("An element is called analytics", "A browser makes a global of every id, such as that of this link:"),
    "library": ("Another library is called analytics", "So the shop’s own source is called grove on this page."),
    "two": (
        "Two sources on one page",
        "The second one is called orchard. Each has its write key, and both know one visitor.",
    ),
}


class NamePages:
    """The pages."""

    def __init__(self, render: Renderer) -> None:
        self._render = render

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/qa/names/{kind}", self.page)]

    async def page(self, request: Request) -> Response:
        """One of the pages."""
        kind = request.path_params["kind"]
        if kind not in PAGES:
            raise HTTPException(404)
        devices = Devices.of(request.url)
        snippets = self._snippets(kind, devices.options)
        title, lead = PAGES[kind]
        context = {
            "kind": kind,
            "title": title,
            "lead": lead,
            "snippets": [Markup(text) for text in snippets],  # noqa: S704 (our own scripts)
            "about": self._render.about(devices),
        }
        allowed = policy(scripts=snippets, parents=["'self'", devices.lab])
        return self._render.page(request, "names.html", context, allowed)

    def _snippets(self, kind: str, options: dict[str, Any]) -> list[str]:
        make = self._render.snippet
        if kind == "library":
            return [make({**options, "globalAnalyticsKey": "grove"})]
        second = [make({**options, "globalAnalyticsKey": SECOND_KEY}, SECOND_KEY)] if kind == "two" else []
        return [make(options), *second]
