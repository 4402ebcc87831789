"""A device keeps who uses it, and what its app does goes on to the collector, in order and once."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from platforms_device.kiosk import KIOSK, MakeClient
from satsuma import Cancelled, PluginKind
from satsuma.errors import ArgumentError
from satsuma.platforms.device import App, Client
from satsuma.platforms.device.client import READ_PATIENCE
from satsuma.platforms.device.file_lock import FileLock
from satsuma.platforms.device.identity_file import LOCK
from wire import Wire


def test_ids_and_traits_outlive_the_app(make: MakeClient, wire: Wire) -> None:
    first = make()
    first.screen("Start")
    first.identify("97980cfea0067", {"plan": "premium"})
    first.group("g1", {"name": "Initech"})
    first.close()
    second = make()
    assert (second.user_id, second.group_id, second.traits) == ("97980cfea0067", "g1", {"plan": "premium"})
    assert second.anonymous_id == first.anonymous_id
    second.track("Signed Up")
    second.close()
    assert {event["anonymousId"] for event in wire.kept} == {first.anonymous_id}
    assert [event["userId"] for event in wire.kept] == [None, *["97980cfea0067"] * 3]


def test_an_id_is_read_as_the_calls_before_have_left_it(make: MakeClient) -> None:
    client = make()
    before = client.anonymous_id
    client.identify("u1")
    assert client.user_id == "u1"
    client.reset()
    assert client.user_id is None
    client.track("Again")
    assert client.anonymous_id not in (None, before)


def test_another_user_is_another_anonymous_id(make: MakeClient, wire: Wire) -> None:
    client = make()
    client.identify("u1", {"plan": "free"})
    client.identify("u2")
    client.close()
    first, second = wire.kept
    assert first["anonymousId"] != second["anonymousId"]
    assert second["traits"] == {}


def test_events_have_the_form_of_a_mobile_library(make: MakeClient, wire: Wire) -> None:
    client = make(context={"screen": {"width": 1080, "height": 1920, "density": 2}})
    client.describe(network={"wifi": True, "carrier": "Sprint"})
    name = client.screen("Welcome", {"feed": "private"}, category="Start", context={"screen": {"density": 3}})
    client.close()
    (event,) = wire.kept
    assert (event["type"], event["name"], event["category"], event["messageId"]) == ("screen", "Welcome", "Start", name)
    context = event["context"]
    assert context["app"] == {"name": "Kiosk", "version": "1.4.0", "build": "77", "namespace": "com.example.kiosk"}
    assert context["library"]["name"] == "satsuma-device"
    assert context["screen"] == {"width": 1080, "height": 1920, "density": 3}
    assert context["network"]["carrier"] == "Sprint" and context["network"]["wifi"] is True
    assert context["os"]["name"] and context["device"]["type"]
    assert not {"page", "userAgent"} & set(context), "there is no browser"
    assert os.uname().nodename not in json.dumps(event), "a device's name is that of a person"


def test_lifecycle_events_tell_an_installation_once_and_each_update(make: MakeClient, wire: Wire) -> None:
    for app in (App("Kiosk", "1.0", "1"), App("Kiosk", "1.0", "1"), App("Kiosk", "1.1", "2")):
        with make(lifecycle=True, app=app) as client:
            client.background()
            client.foreground()
    told = [(event["event"], event["properties"]) for event in wire.kept]
    release, opened = {"version": "1.0", "build": "1"}, {"from_background": False}
    rest = [("Application Backgrounded", {}), ("Application Opened", {"from_background": True, **release})]
    assert told[:4] == [("Application Installed", release), ("Application Opened", {**opened, **release}), *rest]
    assert told[4:7] == [("Application Opened", {**opened, **release}), *rest]
    updated = {"previous_version": "1.0", "previous_build": "1", "version": "1.1", "build": "2"}
    assert told[7] == ("Application Updated", updated)
    assert len(told) == 11


def test_what_has_no_answer_goes_with_the_next_start(make: MakeClient, wire: Wire) -> None:
    wire.answers = [OSError("no network")] * 50
    offline = make()
    names = [offline.track("Offline", {"n": number}) for number in range(5)]
    assert not offline.close(0.5)
    wire.answers = []
    online = make()
    names.append(online.track("Online"))
    assert online.flush()
    assert [event["messageId"] for event in wire.kept] == names
    assert online.delivery.recovered == 5


def test_what_was_acknowledged_does_not_go_again(make: MakeClient, wire: Wire) -> None:
    client = make(batch_size=2)
    for number in range(4):
        client.track("E", {"n": number})
    assert client.flush()
    wire.answers = [OSError("no network")] * 50
    client.track("E", {"n": 4})
    client.close(0.5)
    wire.answers = []
    make().close()
    assert [event["properties"]["n"] for event in wire.kept] == [0, 1, 2, 3, 4]


KILLED = """
import sys, time
from satsuma.platforms.device import App, Client
from satsuma.platforms.device.client import READ_PATIENCE
from satsuma.platforms.device.file_lock import FileLock
from satsuma.platforms.device.identity_file import LOCK
client = Client("kiosk", "http://127.0.0.1:9", app=App("Kiosk"), folder=sys.argv[1], lifecycle=False)
for number in range(50):
    client.track("E", {"n": number})
