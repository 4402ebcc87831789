"""The tutorial, done as it is written: each of its blocks is a file or a command, and all of them are used."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"Bearer ([\w-]+)")
SECONDS = 240
"""How long a step may take on a machine that has much to do."""


class Reader:
    """Somebody who does what the tutorial says, in a folder of their own, on ports that are free.

    Attributes:
        done: titles of the blocks that were used.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.done: set[str] = set()
        self.collector, self.shop = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
        self._stack = stack
        text = (ROOT / "docs" / "tutorial.md").read_text()
        ports = {"8000": self.collector.rpartition(":")[2], "5000": self.shop.rpartition(":")[2]}
        self.blocks = {
            title: re.sub(r"\b(8000|5000)\b", lambda port: ports[port[0]], body) for title, body in BLOCK.findall(text)
        }
        assert text.count("\n```") == 2 * len(self.blocks), "a block without a title is used by nobody"
        self.variables = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "SATSUMA_URL": self.collector,
            "PYTHONUNBUFFERED": "1",
        }

    def write(self, title: str) -> None:
        """Write a block into the file that it is called by."""
        (self.folder / title).write_text(self._use(title))

    def run(self, title: str) -> str:
        """Run a command to its end, and return what it says."""
        command = shlex.split(self._use(title))
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=170, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def start(self, title: str, is_ready: Callable[[str], object]) -> str:
        """Start a command that goes on, and return what it has said once it is ready."""
        log = self.folder / f"{title}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                shlex.split(self._use(title)), cwd=self.folder, env=self.variables, stdout=output, stderr=output
            )
        self._stack.callback(lambda: (process.terminate(), process.wait(30)))
        self.until(lambda: process.poll() is not None or is_ready(log.read_text()), f"{title} to be ready")
        assert process.poll() is None, log.read_text()
        return log.read_text()

    def until(self, look: Callable[[], object], what: str) -> None:
        end = time.monotonic() + SECONDS
        while not look():
            assert time.monotonic() < end, f"waited {SECONDS} s for {what}"
            time.sleep(0.05)

    def skip(self, title: str) -> None:
        """Do nothing for a block that tells what the test has done already."""
        self._use(title)

    def _use(self, title: str) -> str:
        self.done.add(title)
        return self.blocks[title]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.timeout(900)
def test_each_step_does_what_it_says(browser: Browser, tmp_path: Path) -> None:
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        reader.skip("install")  # test_wheels.py installs from nothing.
        told = TOKEN.search(reader.start("collector", TOKEN.search))
        assert told
        assert "SATSUMA_TOKEN" in reader.blocks["token"]
        reader.skip("token")
        reader.variables["SATSUMA_TOKEN"] = told[1]
        reader.write("shop.py")
        reader.start("shop", lambda text: "running on" in text)
        context = stack.enter_context(browser.new_context())
        page = context.new_page()
        page.goto(reader.shop)
        page.click("#join")
        reader.until(lambda: '"Signed Up"' in reader.run("export"), "the sign-up to be stored")
        assert page.evaluate("() => analytics.user().id()") == "97980cfea0067"
        reader.until(lambda: "user_id:97980cfea0067" in _person(reader), f"the person to be known: {_person(reader)}")
        reader.write("test_identity.py")
        assert "2 passed" in reader.run("test")
        assert "of 100" in reader.run("audit")
    assert reader.done == set(reader.blocks)


def _person(reader: Reader) -> str:
    try:
        return reader.run("person")
    except AssertionError as error:
        return str(error)  # Profiles follow the log a moment later.
