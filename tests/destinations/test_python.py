"""A function or a plugin of the operator's own, and the command `satsuma destinations`."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from destinations.receiver import is_done, receiving, status, track, until, working, write
from satsuma_server.cli import app
from satsuma_server.testing import serving
from typer.testing import CliRunner

MODULE = """
from satsuma.plugins import Cancelled

seen = []

def deliver(context):
    if context.event["messageId"] == "bad":
        raise Cancelled("nobody wants this one")
    context.event["messageId"] += "!"
    seen.append(context.id)

async def busy_at_first(context):
    tries.append(context.id)
    if len(tries) == 1:
        raise RuntimeError("come again")

tries = []

class Plugin:
    name = "mine"

    async def identify(self, context):
        seen.append(context.event["traits"])

def only_big(event):
    return event if event["properties"]["total"] > 10 else None
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a module of the operator's."""
    (tmp_path / "operators_module.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "operators_module"
    sys.modules.pop("operators_module", None)


def test_functions_and_plugins_get_contexts(tmp_path: Path, module: str) -> None:
    (data := tmp_path / "data").mkdir()
    identify = {"type": "identify", "messageId": "i", "userId": "ann", "traits": {"plan": "free"}}
    write(data, [track("1"), track("bad"), track("2"), identify])
    tables = [
        {"name": "crm", "python": f"{module}:deliver", "types": ["track"]},
        {"name": "retried", "python": f"{module}:busy_at_first", "types": ["identify"]},
        {"name": "plugin", "python": f"{module}:Plugin"},
        {"name": "gone", "python": f"{module}:nowhere"},
    ]
    with working(data, *tables) as worker:
        for name in ("crm", "retried", "plugin"):
            until(lambda name=name: is_done(worker, 4, name))  # type: ignore[misc]
        failed = worker.get("/v1/destinations/crm/failed").json()
        assert [(one["key"], one["reason"]) for one in failed] == [("bad", "nobody wants this one")]
        assert status(worker, "plugin")["counts"] == {"delivered": 1, "retried": 0, "failed": 0, "skipped": 3}
        assert status(worker, "gone")["state"] == "broken"
    made = sys.modules[module]
    assert {"1!", "2!"} <= {one for one in made.seen if isinstance(one, str)}
    assert {"plan": "free"} in made.seen
    assert made.tries == ["i", "i"]


def test_a_transform_changes_and_holds_back(tmp_path: Path, module: str) -> None:
    (data := tmp_path / "data").mkdir()
    write(data, [track(str(total), properties={"total": total}) for total in (5, 20)] + [track("none")])
    with receiving() as receiver:
        crm = {"name": "crm", "type": "webhook", "url": receiver.url, "transform": f"{module}:only_big"}
        with working(data, crm) as worker:
            until(lambda: is_done(worker, 3))
            failed = worker.get("/v1/destinations/crm/failed").json()
    assert [event["messageId"] for event in receiver.events()] == ["20"]
    assert [(one["key"], one["reason"]) for one in failed] == [
        ("none", "no request can be made of it: KeyError: 'properties'")
    ]


def test_the_command_prints_the_request_that_would_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SECRET", "a-secret-of-the-crm")
    config, event = tmp_path / "satsuma.toml", tmp_path / "event.json"
    config.write_text("""
[[destinations]]
name = "crm"
type = "webhook"
url = "https://crm.example/events?key=a-secret-of-the-crm"
headers = { Authorization = { env = "CRM_SECRET" } }
types = ["track"]
mapping = { "properties.total" = "properties.revenue" }
""")
    event.write_text(json.dumps(track("m1", properties={"total": 20})))
    ask = CliRunner().invoke
    told = ask(app, ["destinations", "test", "crm", str(event), "--config", str(config)])
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("POST https://crm.example/events?key=•••\n")
    assert "Authorization: •••" in told.stdout
    assert '"revenue": 20' in told.stdout
    assert "a-secret" not in told.output
    event.write_text(json.dumps({"type": "page", "anonymousId": "a"}))
    told = ask(app, ["destinations", "test", "crm", str(event), "--config", str(config)])
    assert told.exit_code == 1
    assert "its type is not among types" in told.output


def test_the_command_lists_pauses_and_resends(tmp_path: Path) -> None:
    from destinations.receiver import TOKEN, settings_of
    from satsuma_server.destinations.projection import Destinations
    from satsuma_server.log.shared import SharedLog
    from satsuma_server.projections.app import create_worker
    from satsuma_server.settings import Settings
    from starlette.responses import PlainTextResponse

    write(tmp_path, [track("1")])
    with receiving(lambda request: PlainTextResponse("no \x1b[31mcolours", 400)) as receiver:
        tables = settings_of({"name": "crm", "type": "webhook", "url": receiver.url})
        settings = Settings(tmp_path, token=TOKEN, destinations=tables)
        worker = create_worker(settings, SharedLog(tmp_path), lambda settings, log: [Destinations(settings, log)])
        with serving(worker) as url:

            def ask(*args: str) -> str:
                told = CliRunner().invoke(app, ["destinations", *args, "--url", url, "--token", TOKEN])
                return told.output

            until(lambda: "no ·[31mcolours" in ask("failed", "crm"))
            assert "running" in ask("list")
            assert "crm: paused, 0 events behind" in ask("pause", "crm")
            assert "crm: running" in ask("resume", "crm")
            assert "1 are sent again" in ask("resend", "crm", "--all")
            assert "the settings have no destination 'other'" in ask("pause", "other")
            until(lambda: '"tries":2' in ask("failed", "crm", "--json"))
            assert "crm: running" in ask("replay", "crm", "--seq", "1")
