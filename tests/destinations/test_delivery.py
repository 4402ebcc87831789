"""What a destination gets, from a real worker over a real log, and what becomes of what it doesn't take."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import threading
from functools import partial
from pathlib import Path

import pytest
from destinations.receiver import Received, is_done, receiving, status, track, until, working, write
from satsuma_server.destinations import Fate, Message, Outcome, Payload, runner
from satsuma_server.destinations.http_client import HttpDestination
from satsuma_server.destinations.kinds.webhook import Webhook
from satsuma_server.destinations.lane import Patience
from satsuma_server.forwarding import WebhookDestination
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import Settings
from starlette.responses import PlainTextResponse, Response

SECRET = "a-secret-of-the-crm-that-nobody-sees"


def ids(events: list[dict[str, object]]) -> list[object]:
    return [event["messageId"] for event in events]


def test_events_arrive_in_order_signed_and_a_restart_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_SECRET", SECRET)
    write(tmp_path, [track("1"), track("2"), track("3")])
    with receiving() as receiver:
        crm = {"name": "crm", "type": "webhook", "url": f"{receiver.url}/hook", "secret": {"env": "CRM_SECRET"}}
        with working(tmp_path, crm) as worker:
            until(lambda: is_done(worker, 3))
            assert status(worker)["counts"]["delivered"] == 3
        write(tmp_path, [track("4")])
        with working(tmp_path, crm) as worker:
            until(lambda: is_done(worker, 4))
    assert ids(receiver.events()) == ["1", "2", "3", "4"]
    assert receiver.requests[0].path == "/hook"
    assert receiver.requests[0].batch[0] == track("1") | {"writeKey": "shop"}
    for request in receiver.requests:
        # As the Standard Webhooks specification has it: HMAC-SHA256 of "id.timestamp.body".
        told = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
        digest = base64.b64encode(hmac.digest(SECRET.encode(), told, hashlib.sha256)).decode()
        assert request.headers["webhook-signature"] == f"v1,{digest}"


def test_what_is_refused_is_set_aside_with_the_answer_and_condemns_no_neighbour(tmp_path: Path) -> None:
    def answer(request: Received) -> Response:
        bad = [event["messageId"] for event in request.batch if event["messageId"] in ("4", "7")]
        return PlainTextResponse(f"no such customer: {bad}", 422) if bad else PlainTextResponse("ok")

    write(tmp_path, [track(str(number)) for number in range(10)])
    with receiving(answer) as receiver, working(tmp_path, webhook(receiver.url)) as worker:
        until(lambda: is_done(worker, 10))
        assert ids(receiver.events()) == [str(number) for number in range(10) if number not in (4, 7)]
        failed = worker.get("/v1/destinations/crm/failed").json()
        assert [(one["key"], one["status"], one["answer"]) for one in failed] == [
            ("7", 422, "no such customer: ['7']"),
            ("4", 422, "no such customer: ['4']"),
        ]
        # The service was mended: what had failed arrives, and is not failed any more.
        receiver.answer = lambda request: PlainTextResponse("ok")
        assert worker.post("/v1/destinations/crm/resend", json={"ids": [failed[1]["id"]]}).json() == {"resending": 1}
        until(lambda: len(worker.get("/v1/destinations/crm/failed").json()) == 1)
        worker.post("/v1/destinations/crm/resend", json={})
        until(lambda: worker.get("/v1/destinations/crm/failed").json() == [])
        assert ids(receiver.events())[-2:] == ["4", "7"]


def test_a_destination_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    hang = threading.Event()

    def answer(request: Received) -> Response:
        hang.wait(60)
        return PlainTextResponse("ok")

    write(tmp_path, [track("1"), track("2")])
    with receiving(answer) as slow, receiving() as quick:
        tables = webhook(slow.url, name="slow"), webhook(quick.url, name="quick")
        try:
            with working(tmp_path, *tables) as worker:
                until(lambda: is_done(worker, 2, "quick"))
                write(tmp_path, [track("3")])
                until(lambda: is_done(worker, 3, "quick"))
                assert status(worker, "slow")["cursor"] == 0
                assert status(worker, "slow")["lag"] == 3
                hang.set()
                until(lambda: is_done(worker, 3, "slow"))
        finally:
            hang.set()
    assert set(ids(slow.events())) == {"1", "2", "3"}


def test_a_message_that_makes_the_service_fail_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is the only one that waits: those that come later show that the service takes others."""
    monkeypatch.setattr(runner, "Patience", partial(Patience, tries=2, first_wait=0.01))

    def answer(request: Received) -> Response:
        bad = [event["messageId"] for event in request.batch if event["messageId"] == "bad"]
        return PlainTextResponse("it broke", 500) if bad else PlainTextResponse("ok")

    write(tmp_path, [track("bad", "ann")])
    with receiving(answer) as receiver, working(tmp_path, webhook(receiver.url)) as worker:
        until(lambda: status(worker)["problem"] == "it answers 500" and status(worker)["counts"]["retried"] > 4)
        assert status(worker)["counts"]["failed"] == 0
        write(tmp_path, [track("1", "ann"), track("2", "bob"), track("3", "ann")])
        until(lambda: is_done(worker, 4))
        assert ids(receiver.events()) == ["1", "2", "3"]
        failed = worker.get("/v1/destinations/crm/failed").json()
        assert [(one["key"], one["status"]) for one in failed] == [("bad", 500)]


