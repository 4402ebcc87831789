"""A network for NATS servers on one machine: each in a namespace of its own, whose cable can be pulled. Needs root.

The bridge between them is in a namespace, too, which the calling thread enters meanwhile. So the machine's own network
stays as it is: a browser beside would give up its requests when that changes (``ERR_NETWORK_CHANGED``).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Network:
    """A bridge with one namespace for each server.

    Attributes:
        name: what the names of bridge, cables and namespaces begin with.
        net: the second and third number of all addresses.
    """

    name: str
    net: str

    def address(self, number: int) -> str:
        """Return a server's address."""
        return f"10.{self.net}.{number + 2}"

    def inside(self, number: int) -> list[str]:
        """Return what a command begins with that runs on a server's side."""
        return ["ip", "netns", "exec", f"{self.name}{number}"]

    def cut(self, number: int) -> None:
        """Pull a server's cable: nothing reaches it, and nobody is told."""
        run("link", "set", f"{self.name}v{number}", "down")

    def heal(self, number: int) -> None:
        run("link", "set", f"{self.name}v{number}", "up")


def run(*args: str) -> None:
    subprocess.run(["ip", *args], check=True, capture_output=True, timeout=30)


def is_possible() -> bool:
    """Tell whether this process may make namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        with network(1):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextlib.contextmanager
def network(count: int) -> Iterator[Network]:
    """Make a network; remove all of it afterwards. What is started meanwhile is in it, with a loopback of its own."""
    made = Network(f"s{secrets.token_hex(2)}", f"{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}")
    bridge = f"{made.name}b"
    with inside_namespace(f"{made.name}hub"):
        yield from _network(made, bridge, count)


@contextlib.contextmanager
def inside_namespace(name: str) -> Iterator[None]:
    """Make a namespace and have this thread in it; go back and remove it afterwards."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        run("netns", "add", name)
        entered = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            os.setns(entered, os.CLONE_NEWNET)
            run("link", "set", "lo", "up")
            yield
        finally:
            os.setns(before, os.CLONE_NEWNET)
            os.close(entered)
            run("netns", "del", name)
    finally:
        os.close(before)


def _network(made: Network, bridge: str, count: int) -> Iterator[Network]:
    try:
        run("link", "add", bridge, "type", "bridge")
        run("addr", "add", f"10.{made.net}.1/24", "dev", bridge)
        run("link", "set", bridge, "up")
        for number in range(count):
            space, ours, theirs = f"{made.name}{number}", f"{made.name}v{number}", f"{made.name}p{number}"
            run("netns", "add", space)
            run("link", "add", ours, "type", "veth", "peer", "name", theirs)
            run("link", "set", theirs, "netns", space)
            run("link", "set", ours, "master", bridge)
            run("link", "set", ours, "up")
            run("-n", space, "addr", "add", f"{made.address(number)}/24", "dev", theirs)
            run("-n", space, "link", "set", theirs, "up")
            run("-n", space, "link", "set", "lo", "up")
        yield made
    finally:
        for number in range(count):
            with contextlib.suppress(subprocess.CalledProcessError):
                run("netns", "del", f"{made.name}{number}")
        with contextlib.suppress(subprocess.CalledProcessError):
            run("link", "del", bridge)


@contextlib.contextmanager
def small_disk(path: str, megabytes: int) -> Iterator[None]:
    """Mount a file system of so many megabytes, in memory. Needs root."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "satsuma-test", path], check=True, timeout=30)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", path], check=False, timeout=30)
