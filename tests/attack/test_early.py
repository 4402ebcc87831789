"""What a stranger who has nothing but the public write key, or not even that, can do by ``POST /v1/early``."""

from __future__ import annotations

import asyncio
import base64
import json
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from satsuma.platforms.server import beacon_replay as departed
from satsuma.platforms.server.beacon_replay import DepartedStorage, Departure, replay
from satsuma_server.errors import BadRequestError, BusyError
from satsuma_server.ingest import replay_queue as replayer
from satsuma_server.ingest.replay_process import Job
from satsuma_server.ingest.replay_queue import MOST_WAITING_A_SOURCE, Replayer
from satsuma_server.settings import Source
from satsuma_server.testing import Collector, running, started

ORIGIN = "https://www.shop.test"
NAMES = [*string.ascii_letters, *(f"{one}{other}" for one in string.ascii_letters for other in string.digits)][:190]
COMMAND = replayer.COMMAND
SLOW: dict[str, Any] = {
    "calls": [["reset"]] * 60,
    "options": {"storage": {"stores": ["cookie"] * 60}},
    "cookies": ";".join(NAMES),
}
"""1.7 kB that once took seconds: each call looks at each store, and each store at each cookie."""


def post(client: httpx.Client, origin: str | None = None, **body: Any) -> httpx.Response:
    headers = {"content-type": "text/plain", **({"origin": origin} if origin else {})}
    return client.post("/v1/early", content=json.dumps(body), headers=headers, timeout=60)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Collector, httpx.Client]]:
    """A collector that takes one key, from one site's pages."""
    sources = (Source("shop", origins=(ORIGIN,)),)
    with (
        running(tmp_path, accept_any_key=False, sources=sources) as collector,
        httpx.Client(base_url=collector.url, trust_env=False, timeout=60) as client,
    ):
        client.headers["host"] = "collect.shop.test"
        yield collector, client


@pytest.fixture
def client(collector: Collector) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.url, trust_env=False, timeout=60) as opened:
        yield opened


def replayers() -> list[int]:
    children = psutil.Process().children(recursive=True)
    return [child.pid for child in children if any("replay_process" in part for part in child.cmdline())]


def test_nothing_is_done_for_a_key_or_a_page_that_may_not_write(guarded: tuple[Collector, httpx.Client]) -> None:
    collector, client = guarded
    before = replayers()
    assert post(client, writeKey="nobody's", **SLOW).status_code == 401
    assert post(client, "https://evil.test", writeKey="shop", **SLOW).status_code == 403
    # A key in the header is looked at before the body, which need not even be one.
    wrong = {"authorization": f"Basic {base64.b64encode(b'other:').decode()}"}
    assert client.post("/v1/early", content=b"x" * 100_000, headers=wrong).status_code == 401
    assert replayers() == before
    assert post(client, ORIGIN, writeKey="shop", calls=[["page"]]).status_code == 200
    assert len(collector.events()) == 1


def test_the_collector_itself_does_none_of_the_work(tmp_path: Path) -> None:
    with (
        started(tmp_path, "serve", "--accept-any-key") as told,
        httpx.Client(base_url=told["url"], trust_env=False, timeout=60) as client,
    ):
        process = psutil.Process(told["process"].pid)
        before = sum(process.cpu_times()[:2])
        body = {**SLOW, "calls": [["identify", "u", {"a": 1}]] * 150, "writeKey": "shop"}
        for _ in range(6):
            assert post(client, **body).status_code == 200
        # 900 calls; each takes a tenth of a millisecond and more where they are made.
        mine, theirs = sum(process.cpu_times()[:2]) - before, [child.cpu_times() for child in process.children()]
        assert mine < sum(sum(times[:2]) for times in theirs)


