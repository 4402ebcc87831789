"""``GET /v1/pixel/{type}?data=``: an event from where no script runs, as in an e-mail."""

from __future__ import annotations

import base64
import binascii
import urllib.parse

from satsuma.validation import EVENT_TYPES
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.errors import BadRequestError, CollectorError
from satsuma_server.settings import Settings

from .client_info import ClientInfo
from .endpoint import KINDS, Ingest

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent point."""


class Pixel:
    """Answers images' requests."""

    def __init__(self, settings: Settings, ingest: Ingest) -> None:
        self._settings = settings
        self._ingest = ingest

    def route(self) -> Route:
        """Return the route below ``/v1``."""
        return Route("/pixel/{kind}", self._take)

    async def _take(self, request: Request) -> Response:
        kind = KINDS.get(request.path_params["kind"])
        try:
            if kind not in EVENT_TYPES:
                raise BadRequestError("is unknown: use a call's name, as /v1/pixel/track", path=".type")
            body = read_data(request.query_params.get("data", ""))
            caller = ClientInfo.of(request.scope, self._settings)
            # Browsers send no Origin for an image, but mostly say which page asks for it.
            caller.origin = caller.origin or origin_of(request.headers.get("referer"))
            await self._ingest.take(kind, body, caller)
        except CollectorError as error:
            return self._ingest.fail(error)
        return Response(GIF, media_type="image/gif", headers={"Cache-Control": "no-store"})


def origin_of(address: str | None) -> str | None:
    """Return the origin of a page's address, as browsers send it; None where it is the address of no page."""
    try:
        parts = urllib.parse.urlsplit(address or "")
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme and parts.netloc else None


def read_data(text: str) -> bytes:
    """Return the JSON of the parameter ``data``: base64 of either alphabet, with padding or without.

    Raises:
        BadRequestError: it is neither.
    """
    if not text:
        raise BadRequestError("is missing: send the event as base64 of its JSON", path="?data")
    # A plus sign that somebody forgot to escape arrives as a space.
    plain = urllib.parse.unquote(text).replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequestError("is not base64", path="?data") from error
