"""Events whose names and ids are orders for a terminal: they reach whoever runs the command, and are shown only."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest
import typer
from satsuma_server.cli.console import fail
from satsuma_server.testing import SATSUMA, Collector, running

from .conftest import TOKEN, wait_until

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07\x9b2J"
"""Writes a command into the clipboard, and clears the screen."""


def run(collector: Collector, *words: str) -> str:
    command = [*SATSUMA, *words, "--url", collector.url, "--token", collector.token]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def post(collector: Collector, **event: object) -> None:
    httpx.post(f"{collector.url}/v1/track", json={"writeKey": "k", **event}, trust_env=False).raise_for_status()


def test_a_deletion_shows_ids_and_obeys_none(tmp_path: Path) -> None:
    with running(tmp_path, worker=True) as collector:
        post(collector, event="Bought", anonymousId=f"device {CLIPBOARD}", userId="ann")
        url = f"{collector.url}/v1/profiles/user_id:ann"
        wait_until(lambda: httpx.get(url, headers=TOKEN, trust_env=False).status_code == 200, "the profile")
        told = run(collector, "person", "delete", "user_id:ann", "--yes")
    assert "device" in told
    assert "\x1b" not in told and "\x9b" not in told


def test_a_failure_shows_what_it_names_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        fail(f"there is no column [/bold] {CLIPBOARD}\nin this table")
    told = capsys.readouterr().err
    assert "[/bold]" in told
    assert told.count("\n") == 2
    assert "\x1b" not in told and "\x9b" not in told