def test_a_service_that_was_too_slow_for_long_is_reached_again_without_a_restart() -> None:
    """Requests that are cut off must not use up the connections."""
    is_well = threading.Event()

    def answer(request: Received) -> Response:
        is_well.wait(0.02)
        return PlainTextResponse("ok")

    async def run(url: str) -> Outcome:
        client = HttpDestination(Webhook(WebhookDestination(name="crm", url=url)), 60, 4)
        message = Message(1, "m1", Payload({}), 10)

        async def cut_off() -> None:
            for number in range(60):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.001 * (number % 30)):
                        await client.send([message])

        await asyncio.gather(*(cut_off() for _ in range(4)))
        is_well.set()
        try:
            async with asyncio.timeout(20):
                return await client.send([message])
        finally:
            await client.close()

    with receiving(answer) as receiver:
        assert asyncio.run(run(receiver.url)).fate is Fate.DELIVERED


def test_retry_after_is_obeyed_and_the_problem_is_told(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: Received) -> Response:
        asked.append(request.path)
        return PlainTextResponse("slow down", 429, {"Retry-After": "3600"})

    write(tmp_path, [track("1")])
    with receiving(answer) as receiver, working(tmp_path, webhook(receiver.url)) as worker:
        until(lambda: status(worker)["state"] == "waiting")
        assert status(worker)["problem"] == "it answers 429"
        assert len(asked) == 1
        # Whoever has mended it need not wait for an hour.
        receiver.answer = lambda request: PlainTextResponse("ok")
        worker.post("/v1/destinations/crm/resume").raise_for_status()
        until(lambda: is_done(worker, 1))
        assert status(worker)["state"] == "running"


def test_a_paused_destination_gets_nothing_until_it_is_resumed_also_over_a_restart(tmp_path: Path) -> None:
    write(tmp_path, [track("1")])
    with receiving() as receiver:
        with working(tmp_path, webhook(receiver.url)) as worker:
            until(lambda: is_done(worker, 1))
            assert worker.post("/v1/destinations/crm/pause").json()["state"] == "paused"
            write(tmp_path, [track("2")])
            until(lambda: status(worker)["lag"] == 1)
        with working(tmp_path, webhook(receiver.url), webhook(receiver.url, name="other")) as worker:
            until(lambda: is_done(worker, 2, "other"))
            assert status(worker)["state"] == "paused"
            assert status(worker)["cursor"] == 1
            worker.post("/v1/destinations/crm/resume").raise_for_status()
            until(lambda: is_done(worker, 2))


def test_events_are_delivered_again_from_a_seq_or_a_time_on(tmp_path: Path) -> None:
    times = ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z"]
    write(tmp_path, [track(str(place), receivedAt=time) for place, time in enumerate(times, 1)])
    with receiving() as receiver, working(tmp_path, webhook(receiver.url)) as worker:

        def again(**asked: object) -> list[object]:
            until(lambda: is_done(worker, 4))
            receiver.requests.clear()
            worker.post("/v1/destinations/crm/replay", json=asked).raise_for_status()
            until(lambda: is_done(worker, 4))
            return ids(receiver.events())

        assert again(seq=3) == ["3", "4"]
        assert again(since="2026-11-02T00:00:00Z") == ["2", "3", "4"]
        assert again(since="2026-11-02T00:00:01Z") == ["3", "4"]
        assert again(since="2030-01-01T00:00:00Z") == []
        assert worker.post("/v1/destinations/crm/replay", json={}).status_code == 400
        assert worker.post("/v1/destinations/crm/replay", json={"since": "once"}).status_code == 400


def test_a_new_destination_begins_with_events_that_come_from_now_on(tmp_path: Path) -> None:
    write(tmp_path, [track("old")])
    with receiving() as receiver, working(tmp_path, webhook(receiver.url, start="now")) as worker:
        until(lambda: is_done(worker, 1))
        write(tmp_path, [track("new")])
        until(lambda: is_done(worker, 2))
    assert ids(receiver.events()) == ["new"]


