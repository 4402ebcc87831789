"""``--identity-audit``: a session whose events break a best practice fails, and says which test and how to mend it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import uuid
import httpx, pytest

def send(collector, *events):
    visitor = str(uuid.uuid4())
    made = [{"anonymousId": visitor, "messageId": f"{visitor} {n}", "context": {"page": {"url": "https://shop.example/"}},
             "timestamp": f"2026-03-02T10:00:{n:02}Z", **event} for n, event in enumerate(events)]
    body = {"writeKey": "k", "batch": made}
    httpx.post(f"{collector.url}/v1/batch", json=body, trust_env=False).raise_for_status()

def test_log_in(collector, satsuma_case):
    person = {"userId": "97980cfea0067"}
    send(collector, {"type": "page"}, {"type": "identify", **person, "traits": {"email": "p@x.example"}},
         {"type": "track", "event": "Signed In", **person})
"""

FORGETFUL = """
@pytest.mark.MARK
def test_log_out(collector, satsuma_case):
    person = {"userId": "ann@mail.example"}
    send(collector, {"type": "identify", **person}, {"type": "track", "event": "Signed Out", **person},
         {"type": "page", **person, "timestamp": "2026-03-02T10:01:00Z"},
         {"type": "track", "event": "Product \\u001b[31mViewed", **person})
"""


A_SESSION = 400
"""Seconds that a session may take: each of its workers starts a collector, on a loaded machine too."""

pytestmark = pytest.mark.timeout(A_SESSION + 60)


def run(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    (folder / "test_site.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = other\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder, capture_output=True, text=True, timeout=A_SESSION,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_session_that_keeps_the_practices_passes(tmp_path: Path) -> None:
    status, told = run(tmp_path, TESTS, "--identity-audit")
    assert status == 0, told
    assert "rules are kept by 3 events" in told


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_finding_fails_the_session_and_names_its_test(tmp_path: Path, workers: tuple[str, ...]) -> None:
    if workers and importlib.util.find_spec("xdist") is None:
        pytest.skip("pytest-xdist is not installed")
    status, told = run(tmp_path, TESTS + FORGETFUL.replace("MARK", "other"), "--identity-audit", *workers)
    assert status == 1, told
    assert "2 passed" in told
    assert "wrong: People log out, and the browser keeps their userId (no-reset-at-logout)" in told
    assert "wrong: Email addresses are used as userId (user-id-is-email)" in told
    assert "in test_site.py::test_log_out" in told
    assert "user_id:ann@mail.example" in told
    assert "analytics.reset();" in told
    assert "\x1b[31mViewed" not in told


def test_rules_can_be_chosen_and_tests_left_out(tmp_path: Path) -> None:
    status, told = run(tmp_path, TESTS + FORGETFUL.replace("MARK", "unaudited"), "--identity-audit")
    assert status == 0, told
    status, told = run(tmp_path, TESTS + FORGETFUL.replace("MARK", "other"), "--identity-audit=user-id-is-phone")
    assert status == 0, told
    status, told = run(tmp_path, TESTS, "--identity-audit=user-id-is-fine")
    assert status == 4, told
    assert "there is no rule user-id-is-fine" in told
