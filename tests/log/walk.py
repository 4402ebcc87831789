"""A walk through faults: collectors and servers are killed, cut off and filled while two collectors take events."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nats
import nats.errors
from nats_network import Network
from nats_servers import Cluster
from satsuma_server.testing import started

TOKEN = "of-the-walk-8c1e44d0aa"

SENDERS = 24
BATCH = 5
SEED = 5


@dataclass
class Traffic:
    """Senders that each send one person's events, one batch after the other, and repeat what wasn't acknowledged.

    Attributes:
        acknowledged: for each person the messageIds, in the order in which they were sent.
        answers: how often each status came; 0 for no answer.
        stalls: for each fault, the longest time in seconds between two acknowledgements.
    """

    urls: list[str]
    acknowledged: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: Counter[int] = field(default_factory=Counter)
    stalls: list[tuple[str, float]] = field(default_factory=list)
    newest: float = 0.0
    stopping: bool = False

    def ok(self) -> None:
        now = time.monotonic()
        if self.newest and self.stalls:
            name, longest = self.stalls[-1]
            self.stalls[-1] = (name, max(longest, now - self.newest))
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
        f"\nanswers {dict(traffic.answers)}\nlongest time in s without an acknowledgement: "
        f"{', '.join(f'{name} {stall:.1f}' for name, stall in traffic.stalls)}"
    )
    assert sent > 0
    assert (lost, twice, mixed) == ([], [], [])


async def progress(traffic: Traffic, batches: int) -> None:
    """Wait until every sender has had so many more batches acknowledged, on average."""
    before = sum(map(len, traffic.acknowledged.values()))
    async with asyncio.timeout(180):
        while sum(map(len, traffic.acknowledged.values())) < before + batches * BATCH * SENDERS:
            await asyncio.sleep(0.05)


class Walk:
    """Two collectors in front of three servers, and what may happen to them. Each fault is over when it returns."""

    def __init__(self, folder: Path, servers: Cluster, net: Network | None = None, batches: int = 10) -> None:
        """Take the folders of the collectors, the servers, their network, and how much is sent after each fault."""
        self._folder = folder
        self._servers = servers
        self._net = net
        self._batches = batches
        self._stacks = [ExitStack(), ExitStack()]
        self._chance = random.Random(SEED)
        self._next = 0
        self.traffic = Traffic([])

    async def run(self, faults: Sequence[str]) -> None:
        """Let faults happen one after the other, and judge what is stored afterwards."""
        await self._servers.ready()
        text = f'log = "{self._servers.url}"\ntoken = "{TOKEN}"\naccept_any_key = true\n'
        (self._folder / "satsuma.toml").write_text(text)
        try:
            self.traffic.urls = [await asyncio.to_thread(self._start, which) for which in range(2)]
            async with httpx.AsyncClient(trust_env=False) as http:
                senders = [
                    asyncio.create_task(self.traffic.sender(f"p{number}", http, random.Random(number)))
                    for number in range(SENDERS)
                ]
                await progress(self.traffic, 1)
                for fault in faults:
                    self.traffic.stalls.append((fault, 0.0))
                    await getattr(self, fault)()
                    await progress(self.traffic, self._batches)
                    await self._servers.ready()
                self.traffic.stopping = True
                await asyncio.gather(*senders)
            judge(await stored(self.traffic.urls, TOKEN), self.traffic)
        finally:
            for stack in self._stacks:
                stack.close()

    async def leader_killed(self) -> None:
        at = await leader_of(self._servers)
        self._servers.nodes[at].kill()
        await asyncio.sleep(self._chance.uniform(1, 4))
        self._servers.nodes[at].start()

    async def collector_killed(self) -> None:
        self._next = 1 - self._next
        await asyncio.to_thread(self._stacks[self._next].close)  # It is killed, not stopped.
        self.traffic.urls[self._next] = await asyncio.to_thread(self._start, self._next)

    async def leader_cut_off(self) -> None:
        assert self._net
        at = await leader_of(self._servers)
        self._net.cut(at)
        try:
            await progress(self.traffic, self._batches)
        finally:
            self._net.heal(at)

    async def disk_full(self) -> None:
        """Fill the disk of the last server, while it leads the stream."""
        node = self._servers.nodes[-1]
        await self._lead(node.number)
        written = (node.folder / "out").stat().st_size
        filler = node.store.parent / "filler"
        with filler.open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        await progress(self.traffic, self._batches)
        assert b"no space left" in (node.folder / "out").read_bytes()[written:]
        # What people do: make room, and start the server again, which has stopped to use the disk.
        filler.unlink()
        node.kill()
        node.start()

    async def _lead(self, number: int) -> None:
        """Have the leaders step down until it is this server's turn."""
        client = await nats.connect(self._servers.url.removeprefix("nats://").split(","))
        try:
            async with asyncio.timeout(120):
                while await leader_of(self._servers) != number:
                    with suppress(nats.errors.Error):
                        await client.request("$JS.API.STREAM.LEADER.STEPDOWN.satsuma", b"", timeout=5)
                    await asyncio.sleep(1)
        finally:
            await client.close()

    def _start(self, which: int) -> str:
        folder = self._folder / ("one", "two")[which]
        folder.mkdir(exist_ok=True)
        serve = ("serve", "--config", str(self._folder / "satsuma.toml"), "--no-worker")
        return str(self._stacks[which].enter_context(started(folder, *serve))["url"])
