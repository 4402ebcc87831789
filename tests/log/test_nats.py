"""What is particular to a log on NATS: lost answers, lost servers, and how little room it takes."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import nats.errors
import pytest
from log.places import OnNats
from log.test_contract import LARGE, PATIENCE, arrivals, ids_in, opened
from nats_servers import Cluster, nats_servers
from satsuma_server.backup.creation import create
from satsuma_server.backup.restoration import restore
from satsuma_server.cli.doctor_nats import log_findings
from satsuma_server.errors import BackupError, SettingsError, UnavailableError
from satsuma_server.log.jetstream.log import NatsLog
from satsuma_server.log.jetstream.options import NatsSettings, check_options, servers_of
from satsuma_server.log.jetstream.subjects import lane_of
from satsuma_server.settings import Settings

pytestmark = pytest.mark.asyncio


@pytest.fixture
def place(nats_server: Cluster) -> OnNats:
    return OnNats(nats_server, f"test-{secrets.token_hex(4)}")


async def test_a_batch_whose_answer_was_lost_is_stored_once(place: OnNats, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(place) as log:
        assert isinstance(log, NatsLog)
        await log.append(arrivals("before"))
        client = await log._connection.client()
        request = client.request
        lost: list[str] = []

        async def lose_first(subject: str, *given: Any, **options: Any) -> Any:
            answer = await request(subject, *given, **options)
            if "Nats-Batch-Commit" in (options.get("headers") or {}) and not lost:
                lost.append(subject)
                raise nats.errors.TimeoutError
            return answer

        monkeypatch.setattr(client, "request", lose_first)
        answers = await asyncio.gather(log.append(arrivals("a", "b")), log.append(arrivals("c")))
        assert lost
        assert answers == [2, 1]
        assert await ids_in(log) == ["before", "a", "b", "c"]


async def test_a_batch_that_arrives_after_it_was_given_up_is_not_stored_twice(
    place: OnNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(place) as log:
        assert isinstance(log, NatsLog)
        await log.append(arrivals("before"))
        client = await log._connection.client()
        publish, request = client.publish, client.request
        held: list[tuple[Any, Any, Any]] = []
        holding = True

        async def hold(call: Any, subject: str, *given: Any, **options: Any) -> Any:
            headers = dict(options.get("headers") or {})
            if holding and "Nats-Batch-Id" in headers:
                options.pop("timeout", None)
                held.append((subject, given, {**options, "headers": headers}))
                if "Nats-Batch-Commit" in headers:
                    raise nats.errors.TimeoutError
                return None
            return await call(subject, *given, **options)

        monkeypatch.setattr(client, "publish", lambda *given, **more: hold(publish, *given, **more))
        monkeypatch.setattr(client, "request", lambda *given, **more: hold(request, *given, **more))
        sending = asyncio.create_task(log.append(arrivals("a", "b")))
        while not any("Nats-Batch-Commit" in one[2]["headers"] for one in held):
            await asyncio.sleep(0.001)
        holding = False
        assert await sending == 2
        late = [*held]
        for subject, given, options in late:
            await publish(subject, *given, **options)
        assert await log.append(arrivals("c")) == 1
        assert await ids_in(log) == ["before", "a", "b", "c"]


async def test_what_another_collector_stores_between_two_looks_is_read(
    place: OnNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(place) as log, opened(place) as other:
        assert isinstance(log, NatsLog)
        await log.append(arrivals("a"))
        await other.append(arrivals("b"))
        newest, looks = log._connection.newest, [1]

        async def newest_after_another(subject: str, *given: Any) -> Any:
            if looks and ".index." in subject:
                looks.pop()
                await other.append(arrivals("c"))
            return await newest(subject, *given)

        monkeypatch.setattr(log._connection, "newest", newest_after_another)
        await log._known.catch_up(lane_of("demo"))
        await log._known.catch_up(lane_of("demo"))
        assert not looks
        assert await log.append(arrivals("c")) == 0
        assert await ids_in(log) == ["a", "b", "c"]


async def test_events_are_taken_once_the_index_of_the_old_is_gone(place: OnNats) -> None:
    async with opened(place, dedupe_hours=0) as log, opened(place) as other:
        await log.append(arrivals("a"))
        await other.append(arrivals("b"))
        assert isinstance(log, NatsLog)
        await log._retention.trim(None)
        assert await log.append(arrivals("c")) == 1
        assert await other.append(arrivals("d", "b")) == 1
        assert await ids_in(log) == ["a", "b", "c", "d"]


async def test_above_the_bytes_of_retention_the_oldest_go_that_were_read(place: OnNats) -> None:
    place.options = NatsSettings(stream=place.options.stream, replicas=1, max_bytes=64 << 20, retention_bytes=1 << 20)
    async with opened(place) as log:
        assert isinstance(log, NatsLog)
        ids = [f"m{number}" for number in range(60)]
        await log.append(arrivals(*ids, pad=LARGE))
        await log.save_cursor("slow", 0)
        await log._retention.trim(None)
        assert await ids_in(log) == ids
        assert 0.02 < log.filled < 0.04
        await log.save_cursor("slow", log.last)
        await log._retention.trim(None)
        kept = await ids_in(log)
        assert 25 < len(kept) < 40
        assert kept == ids[-len(kept) :]


async def test_without_a_quorum_nothing_is_acknowledged_and_with_it_all_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("satsuma_server.log.jetstream.log.PATIENCE_SECONDS", 30)
    with nats_servers(tmp_path, 3) as servers:
        await servers.ready()
        place = OnNats(servers, "test", replicas=3)
        async with opened(place) as log:
            assert await log.append(arrivals("a")) == 1
            # One of three is not needed, whichever it is.
            servers.nodes[0].kill()
            assert await log.append(arrivals("b")) == 1
            servers.nodes[1].kill()
            monkeypatch.setattr("satsuma_server.log.jetstream.log.PATIENCE_SECONDS", 1)
            with pytest.raises(UnavailableError):
                await log.append(arrivals("c"))
            with pytest.raises(UnavailableError):
                await log.check()
            for node in servers.nodes[:2]:
                node.start()
            monkeypatch.setattr("satsuma_server.log.jetstream.log.PATIENCE_SECONDS", 60)
            assert await log.append(arrivals("c", "d")) in (1, 2)
            assert await log.append(arrivals("a", "b", "c", "d", "e")) == 1
            async with asyncio.timeout(PATIENCE):
                assert await ids_in(log) == ["a", "b", "c", "d", "e"]


async def test_a_log_whose_servers_are_away_is_opened_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satsuma_server.log.jetstream.connection.CONNECT_SECONDS", 0.3)
    monkeypatch.setattr("satsuma_server.log.jetstream.log.PATIENCE_SECONDS", 0.1)
    log = NatsLog("nats://127.0.0.1:1", NatsSettings())
    for call in (log.append(arrivals("a")), log.read(), log.check(), log.ready(), log.cursor("x")):
        with pytest.raises(UnavailableError):
            await call
    await log.close()


async def test_more_replicas_than_servers_are_told_of_with_what_to_do(place: OnNats) -> None:
    place.options = NatsSettings(stream=place.options.stream)
    async with opened(place) as log:
        with pytest.raises(UnavailableError, match="replicas"):
            await log.check()


@pytest.mark.parametrize(
    "url", ["nats://", "http://one", "one:4222", "nats://one:port", "nats://one:4222/path", "nats://,"]
)
async def test_an_address_that_is_none_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="log"):
        check_options(url, NatsSettings())


async def test_several_servers_stand_in_one_setting() -> None:
    assert servers_of("nats://me:secret@one:4222,two:4222") == ["nats://me:secret@one:4222", "nats://two:4222"]
    for wrong in (
        {"stream": "a.b"},
        {"replicas": 2},
        {"max_bytes": 3},
        {"retention_bytes": 9 << 20, "max_bytes": 8 << 20},
    ):
        with pytest.raises(SettingsError, match=f"nats: {next(iter(wrong))}"):
            check_options("nats://one", NatsSettings(**wrong))


async def test_the_doctor_says_what_is_well_and_what_nobody_can_see(place: OnNats, nats_server: Cluster) -> None:
    def found(*monitors: str) -> dict[str, bool | None]:
        return {one.what: one.well for one in log_findings(nats_server.url, place.options, monitors)}

    before = await asyncio.to_thread(found)
    assert before[f"the stream {place.options.stream} is there"] is False
    async with opened(place) as log:
        await log.append(arrivals("a"))
    unseen = "not seen: whether 1 of 1 servers sync to disk before they acknowledge"
    here = await asyncio.to_thread(found)
    assert here == {
        "each event is kept on 1 servers": False,
        "all of them are up to date": True,
        "the stream keeps what it acknowledged": True,
        "0% of the stream's room is taken": True,
        unseen: None,
    }
    monitor = nats_server.nodes[0].monitor
    asked = await asyncio.to_thread(found, monitor)
    assert unseen not in asked
    assert asked[f"{monitor} syncs to disk before it acknowledges"] is True
    wrong = await asyncio.to_thread(found, "http://127.0.0.1:1")
    assert [well for what, well in wrong.items() if what.startswith("http://127.0.0.1:1:")] == [False]


async def test_the_doctor_finds_a_server_that_acknowledges_before_it_syncs(tmp_path: Path) -> None:
    with nats_servers(tmp_path, sync='"2m"') as servers:
        await servers.ready()
        monitor = servers.nodes[0].monitor
        found = await asyncio.to_thread(lambda: [*log_findings(servers.url, NatsSettings(replicas=1), [monitor])])
        [sync] = [one for one in found if "syncs to disk" in one.what]
        assert sync.well is False
        assert "sync_interval: always" in sync.advice


async def test_a_log_is_not_opened_on_a_server_that_acknowledges_before_it_syncs(tmp_path: Path) -> None:
    with nats_servers(tmp_path, sync='"2m"') as servers:
        await servers.ready()
        options = NatsSettings(replicas=1, max_bytes=64 << 20, monitors=(servers.nodes[0].monitor,))
        log = NatsLog(servers.url, options)
        try:
            with pytest.raises(UnavailableError, match="sync_interval: always"):
                await log.append(arrivals("a"))
            with pytest.raises(UnavailableError, match="sync_interval: always"):
                await log.check()
        finally:
            await log.close()


async def test_a_monitoring_address_that_does_not_answer_keeps_no_log_closed(
    place: OnNats, nats_server: Cluster
) -> None:
    monitors = ("http://127.0.0.1:1", nats_server.nodes[0].monitor)
    place.options = msgspec.structs.replace(place.options, monitors=monitors)
    async with opened(place) as log:
        assert await log.append(arrivals("a")) == 1
    with pytest.raises(SettingsError, match="nats: monitors"):
        check_options("nats://one", NatsSettings(monitors=("one:8222",)))


async def test_a_server_that_is_too_old_is_told_of(place: OnNats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satsuma_server.log.jetstream.monitoring.OLDEST", (99, 0))
    async with opened(place) as log:
        with pytest.raises(UnavailableError, match=r"is NATS 2\."):
            await log.append(arrivals("a"))


async def test_a_backup_is_restored_on_other_servers_with_all_numbers(
    place: OnNats, nats_server: Cluster, tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "data", log=nats_server.url, nats=place.options)
    settings.data.mkdir()
    async with opened(place) as log:
        await log.append(arrivals("a", "b"))
        await log.append(arrivals("c"))
        await log.save_cursor("warehouse", 2)
        await create(settings, None, tmp_path / "copy", lambda target: None)
        before, last = await log.read(), log.last
        with pytest.raises(BackupError, match="already"):
            await restore(replace(settings, data=tmp_path / "other"), tmp_path / "copy")
        assert not (tmp_path / "other").exists()
    with nats_servers(tmp_path / "servers") as servers:
        await servers.ready()
        elsewhere = replace(settings, data=tmp_path / "restored", log=servers.url)
        await restore(elsewhere, tmp_path / "copy")
        again = NatsLog(servers.url, place.options)
        try:
            assert await again.append(arrivals("a", "b", "c", "d")) == 1
            assert (await again.read())[:3] == before
            assert (await again.read())[3].seq > last
            assert await again.cursor("warehouse") == 2
        finally:
            await again.close()