client.anonymous_id  # All calls are made.
print("ready", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_its_events(make: MakeClient, wire: Wire, folder: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        while_it_lives = make()
        assert while_it_lives.flush() and wire.kept == []
        process.kill()
    while_it_lives.close()
    with make() as client:
        assert client.flush()
    assert [event["properties"]["n"] for event in wire.kept] == list(range(50))


FIRST_START = """
import sys
from satsuma.platforms.device import App, Client
from satsuma.platforms.device.client import READ_PATIENCE
from satsuma.platforms.device.file_lock import FileLock
from satsuma.platforms.device.identity_file import LOCK
with Client("kiosk", "http://127.0.0.1:9", app=App("Kiosk"), folder=sys.argv[1], lifecycle=False) as client:
    while client.anonymous_id is None:  # A read waits for a second at most, and the machine may be busy.
        pass
    print(client.anonymous_id)
"""


def test_processes_that_start_at_once_are_one_device(folder: Path) -> None:
    command = [sys.executable, "-c", FIRST_START, str(folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    ids = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert len(ids) == 1 and ids != {"None"}


def test_a_login_in_one_process_is_known_in_the_other(make: MakeClient, wire: Wire) -> None:
    left, right = make(), make()
    assert left.anonymous_id == right.anonymous_id
    left.identify("u1")
    assert left.user_id == "u1"
    right.track("E")
    assert right.user_id == "u1"
    left.reset()
    assert left.user_id is None
    right.track("E")
    assert right.user_id is None
    assert right.anonymous_id == left.anonymous_id


def test_opting_out_removes_everything_and_is_remembered(make: MakeClient, wire: Wire, folder: Path) -> None:
    wire.answers = [OSError("no network")] * 50
    client = make()
    client.identify("u1", {"email": "peter@example.com"})
    assert client.user_id == "u1"
    client.opt_out()
    assert (client.consents, client.user_id) == (False, None)
    assert client.track("E") is not None, "the call is taken, and makes no event"
    client.close()
    wire.answers = []
    again = make()
    again.track("E")
    assert (again.flush(), again.consents, wire.kept) == (True, False, [])
    kept = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert "u1" not in kept and "peter" not in kept
    again.opt_in()
    again.track("E")
    assert again.flush()
    assert len(wire.kept) == 1


def test_nothing_is_kept_before_a_required_yes(make: MakeClient, wire: Wire, folder: Path) -> None:
    client = make(consent_required=True, lifecycle=True)
    client.track("Early")
    assert client.flush() and wire.kept == []
    assert not list(folder.rglob("*.json")), "not even an id"
    client.opt_in()
    assert client.flush()
    assert {event["event"] for event in wire.kept} == {"Early", "Application Installed", "Application Opened"}


WAITS_FOR_CONSENT = """
import sys
from satsuma.platforms.device import App, Client
from satsuma.platforms.device.client import READ_PATIENCE
from satsuma.platforms.device.file_lock import FileLock
from satsuma.platforms.device.identity_file import LOCK
client = Client("kiosk", "http://127.0.0.1:9", app=App("Kiosk"), folder=sys.argv[1], consent_required=True)
client.track("Early")
client.flush()
"""


def test_calls_that_still_wait_for_consent_end_quietly(folder: Path) -> None:
    command = [sys.executable, "-c", WAITS_FOR_CONSENT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == ""


def test_no_call_raises_and_each_error_is_told(make: MakeClient, wire: Wire, errors: list[Any]) -> None:
    client = make()
    wrong: list[Any] = [
        client.track(None),  # type: ignore[arg-type]
        client.track("E", 5),  # type: ignore[arg-type]
        client.track("E", timestamp="yesterday"),
        client.identify("x" * 2000) and None,
    ]
    client.track("Fine", {"at": datetime(2026, 1, 1, tzinfo=UTC), "nan": float("nan"), 5: {1, 2}})
    client.close()
    assert wrong == [None] * 4
    assert len(errors) == 4
    assert [event["properties"] for event in wire.kept] == [
        {"at": "2026-01-01T00:00:00.000Z", "nan": None, "5": [1, 2]}
    ]
    assert client.track("Late") is None


def test_what_the_app_changes_after_a_call_changes_no_event(make: MakeClient, wire: Wire) -> None:
    client = make()
    basket = {"items": [1]}
    client.track("E", basket)
    basket["items"].append(2)
    client.close()
    assert wire.kept[0]["properties"] == {"items": [1]}


def test_a_disk_or_a_plugin_that_hangs_holds_up_no_call(make: MakeClient, wire: Wire) -> None:
    client = make()
    hangs = threading.Event()

    class Hanging:
        name = "Hanging"
        kind = PluginKind.BEFORE

        def track(self, context: Any) -> None:
            assert hangs.wait(60)

    client.register(Hanging())
    # Should a call wait for the plugin, this test would end by its timeout.
    assert all(client.track("E", {"n": number}) for number in range(200))
    hangs.set()
    assert client.flush(60)
    assert [event["properties"]["n"] for event in wire.kept] == list(range(200))


def test_a_plugin_may_change_or_stop_an_event(make: MakeClient, wire: Wire) -> None:
    class Tidy:
        name = "Tidy"
        kind = PluginKind.BEFORE

        def track(self, context: Any) -> None:
            if context.event["event"] == "Test":
                raise Cancelled("a test")
            context.event["properties"]["tidy"] = True

    client = make()
    client.register(Tidy())
    client.track("Test")
    client.track("E")
    client.close()
    assert [(event["event"], event["properties"]) for event in wire.kept] == [("E", {"tidy": True})]


def test_coroutines_wait_without_blocking_their_loop(make: MakeClient, wire: Wire) -> None:
    async def app() -> bool:
        async with make() as client:
            client.track("E")
            return await client.flush_async()

    assert asyncio.run(app())
    assert len(wire.kept) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_goes_on_with_the_same_device(make: MakeClient, folder: Path, wire: Wire) -> None:
    client = make(lifecycle=True)
    client.track("Parent")
    known = client.anonymous_id
    answers = multiprocessing.get_context("fork").Queue()

    def child() -> None:
        client.track("Child")
        answers.put((client.anonymous_id, client.flush(30), [event["event"] for event in wire.kept]))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    anonymous_id, flushed, kept = answers.get(timeout=60)
    process.join(60)
    assert (anonymous_id, flushed) == (known, True)
    assert kept[-1] == "Child" and kept.count("Child") == 1
    assert client.flush()


def test_a_forked_process_knows_who_uses_the_device_while_its_disk_hangs(make: MakeClient, folder: Path) -> None:
    client = make()
    client.identify("u1")
    known = (client.anonymous_id, client.user_id)
    answers = multiprocessing.get_context("fork").Queue()

    def child() -> None:
        client.track("Child")
        answers.put((client.anonymous_id, client.user_id))

    # The lock of another process that was stopped while it had it.
    lock = FileLock(folder / LOCK)
    assert lock.acquire(10)
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    told = answers.get(timeout=60)
    lock.release()
    process.join(60)
    assert told == known


def test_the_first_id_is_waited_for_while_the_disk_hangs(make: MakeClient, folder: Path) -> None:
    with make() as earlier:
        known = earlier.anonymous_id
    lock = FileLock(folder / LOCK)
    assert lock.acquire(10)
    client = make()
    threading.Timer(READ_PATIENCE + 0.5, lock.release).start()
    assert client.anonymous_id == known


def test_the_oldest_is_dropped_beyond_the_bound(make: MakeClient, wire: Wire, folder: Path, errors: list[Any]) -> None:
    wire.answers = [OSError("no network")] * 1000
    client = make(max_queue_bytes=300_000, batch_wait=60)
    for number in range(40):
        client.track("E", {"n": number, "text": "x" * 20_000})
    assert client.anonymous_id
    on_disk = sum(path.stat().st_size for path in folder.rglob("*.ndjson"))
    assert 200_000 < on_disk < 300_000 + 2 * 128 * 1024
    client.close(0)
    wire.answers = []
    make().close(30)
    kept = [event["properties"]["n"] for event in wire.kept]
    assert kept == list(range(40 - len(kept), 40)), "the newest"
    dropped = [event["properties"]["n"] for _, events in errors for event in events]
    assert sorted(dropped + kept) == list(range(40))


@pytest.mark.parametrize("wrong", [{"write_key": ""}, {"host": "collector.example"}, {"batch_size": 0}])
def test_a_client_that_could_not_work_is_not_made(tmp_path: Path, wrong: dict[str, Any]) -> None:
    given = {"write_key": "k", "host": "http://collector.test", "app": KIOSK, "folder": tmp_path, **wrong}
    with pytest.raises(ArgumentError):
        Client(**given)
