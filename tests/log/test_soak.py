"""`./dev soak scale`: a long walk through faults, while two collectors take events for a log on three servers."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from log.walk import Walk
from nats_network import is_possible, network, small_disk
from nats_servers import nats_servers

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3000)]

ROUNDS = int(os.environ.get("SATSUMA_SOAK_ROUNDS", "10"))
"""How often the leader is killed, and how often a collector. A server is cut off half as often."""


def test_nothing_is_lost_twice_or_mixed_whatever_is_killed_cut_off_or_full(tmp_path: Path) -> None:
    faults = ["leader_killed", "collector_killed"] * ROUNDS
    with ExitStack() as stack:
        net = stack.enter_context(network(3)) if is_possible() else None
        if net is None:
            print("\nno server is cut off or filled: that needs root and network namespaces")
        else:
            faults += ["leader_cut_off"] * (ROUNDS // 2 or 1) + ["disk_full"]
            disk = tmp_path / "nats" / "node-2"
            disk.mkdir(parents=True)
            stack.enter_context(small_disk(str(disk), 512))
        servers = stack.enter_context(nats_servers(tmp_path / "nats", 3, most="2GB", net=net))
        asyncio.run(Walk(tmp_path, servers, net).run(faults))
