"""Runs one acceptor: ``python -m satsuma_server.acceptors.acceptor FOLDER DESCRIPTOR``.

The folder has the writer's sockets, and the descriptor is of the listening socket. The line of stdin has the settings
as JSON.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from satsuma_server.http.serving import run_tuned, serve
from satsuma_server.log_lines import set_up
from satsuma_server.settings import settings_from_json

from .app import create_acceptor
from .supervisor import say_ready


def main() -> None:
    """Serve until stdin is closed."""
    set_up()
    settings = settings_from_json(sys.stdin.readline())
    folder, descriptor = Path(sys.argv[1]), int(sys.argv[2])
    listener = socket.socket(fileno=descriptor)
    run_tuned(serve([(create_acceptor(settings, folder), listener)], say_ready, of_parent=True))


if __name__ == "__main__":
    main()
