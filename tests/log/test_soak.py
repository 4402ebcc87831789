"""`./dev soak tests/log -s`: collectors and servers are killed, again and again, while two collectors take events."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats_servers import Cluster, nats_servers
from satsuma_server.testing import started

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1500)]

ROUNDS = int(os.environ.get("SATSUMA_SOAK_ROUNDS", "10"))
"""How often the leader is killed, and how often a collector."""

SENDERS = 24
BATCH = 5
SEED = 5


@dataclass
class Traffic:
    """Senders that each send one person's events, one batch after the other, and repeat what wasn't acknowledged.

    Attributes:
        acknowledged: for each person the messageIds, in the order in which they were sent.
        answers: how often each status came; 0 for no answer.
        stalls: the longest times in seconds between two acknowledgements, in each round.
    """

    urls: list[str]
    acknowledged: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: Counter[int] = field(default_factory=Counter)
    stalls: list[float] = field(default_factory=list)
    newest: float = 0.0
    stopping: bool = False

    def ok(self) -> None:
        now = time.monotonic()
        if self.newest and self.stalls:
            self.stalls[-1] = max(self.stalls[-1], now - self.newest)
        self.newest = now

    async def sender(self, person: str, http: httpx.AsyncClient, chance: random.Random) -> None:
        for number in itertools.count():
            if self.stopping:
                return
            ids = [f"{person}.{number}.{index}" for index in range(BATCH)]
            batch = [{"type": "track", "event": "Paid", "userId": person, "messageId": id} for id in ids]
            body = json.dumps({"writeKey": f"source-{person[-1]}", "batch": batch}).encode()
            while True:
                # As behind a load balancer: a repetition may come to another collector.
                status = await self._post(http, chance.choice(self.urls), body)
                self.answers[status] += 1
                if status == 200:
                    break
                await asyncio.sleep(0.1)
            self.ok()
            self.acknowledged[person] += ids
            await asyncio.sleep(0.05)

    @staticmethod
    async def _post(http: httpx.AsyncClient, url: str, body: bytes) -> int:
        try:
            # Senders are impatient at times: they send again what is still under way.
            return (await http.post(f"{url}/v1/batch", content=body, timeout=5)).status_code
        except httpx.HTTPError:
            return 0


async def leader_of(servers: Cluster) -> int:
    """Return which node leads the stream of events."""
    async with httpx.AsyncClient(trust_env=False) as http:
        for number, node in enumerate(servers.nodes):
            if node.process is None:
                continue
            told = (await http.get(f"{node.monitor}/jsz?streams=true&accounts=true", timeout=30)).json()
            for account in told.get("account_details", ()):
                for stream in account.get("stream_detail", ()):
                    if stream["name"] == "satsuma" and stream.get("cluster", {}).get("leader") == f"n{number}":
                        return number
    return 0


async def stored(urls: list[str], token: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as http:
        after = "0"
        while True:
            answer = await http.get(f"{urls[0]}/v1/events?limit=10000&after={after}", timeout=120)
            answer.raise_for_status()
            events += [json.loads(line) for line in answer.text.splitlines()]
            if answer.headers["x-satsuma-next-after"] == after:
                return events
            after = answer.headers["x-satsuma-next-after"]


def judge(events: list[dict[str, Any]], traffic: Traffic) -> None:
    counts = Counter(event["messageId"] for event in events)
    of: dict[str, list[str]] = defaultdict(list)
    for event in events:
        of[event["userId"]].append(event["messageId"])
    lost = [id for ids in traffic.acknowledged.values() for id in ids if not counts[id]]
    twice = [id for id, count in counts.items() if count > 1]
    mixed = [person for person, ids in of.items() if ids != sorted(ids, key=lambda id: [*map(int, id.split(".")[1:])])]
    sent = sum(map(len, traffic.acknowledged.values()))
    print(
        f"\nacknowledged {sent}, lost {len(lost)}, twice {len(twice)}, people out of order {len(mixed)}"
        f"\nanswers {dict(traffic.answers)}\nlongest time without an acknowledgement, for each kill, in s: "
        f"{[round(stall, 1) for stall in traffic.stalls]}"
    )
    assert sent > 0
    assert (lost, twice, mixed) == ([], [], [])


def test_leaders_and_collectors_are_killed_and_nothing_is_lost_twice_or_mixed(tmp_path: Path) -> None:
    token = "of-the-soak-8c1e44d0aa"
    config = tmp_path / "satsuma.toml"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()

    async def walk(servers: Cluster) -> None:
        await servers.ready()
        config.write_text(f'log = "{servers.url}"\ntoken = "{token}"\naccept_any_key = true\n')
        stacks = [ExitStack(), ExitStack()]

        def start(which: int) -> dict[str, Any]:
            folder = tmp_path / ("one", "two")[which]
            return stacks[which].enter_context(started(folder, "serve", "--config", str(config), "--no-worker"))

        try:
            told = [await asyncio.to_thread(start, which) for which in range(2)]
            traffic = Traffic([one["url"] for one in told])
            async with httpx.AsyncClient(trust_env=False) as http:
                chance = random.Random(SEED)
                senders = [
                    asyncio.create_task(traffic.sender(f"p{number}", http, random.Random(number)))
                    for number in range(SENDERS)
                ]
                for round in range(ROUNDS):
                    traffic.stalls.append(0.0)
                    at = await leader_of(servers)
                    servers.nodes[at].kill()
                    await asyncio.sleep(chance.uniform(1, 4))
                    servers.nodes[at].start()
                    await progress(traffic)
                    await servers.ready()
                    traffic.stalls.append(0.0)
                    which = round % 2
                    await asyncio.to_thread(stacks[which].close)  # It is killed, not stopped.
                    told[which] = await asyncio.to_thread(start, which)
                    traffic.urls[which] = told[which]["url"]
                    await progress(traffic)
                traffic.stopping = True
                await asyncio.gather(*senders)
            judge(await stored(traffic.urls, token), traffic)
        finally:
            for stack in stacks:
                stack.close()

    with nats_servers(tmp_path / "nats", 3, most="2GB") as servers:
        asyncio.run(walk(servers))


async def progress(traffic: Traffic) -> None:
    """Wait until events are acknowledged again."""
    before = sum(map(len, traffic.acknowledged.values()))
    async with asyncio.timeout(120):
        while sum(map(len, traffic.acknowledged.values())) < before + 10 * BATCH * SENDERS:
            await asyncio.sleep(0.1)
