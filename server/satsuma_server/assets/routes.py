"""Serves the browser's files: the loader is cached for a short time, files named by a hash for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from satsuma_server.errors import AssetsError
from satsuma_server.http.basic_auth import basic_user
from satsuma_server.http.public_url import PublicUrl
from satsuma_server.settings import Settings

from .snippet import service, snippet
from .source_config import source_config

SHORT = "public, max-age=300"
SHORT_HERE = "private, max-age=300"
FOR_EVER = "public, max-age=31536000, immutable"
CUSTOMER_IO_CDN = "/customerio"
"""What Customer.io's browser SDK is given as its CDN, below the collector's origin: it is Segment's, but for the name
under which the settings have the delivery. Both names in one answer would have Segment's library load what it needs
only with destinations."""

SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Timing-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
ENCODINGS = (("zstd", ".zst"), ("br", ".br"), ("gzip", ".gz"))
"""Encodings by preference. zstd has about 7 % more bytes than brotli, and takes a third of its time to decompress
(decision 23)."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    media_type: str


class Assets:
    """The browser's files of one collector."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = PublicUrl(settings)
        self._caching = SHORT if self._url.is_known else SHORT_HERE
        self._files = self._known_files()

    def routes(self) -> list[Route]:
        """Return the routes below the collector's root."""
        return [
            Route("/analytics.js/v1/{write_key}/analytics.min.js", self._loader),
            Route("/analytics.js/v1/{write_key}/service.js", self._service),
            Route("/analytics.js/snippet.js", self._snippet),
            Route("/analytics.js/python-workers.js", self._python_workers),
            Route("/analytics.js/runtime/{path:path}", self._runtime),
            Route("/analytics.js/{name}.whl", self._wheel),
            Route(f"{CUSTOMER_IO_CDN}/v1/projects/{{write_key}}/settings", self._customer_io_settings),
            Route("/sourceConfig/", self._source_config),
            Route("/sourceConfig", self._source_config),
        ]

    def settings_route(self) -> Route:
        """Return the route of a source's settings, below ``/v1``."""
        return Route("/projects/{write_key}/settings", self._source_settings)

    def _known_files(self) -> dict[str, _File]:
        """Return the files in the manifest, by path. No other file is ever opened, whatever path is requested."""
        root = self._settings.runtime
        try:
            entries = json.loads((root / "manifest.json").read_text())["files"].values()
        except (OSError, ValueError, KeyError):
            return {}
        return {entry["path"]: _File(root / entry["path"], entry["type"]) for entry in entries}

    async def _loader(self, request: Request) -> Response:
        return self._serve(request, "loader.js", SHORT)

    async def _python_workers(self, request: Request) -> Response:
        return self._serve(request, "python-workers.js", SHORT)

    async def _runtime(self, request: Request) -> Response:
        return self._serve(request, request.path_params["path"], FOR_EVER)

    async def _wheel(self, request: Request) -> Response:
        """Answer with the SDK's wheel, for `micropip.install` in apps that run Pyodide. Its address is the same in all
        builds."""
        name = f"/{request.path_params['name']}.whl"
        path = next((known for known in self._files if known.endswith(name)), name)
        return self._serve(request, path, SHORT)

    def _serve(self, request: Request, name: str, cache: str) -> Response:
        file = self._files.get(name)
        if file is None:
            hint = "" if self._files else " (the runtime is not built: run ./dev build)"
            return PlainTextResponse(f"no such file{hint}", 404, SHARED)
        path, encoding = _packed(request, file.path)
        headers = {**SHARED, "Cache-Control": cache, "Vary": "Accept-Encoding"}
        if encoding:
            headers["Content-Encoding"] = encoding
        return FileResponse(path, headers=headers, media_type=file.media_type)

    async def _snippet(self, request: Request) -> Response:
        key = request.query_params.get("writeKey", "demo")
        try:
            text = snippet(key, self._url.of(request), self._settings.runtime, hints=True)
        except AssetsError as error:
            return PlainTextResponse(str(error), 404)
        return Response(text, media_type="text/javascript", headers={**SHARED, "Cache-Control": self._caching})

    async def _service(self, request: Request) -> Response:
        """Answer with what a site's service worker imports, or a page of this very origin registers."""
        try:
            text = service(self._url.of(request), self._settings.runtime)
        except AssetsError as error:
            return PlainTextResponse(str(error), 404)
        return Response(text, media_type="text/javascript", headers={**SHARED, "Cache-Control": self._caching})

    async def _source_settings(self, request: Request) -> Response:
        return self._settings_for(request, "Segment.io")

    async def _customer_io_settings(self, request: Request) -> Response:
        return self._settings_for(request, "Customer.io Data Pipelines")

    def _settings_for(self, request: Request, delivery: str) -> Response:
        write_key = request.path_params["write_key"]
        if self._settings.source(write_key) is None:
            return JSONResponse({"success": False, "error": {"message": "the write key is unknown"}}, 404, SHARED)
        protocol, host = self._url.of(request).split("://", 1)
        headers = {**SHARED, "Cache-Control": self._caching}
        return JSONResponse(source_settings(write_key, protocol, host, delivery), headers=headers)

    async def _source_config(self, request: Request) -> Response:
        user = basic_user(request.headers.get("authorization", "").encode())
        write_key = user or request.query_params.get("writeKey")
        source = self._settings.source(write_key) if write_key else None
        if source is None:
            return JSONResponse({"message": "the write key is unknown"}, 401, SHARED)
        told = source_config(source.write_key, source.name or source.write_key, self._url.of(request))
        return JSONResponse(told, headers={**SHARED, "Cache-Control": "no-store"})


def source_settings(write_key: str, protocol: str, host: str, delivery: str = "Segment.io") -> dict[str, Any]:
    """Return what analytics.js's CDN would answer for a source whose only destination is the collector.

    Args:
        delivery: name of the destination by which the library delivers to its own collector.
    """
    return {
        "integrations": {
            delivery: {
                "apiKey": write_key,
                "apiHost": f"{host}/v1",
                "protocol": protocol,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }


def _packed(request: Request, path: Path) -> tuple[Path, str | None]:
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    for encoding, ending in ENCODINGS:
        packed = path.with_name(path.name + ending)
        if encoding in accepted and packed.is_file():
            return packed, encoding
    return path, None
