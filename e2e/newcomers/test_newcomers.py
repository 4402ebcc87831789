"""The plugin in other people's projects, on libraries that aren't ours: public API only, a process for each run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from satsuma_server.testing import Collector

PROJECTS = Path(__file__).parent / "projects"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A function that runs a project's tests, in a copy of it, and returns what pytest says."""

    def start(project: str, *arguments: str, **counts: int) -> str:
        folder = tmp_path / project
        if not folder.exists():
            shutil.copytree(PROJECTS / project, folder, ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rf", *arguments]
        environment = {**os.environ, "SATSUMA_TOKEN": "test-token"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150)
        told = {kind: int(count) for count, kind in re.findall(r"(\d+) (passed|failed|error)", done.stdout[-300:])}
        assert told == counts, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout

    return start


def test_a_site_with_rudderstack_whose_payloads_are_kept_and_compared(run: Run, tmp_path: Path) -> None:
    run("rudderstack", "--satsuma-record", passed=2)
    [golden] = (tmp_path / "rudderstack" / "satsuma-golden").glob("*logs_out*.json")
    text = golden.read_text()
    assert "user-7" in text, "payloads are kept as they are"
    golden.write_text(text.replace('"plan": "lime"', '"plan": "lemon"'))
    told = run("rudderstack", "--satsuma-compare", "-k", "logs_out", failed=1)
    assert re.search(r'-\s+"plan": "lemon"', told)
    assert re.search(r'\+\s+"plan": "lime"', told)


def test_a_site_with_stock_analytics_next_on_two_workers(run: Run, tmp_path: Path) -> None:
    """The site posts to Segment, as in production; what it posts is diverted. What fails is told, beside its trace."""
    options = ("-n", "2", "--tracking-plan", "plan.toml", "--tracing", "retain-on-failure")
    told = run("analytics_next", *options, passed=3, failed=3)
    assert ".userId: expected 'user-43', is 'user-42'" in told
    assert ".properties.plan: expected 'paid', is 'free'" in told
    assert "collector  stored    track Signed Up (userId=user-42" in told
    assert "track 'Lemon Squeezed': .properties.seeds is 'many', not of type integer" in told
    assert "pytest_satsuma/expect.py" not in told, "a failed test shows its own lines only"
    folders = sorted((tmp_path / "analytics_next" / "test-results").iterdir())
    assert [sorted(file.name for file in folder.iterdir()) for folder in folders] == [
        ["satsuma-timeline.html", "trace.zip"]
    ] * 3
    [page] = (tmp_path / "analytics_next" / "test-results").glob("*own*/satsuma-timeline.html")
    assert "<script>" not in page.read_text()
    assert "&lt;script&gt;alert(1)" in page.read_text()


def test_an_event_loop_and_a_collector_that_runs_already(run: Run, collector: Collector) -> None:
    run("asynchronous", "--satsuma-collector", collector.url, passed=1)
    assert "Signed Up" in json.dumps(collector.events())