def looks(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> int:
    count = 0

    class Counting(DepartedStorage):
        def get_item(self, key: str) -> str | None:
            nonlocal count
            count += 1
            return super().get_item(key)

    monkeypatch.setattr(departed, "DepartedStorage", Counting)
    asyncio.run(replay(Departure("demo", [["identify", "u"]] * 10, options=options)))
    return count


def test_a_store_that_is_named_many_times_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    once = looks({"storage": {"stores": ["localStorage"]}}, monkeypatch)
    assert looks({"storage": {"stores": ["localStorage"] * 60}}, monkeypatch) == once > 0


@pytest.mark.parametrize(
    "more",
    [
        {"options": {"integrations": {"Segment.io": {"deliveryStrategy": {"strategy": "batching"}}}}},
        {"sentAt": "0001-01-01T00:00:00Z"},
    ],
)
def test_no_call_waits_for_what_never_comes(collector: Collector, client: httpx.Client, more: dict[str, Any]) -> None:
    assert post(client, calls=[["page"], ["track", "A"]], **more).status_code == 200
    assert [one["type"] for one in collector.events()] == ["page", "track"]


@pytest.mark.parametrize(
    "bad",
    [
        ["page", {"__t": "bpc", "at": 1e308}],
        ["track", "Deep", json.loads("[" * 200 + "]" * 200)],
        ["track", "Context", {}, {"context": 7}],
        ["track"],
    ],
)
def test_a_call_that_cannot_be_made_is_refused_alone(
    collector: Collector, client: httpx.Client, bad: list[Any]
) -> None:
    answer = post(client, calls=[["track", "A"], bad, ["track", "B"]])
    assert answer.status_code == 200
    [fault] = answer.json()["refused"]
    assert (fault["index"], fault["path"]) == (1, ".calls")
    assert [one["event"] for one in collector.events()] == ["A", "B"]


def test_half_a_character_costs_nothing_else(collector: Collector, client: httpx.Client) -> None:
    body = b'{"writeKey":"shop","calls":[["track","A\\ud83d"],["track","B"]],"cookies":"ajs_user_id=\\ud800"}'
    assert client.post("/v1/early", content=body).status_code == 200
    assert [one["event"] for one in collector.events()] == ["A\ufffd", "B"]


def test_what_is_beyond_the_calls_of_a_page_is_refused_and_the_rest_kept(
    collector: Collector, client: httpx.Client
) -> None:
    answer = post(client, calls=[["track", f"E{number}"] for number in range(departed.MOST_CALLS + 3)])
    assert [fault["index"] for fault in answer.json()["refused"]] == [200, 201, 202]
    assert len(collector.events()) == departed.MOST_CALLS


def test_a_beacon_cannot_become_a_hundred_times_as_much(collector: Collector, client: httpx.Client) -> None:
    calls = [["identify", "u", {"text": "x" * 20_000}], *[["identify"]] * 150]
    answer = post(client, calls=calls)
    assert answer.status_code == 200
    kept = collector.events()
    assert len(kept) > 10
    assert len(kept) + len(answer.json()["refused"]) + answer.json().get("refusedBesides", 0) == len(calls)


def test_a_body_longer_than_a_beacon_is_not_read(client: httpx.Client) -> None:
    assert post(client, calls=[["track", "x" * 70_000]]).status_code == 413


@pytest.mark.parametrize("name", ["__Host-session", "__Secure-id", "satsuma_console", "session"])
def test_no_cookie_but_the_librarys_own_is_set(guarded: tuple[Collector, httpx.Client], name: str) -> None:
    _, client = guarded
    options = {"user": {"cookie": {"key": name}}, "cookie": {"secure": True}}
    body = {"writeKey": "shop", "calls": [["identify", "u1"]], "options": options, "domain": "shop.test"}
    [cookie] = post(client, ORIGIN, **body).headers.get_list("set-cookie")
    assert cookie.startswith("ajs_anonymous_id=")


def test_a_cookie_with_nonsense_for_a_lifetime_breaks_nothing(guarded: tuple[Collector, httpx.Client]) -> None:
    _, client = guarded
    for maxage in ("x", 1e308, -1e308, [], True):
        options = {"cookie": {"maxage": maxage, "path": maxage}}
        body = {"writeKey": "shop", "calls": [["page"]], "options": options, "domain": "shop.test"}
        assert post(client, ORIGIN, **body).status_code == 200


def pixel(client: httpx.Client, **headers: str) -> int:
    data = base64.b64encode(json.dumps({"writeKey": "shop", "userId": "u", "event": "E"}).encode()).decode()
    return client.get("/v1/pixel/track", params={"data": data}, headers=headers).status_code


def test_a_pixel_in_a_page_is_bound_to_the_sources_origins(guarded: tuple[Collector, httpx.Client]) -> None:
    collector, client = guarded
    assert pixel(client, referer="https://evil.test/page?x=1") == 403
    assert pixel(client, origin="https://evil.test") == 403
    assert collector.events() == []
    # An e-mail has no page.
    assert [pixel(client, referer=f"{ORIGIN}/a"), pixel(client), pixel(client, referer="nonsense://[")] == [200] * 3


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"from satsuma_server.ingest import replay_process as r\n{code}")


@pytest.fixture
def made() -> Iterator[Replayer]:
    one = Replayer()
    yield one
    one.close()


@pytest.mark.parametrize(
    "code",
    [
        "r.PROCESSOR_SECONDS = 0.2\nr.make = lambda job: sum(iter(int, 1))\nr.main()",
        "r.make = lambda job: bytearray(1 << 30)\nr.main()",
        "raise SystemExit(1)",
    ],
)
def test_a_body_that_takes_too_much_ends_alone(code: str, made: Replayer, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job('{"calls":[["page"]]}')

    async def run() -> int:
        with monkeypatch.context() as patched:
            patched.setattr(replayer, "COMMAND", python(code))
            with pytest.raises(BadRequestError, match="more time or memory"):
                await made.make(job, "shop")
        return len((await made.make(job, "shop")).events)

    assert asyncio.run(run()) == 1


def test_a_source_that_is_flooded_leaves_room_for_others(
    made: Replayer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    over = tmp_path / "over"
    code = f"import time, pathlib\nwhile not pathlib.Path({str(over)!r}).exists():\n  time.sleep(0.01)"
    monkeypatch.setattr(replayer, "COMMAND", python(code))
    job = Job('{"calls":[]}')

    async def run() -> None:
        flood = [asyncio.create_task(made.make(job, "flooded")) for _ in range(MOST_WAITING_A_SOURCE)]
        while made._process is None:
            await asyncio.sleep(0.01)
        with pytest.raises(BusyError):
            await made.make(job, "flooded")
        monkeypatch.setattr(replayer, "COMMAND", COMMAND)
        other = asyncio.create_task(made.make(job, "other"))
        over.touch()
        assert (await other).problem is None
        first, *rest = await asyncio.gather(*flood, return_exceptions=True)
        assert isinstance(first, BadRequestError)
        assert not any(isinstance(one, Exception) for one in rest)

    asyncio.run(run())
