"""Serves the console's styles and scripts, each at an address that changes with its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

HERE = Path(__file__).parent
FOLDERS = (HERE / "static", HERE / "libraries")
"""Our own files, and the libraries that `./dev build` or the wheel adds."""

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_EVER = "private, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    file: Path
    path: str


class ConsoleAssets:
    """Serves a fixed set of files, and no others, whatever path is requested."""

    def __init__(self) -> None:
        files = [file for folder in FOLDERS if folder.is_dir() for file in folder.iterdir() if file.suffix in TYPES]
        self._by_name = {file.name: _Asset(file, f"{_digest(file)}/{file.name}") for file in files}
        self._by_path = {asset.path: asset for asset in self._by_name.values()}

    def route(self, prefix: str) -> Route:
        """Return the route of all files."""
        return Route(f"{prefix}/assets/{{path:path}}", self._serve)

    def path(self, name: str) -> str:
        """Return the path of a file below the console. Where the file was not built, the path answers 404."""
        asset = self._by_name.get(name)
        return f"assets/{asset.path if asset else f'missing/{name}'}"

    async def _serve(self, request: Request) -> Response:
        asset = self._by_path.get(request.path_params["path"])
        if asset is None:
            return PlainTextResponse("no such file: run ./dev build", 404)
        packed = asset.file.with_name(f"{asset.file.name}.br")
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        if packed.is_file() and "br" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "br"
            return FileResponse(packed, headers=headers, media_type=TYPES[asset.file.suffix])
        return FileResponse(asset.file, headers=headers, media_type=TYPES[asset.file.suffix])


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
