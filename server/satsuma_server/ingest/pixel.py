"""``GET /v1/pixel/{type}?data=``: takes events from places without scripts, such as e-mails, by a request for an
image."""

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
"""An image of one transparent pixel."""


class Pixel:
    """Answers requests for the image, and keeps their events."""

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
            # Browsers send no Origin for an image, but most of them send a Referer.
            caller.origin = caller.origin or origin_of(request.headers.get("referer"))
            await self._ingest.check_rate(caller)
            await self._ingest.take(kind, body, caller)
        except CollectorError as error:
            return self._ingest.fail(error)
        return Response(GIF, media_type="image/gif", headers={"Cache-Control": "no-store"})


def origin_of(address: str | None) -> str | None:
    """Return the origin of a page's URL in the form of the Origin header; None where it isn't the URL of a page."""
    try:
        parts = urllib.parse.urlsplit(address or "")
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme and parts.netloc else None


def read_data(text: str) -> bytes:
    """Return the JSON in the parameter ``data``, which is base64 of either alphabet, with or without padding.

    Raises:
        BadRequestError: it is not valid base64.
    """
    if not text:
        raise BadRequestError("is missing: send the event as base64 of its JSON", path="?data")
    # A plus sign that was not escaped arrives as a space.
    plain = urllib.parse.unquote(text).replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequestError("is not base64", path="?data") from error
