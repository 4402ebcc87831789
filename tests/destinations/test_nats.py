"""A subject of NATS, with a real server of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from destinations.receiver import is_done, status, track, until, working, write
from nats_servers import Cluster, nats_servers
from satsuma_server.errors import SettingsError
from satsuma_server.forwarding.services import destinations_from


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """One server with JetStream."""
    with nats_servers(tmp_path) as made:
        asyncio.run(made.ready())
        yield made


def queue(cluster: Cluster, **more: Any) -> dict[str, Any]:
    return {"name": "crm", "type": "nats", "servers": [cluster.url], "subject": "satsuma.events", **more}


def make_stream(cluster: Cluster) -> None:
    async def run() -> None:
        connection = await nats.connect(cluster.url)
        await connection.jetstream().add_stream(name="EVENTS", subjects=["satsuma.>"])
        await connection.close()

    asyncio.run(run())


def stored(cluster: Cluster) -> list[tuple[str, dict[str, Any]]]:
    """Return the key and the event of each message in the stream, in order."""

    async def run() -> list[tuple[str, dict[str, Any]]]:
        connection = await nats.connect(cluster.url)
        stream = connection.jetstream()
        count = (await stream.stream_info("EVENTS")).state.messages
        found = [await stream.get_msg("EVENTS", seq=number + 1) for number in range(count)]
        await connection.close()
        return [((one.headers or {})["Nats-Msg-Id"], json.loads(one.data or b"")) for one in found]

    return asyncio.run(run())


def test_a_stream_gets_events_in_order_and_knows_what_comes_again(tmp_path: Path, cluster: Cluster) -> None:
    (data := tmp_path / "data").mkdir()
    make_stream(cluster)
    write(data, [track(str(number)) for number in range(5)])
    with working(data, queue(cluster)) as worker:
        until(lambda: is_done(worker, 5))
        worker.post("/v1/destinations/crm/replay", json={"seq": 1}).raise_for_status()
        until(lambda: status(worker)["counts"]["delivered"] == 10)
    found = stored(cluster)
    assert [key for key, _ in found] == [event["messageId"] for _, event in found] == ["0", "1", "2", "3", "4"]
    assert [event["seq"] for _, event in found] == [1, 2, 3, 4, 5]


def test_events_wait_for_a_stream_and_for_a_server_that_is_away(tmp_path: Path, cluster: Cluster) -> None:
    (data := tmp_path / "data").mkdir()
    write(data, [track("1")])
    with working(data, queue(cluster)) as worker:
        until(lambda: "no stream keeps the subject" in str(status(worker)["problem"]))
        make_stream(cluster)
        until(lambda: is_done(worker, 1))
        cluster.nodes[0].kill()
        write(data, [track("2")])
        until(lambda: status(worker)["state"] == "waiting")
        cluster.nodes[0].start()
        asyncio.run(cluster.ready())
        until(lambda: is_done(worker, 2))
    assert [key for key, _ in stored(cluster)] == ["1", "2"]


@pytest.mark.parametrize("wrong", [{"servers": []}, {"subject": "a.*"}, {"subject": "a b"}, {"subject": ""}])
def test_settings_that_could_not_work_are_refused(wrong: dict[str, Any]) -> None:
    table = {"name": "q", "type": "nats", "servers": ["nats://127.0.0.1"], "subject": "events", **wrong}
    with pytest.raises(SettingsError, match=r"servers|subject"):
        destinations_from([table])
