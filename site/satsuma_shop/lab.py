"""The identity lab, which plays flows of the specification in frames, one for each device."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from .devices import Devices
from .rendering import Renderer, script_json
from .safety import policy
from .scenarios import BY_ID, SCENARIOS


class Lab:
    """The lab's pages."""

    def __init__(self, render: Renderer) -> None:
        self._render = render

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/lab", self.page), Route("/lab/{scenario}", self.page)]

    async def page(self, request: Request) -> Response:
        """Answer with the page of one flow."""
        chosen = BY_ID.get(request.path_params.get("scenario", SCENARIOS[0].id))
        if chosen is None:
            raise HTTPException(404)
        devices = Devices.of(request.url)
        if devices.lab and request.url.netloc.lower() != devices.lab.partition("://")[2]:
            # The lab must have the host name whose pages may frame those of the devices.
            return RedirectResponse(f"{devices.lab}{request.url.path}", 307)
        data = {
            "id": chosen.id,
            "steps": [step.data for step in chosen.steps],
            "devices": {name: devices.origins.get(name) for name in chosen.devices},
        }
        context = {"chosen": chosen, "scenarios": SCENARIOS, "devices": devices.origins, "data": script_json(data)}
        return self._render.page(request, "lab.html", context, policy(frames=devices.origins.values()))
