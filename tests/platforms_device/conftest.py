from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from platforms_device.kiosk import KIOSK, MakeClient
from satsuma.platforms.device import Client
from wire import Wire


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client would go through the machine's proxy, even to the machine itself."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def wire() -> Wire:
    """What stands in the collector's place."""
    return Wire()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The app's folder."""
    return tmp_path / "data"


@pytest.fixture
def errors() -> list[tuple[str, list[Any]]]:
    """What the client has told its app of: each error with the events that are lost by it."""
    return []


@pytest.fixture
def make(wire: Wire, folder: Path, errors: list[Any]) -> Iterator[MakeClient]:
    """Makes clients over the `wire`, which are closed in the end."""
    made: list[Client] = []

    def start(**options: Any) -> Client:
        given = {"app": KIOSK, "folder": folder, "transport": wire, "batch_wait": 0.01, "lifecycle": False, **options}
        made.append(
            Client(
                "kiosk",
                "http://collector.test",
                on_error=lambda error, lost: errors.append((str(error), lost)),
                **given,
            )
        )
        return made[-1]

    yield start
    wire.open.set()
    for client in made:
        client.close(10)
