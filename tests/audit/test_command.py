"""The command ``satsuma audit``, as somebody runs it who has an archive and nothing else."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import httpx
import msgspec
import pytest
from audit.worlds import World
from satsuma_server.audit import Report
from satsuma_server.testing import SATSUMA, running


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gzipped archive of a shop that takes addresses as userIds and forgets to reset."""
    world = World(5, 120, {"user-id-is-email": 0.4, "no-reset-at-logout": 0.8})
    file = tmp_path_factory.mktemp("archive") / "2026-03-02.json.gz"
    file.write_bytes(gzip.compress(b"\n".join(world.lines()) + b"\n<script>alert(1)</script>\n"))
    return file


def run(*args: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*SATSUMA, "audit", *map(str, args)], capture_output=True, input=stdin, timeout=120)


def test_the_table_tells_findings_people_and_code(archive: Path) -> None:
    done = run(archive)
    told = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert "Email addresses are used as userId" in told
    assert re.search(r"user_id:[a-z.]+\S*@mail\.example", told)
    assert "analytics.reset();" in told
    assert "1 × no JSON object" in told


def test_json_is_a_report_and_ci_fails_by_severity(archive: Path) -> None:
    done = run("-", "--json", "--fail-on", "wrong", stdin=archive.read_bytes())
    assert done.returncode == 3
    report = msgspec.json.decode(done.stdout, type=Report)
    assert {"user-id-is-email", "no-reset-at-logout"} <= {one.rule for one in report.findings}
    assert report.input.unreadable == 1
    kept = run(archive, "--rules", "user-id-is-phone", "--fail-on", "wrong")
    assert kept.returncode == 0
    wrong = run(archive, "--rules", "user-id-is-fine")
    assert wrong.returncode == 1
    assert b"docs/audit.md" in wrong.stderr


def test_what_a_baseline_knows_does_not_fail(archive: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    assert run(archive, "--rules", "user-id-is-email", "--write-baseline", baseline).returncode == 0
    assert run(archive, "--rules", "user-id-is-email", "--baseline", baseline, "--fail-on", "note").returncode == 0
    done = run(archive, "--baseline", baseline, "--fail-on", "wrong", "--json")
    assert done.returncode == 3
    known = {one["rule"]: one["known"] for one in json.loads(done.stdout)["findings"]}
    assert known["user-id-is-email"]
    assert not known["no-reset-at-logout"]


def test_settings_switch_a_rule_off_with_a_reason(archive: Path, tmp_path: Path) -> None:
    config = tmp_path / "satsuma.toml"
    config.write_text("""
        [audit.rules.user-id-is-email]
        off = "a decision of 2019"
        [audit.rules.no-reset-at-logout]
        least = 1000
    """)
    report = json.loads(run(archive, "--config", config, "--json").stdout)
    assert {one["rule"] for one in report["findings"]}.isdisjoint({"user-id-is-email", "no-reset-at-logout"})
    assert {"a decision of 2019"} == {one["reason"] for one in report["skipped"] if one["by_settings"]}


def test_the_page_stands_alone_and_runs_nothing(archive: Path, tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    assert run(archive, "--html", page, "--price", "10").returncode == 0
    html = page.read_text()
    assert "Email addresses are used as userId" in html
    assert not re.search(r"<script|<link[^>]+https?:|src=", html)
    bare = tmp_path / "bare.html"
    assert run(archive, "--html", bare, "--without-examples").returncode == 0
    assert "@mail.example" not in bare.read_text()


def test_a_file_that_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    done = run(tmp_path / "none.json")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"none.json" in done.stderr


def test_a_file_without_any_event_is_no_success(tmp_path: Path) -> None:
    other = tmp_path / "export.jsonl"
    other.write_text('{"event": "$pageview", "distinct_id": "x"}\n' * 3)
    done = run(other, "--fail-on", "wrong")
    assert done.returncode == 1
    assert b"3 \xc3\x97 an object without a type" in done.stderr
    other.write_text("")
    assert run(other, "--fail-on", "wrong").returncode == 0


def test_a_running_collector_is_audited(tmp_path: Path) -> None:
    with running(tmp_path / "collector") as collector:
        batch = [
            {"type": "identify", "userId": f"p{number}@mail.example", "messageId": str(number)} for number in range(5)
        ]
        httpx.post(
            f"{collector.url}/v1/batch", json={"writeKey": "k", "batch": batch}, trust_env=False
        ).raise_for_status()
        done = run("--url", collector.url, "--token", collector.token, "--json")
    report = json.loads(done.stdout)
    finding = next(one for one in report["findings"] if one["rule"] == "user-id-is-email")
    assert finding["found"] == 5
    assert {example["seq"] for example in finding["examples"]} == {1, 2, 3, 4, 5}
