"""Runs the writer: ``python -m satsuma_server.acceptors.writer FOLDER``, with its sockets in the folder.

The line of stdin has the settings as JSON.
"""

from __future__ import annotations

import sys
from pathlib import Path

from satsuma.errors import SatsumaError
from starlette.applications import Starlette

from satsuma_server.app import create_app
from satsuma_server.http.serving import bind_private, run_tuned, serve
from satsuma_server.log_lines import set_up
from satsuma_server.settings import Settings, settings_from_json

from . import HTTP_SOCKET, WRITER_SOCKET
from .forward import FromAcceptors
from .hub import Hub
from .supervisor import say_ready


def main() -> None:
    """Serve until stdin is closed."""
    set_up()
    settings = settings_from_json(sys.stdin.readline())
    try:
        app = create_app(settings)
    except SatsumaError as error:
        raise SystemExit(f"satsuma: {error}") from error
    run_tuned(_serve(settings, app, Path(sys.argv[1])))


async def _serve(settings: Settings, app: Starlette, folder: Path) -> None:
    hub = await Hub(settings, app.state.shared).listen(folder / WRITER_SOCKET)
    try:
        await serve([(FromAcceptors(app), bind_private(folder / HTTP_SOCKET))], say_ready, of_parent=True)
    finally:
        hub.close()


if __name__ == "__main__":
    main()