def test_a_broken_destination_says_why_and_the_others_run(tmp_path: Path) -> None:
    write(tmp_path, [track("1")])
    with receiving() as receiver:
        broken = webhook(receiver.url, name="broken", secret={"env": "NOT_THERE"})
        with working(tmp_path, broken, webhook(receiver.url)) as worker:
            until(lambda: is_done(worker, 1))
            assert status(worker, "broken")["state"] == "broken"
            assert status(worker, "broken")["problem"] == "the secret in NOT_THERE is missing or empty"
            assert worker.post("/v1/destinations/broken/resume").status_code == 409
            assert worker.post("/v1/destinations/unknown/resume").status_code == 404


def test_a_secret_is_nowhere_but_in_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CRM_SECRET", SECRET)
    key = tmp_path / "key"
    key.write_text("Bearer the-key-in-the-file\n")

    def answer(request: Received) -> Response:
        return PlainTextResponse(f"wrong: {request.headers['authorization']} {SECRET}", 400)

    (data := tmp_path / "data").mkdir()
    write(data, [track("1")])
    with receiving(answer) as receiver:
        crm = webhook(receiver.url, secret={"env": "CRM_SECRET"}, headers={"Authorization": {"file": str(key)}})
        with working(data, crm) as worker:
            until(lambda: is_done(worker, 1))
            told = worker.get("/v1/destinations/crm/failed").text + worker.get("/v1/destinations").text
    assert "wrong: ••• •••" in told
    files = b"".join(file.read_bytes() for file in data.iterdir())
    for secret in (SECRET, "the-key-in-the-file"):
        assert secret not in told
        assert secret not in caplog.text
        assert secret.encode() not in files


def test_a_failed_message_about_a_person_is_forgotten_with_them(tmp_path: Path) -> None:
    from destinations.made import message, refused
    from satsuma_server.destinations.lane import Dead
    from satsuma_server.destinations.store import Progress, Store

    store = Store(tmp_path)
    store.add("crm", 0)
    dead = [Dead(message(1, "ann", answer := "ann"), refused(f"no customer {answer}"), 1)]
    store.save("crm", Progress(cursor=2, dead=[*dead, Dead(message(2, "bob"), refused("no"), 1)]))
    assert store.forget(["ann"]) == 1
    assert [one.seq for one in store.failed("crm", 10)] == [2]
    store.close()
    assert b"no customer ann" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_persons_links_are_forgotten_with_them(tmp_path: Path) -> None:
    """Also those that an earlier version wrote, which did not note whose they are."""
    from satsuma_server.destinations.store import Progress, Store, digest, link_digest

    (old := Store(tmp_path)).add("crm", 0)
    links = {link_digest(ids): ids for ids in (("dev-a", "ann"), ("dev-a", "eve"), ("dev-b", "bob"))}
    old.save("crm", Progress(links=links))
    earlier = link_digest(("dev-c", "ann"))
    old.save("crm", Progress(links={earlier: ()}))
    assert old.forget(["ann", "dev-a", "dev-c"]) == 0
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for link, (_, user) in links.items():
        assert old.knows("crm", link) is (user == "bob")
        assert (link in kept) is (user == "bob")
    assert not old.knows("crm", earlier)
    assert earlier not in kept
    assert digest("ann") not in kept
    old.close()


def test_failed_messages_are_kept_no_longer_than_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of a destination that is not in the settings any more."""
    from destinations.made import message, refused
    from satsuma_server.destinations import store as stores
    from satsuma_server.destinations.lane import Dead
    from satsuma_server.destinations.projection import Destinations

    store = stores.Store(tmp_path)
    store.add("crm", 0)
    for at, name in ((1_000, "old"), (3_000, "young")):
        monkeypatch.setattr(stores, "_now", lambda at=at: at)
        dead = [Dead(message(number + at, name), refused(f"{name}-marker {number}"), 1) for number in range(1_500)]
        store.save("crm", stores.Progress(dead=dead))
    store.close()

    async def work() -> None:
        log = SqliteLog(tmp_path)
        part = Destinations(Settings(tmp_path), log)
        await part.start()
        assert part._opening
        await part._opening
        assert await part.expire(2_000) == 1_500
        assert await part.forget(["young"], []) == 1_500
        await part.stop()
        await log.close()

    asyncio.run(work())
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"old-marker" not in files
    assert b"young-marker" not in files


def webhook(url: str, name: str = "crm", **more: object) -> dict[str, object]:
    return {"name": name, "type": "webhook", "url": url, **more}
