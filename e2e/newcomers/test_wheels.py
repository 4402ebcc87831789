"""A stranger's first minutes: wheels into an empty environment, without a checkout or Node, and an event to a row."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("wheels")
"""They are built in the checkout, where two builds at once would meet."""

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).parent / "projects" / "installed"
OF_THE_CHECKOUT = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_NO_SYNC", "PYTHONPATH", "SATSUMA_LIBRARIES"}
SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of all wheels."""
    target = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, ROOT / ".ci" / "dist.py", target], check=True, capture_output=True)
    return target


class Environment:
    """An environment of its own, with a HOME of its own, in which only wheels are installed."""

    def __init__(self, version: str, wheels: Path, folder: Path) -> None:
        uv = shutil.which("uv")
        assert uv is not None
        cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        self.variables = {
            **{name: value for name, value in os.environ.items() if name not in OF_THE_CHECKOUT},
            "HOME": str(folder),
            "PATH": f"{self.bin}:{without_node(folder / 'path')}",
            "UV_CACHE_DIR": cache,
        }
        self.run(uv, "venv", "--python", find_python(version), str(folder / "venv"))
        # The versions that everything else is tested with, and nothing new from the network.
        pins = ("--constraint", str(ROOT / "requirements.lock"))
        wanted = ("satsuma-server[demo]", "pytest-satsuma")
        self.run(
            uv, "pip", "install", "--python", str(self.bin / "python"), "--find-links", str(wheels), *pins, *wanted
        )

    def run(self, *command: str) -> str:
        """Run a command to its end, and return what it says."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=170, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout


def find_python(version: str) -> str:
    """Return the path of a Python on PATH or, as pyenv and uv lay them, beside the one that runs this."""
    beside = [str(path) for path in Path(sys.base_prefix).parent.glob(f"*{version}*/bin/python{version}")]
    for path in (shutil.which(f"python{version}"), *beside):
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    pytest.skip(f"no Python {version} on this machine")


def without_node(folder: Path) -> str:
    """Return a PATH of the system's commands, but for Node: nothing that is installed needs it."""
    folder.mkdir()
    for place in map(Path, SYSTEM.split(":")):
        for command in place.iterdir() if place.is_dir() else ():
            if command.name not in {"node", "npm", "npx", "nodejs"} and not (folder / command.name).exists():
                (folder / command.name).symlink_to(command)
    return str(folder)


@pytest.fixture(params=["3.12", *(pytest.param(version, marks=pytest.mark.soak) for version in ("3.13", "3.14"))])
def environment(request: pytest.FixtureRequest, wheels: Path, tmp_path: Path) -> Environment:
    """One for each version of Python that this machine has."""
    return Environment(request.param, wheels, tmp_path)


@pytest.fixture
def demo(environment: Environment) -> Iterator[dict[str, str]]:
    """What ``satsuma demo`` says of itself once it is ready."""
    ready = environment.folder / "ready.json"
    command = [environment.bin / "satsuma", "demo", "--port", "0", "--shop-port", "0", "--ready-file", ready]
    log = environment.folder / "demo.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=environment.folder, env=environment.variables, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while not (ready.exists() and ready.read_text()):
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield json.loads(ready.read_text())
        finally:
            process.terminate()
            process.wait(30)


def test_wheels_alone_bring_an_event_from_a_page_to_a_row(environment: Environment, demo: dict[str, str]) -> None:
    shutil.copytree(PROJECT, environment.folder / "project")
    environment.variables["SATSUMA_TOKEN"] = demo["token"]
    options = ("-p", "no:cacheprovider", "--satsuma-collector", demo["url"], "--base-url", demo["shop_url"])
    assert "1 passed" in environment.run(str(environment.bin / "pytest"), "project", *options)
    query = "SELECT sum(total) AS total FROM demo.order_completed"
    told = environment.run(str(environment.bin / "satsuma"), "sql", query, "--url", demo["url"], "--fresh", "--csv")
    assert told.split() == ["total", "5"]


def test_the_sdk_alone_is_small_and_needs_nothing(wheels: Path, tmp_path: Path) -> None:
    [wheel] = wheels.glob("satsuma-*.whl")
    target = tmp_path / "alone"
    subprocess.run(
        [
            "uv",
            "pip",
            "install",
            "--python",
            sys.executable,
            "--target",
            target,
            "--no-index",
            "--find-links",
            wheels,
            "satsuma",
        ],
        check=True,
        capture_output=True,
    )
    assert {path.name.partition("-")[0] for path in target.iterdir() if path.name[0] != "."} == {"satsuma"}
    assert wheel.stat().st_size < 250_000


def test_the_same_sources_give_the_same_wheels(wheels: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / ".ci" / "dist.py", tmp_path], check=True, capture_output=True)
    assert (tmp_path / "SHA256SUMS").read_text() == (wheels / "SHA256SUMS").read_text()
