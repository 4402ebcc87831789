"""A sample of the walk that `./dev soak scale` makes."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from log.walk import Walk
from nats_network import is_possible, network
from nats_servers import nats_servers


def test_nothing_is_lost_twice_or_mixed_when_leader_and_collector_go(tmp_path: Path) -> None:
    with ExitStack() as stack:
        net = stack.enter_context(network(3)) if is_possible() else None
        servers = stack.enter_context(nats_servers(tmp_path / "nats", 3, net=net))
        faults = ["leader_killed", "collector_killed", *(["leader_cut_off"] if net else [])]
        asyncio.run(Walk(tmp_path, servers, net, batches=2).run(faults))
