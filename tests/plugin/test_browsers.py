"""In which browsers a project's tests run, and what their ids tell of it. No browser is started."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

VISITS = "def test_a_visit(visitor): pass"
ONE_ENGINE = """
import pytest

@pytest.fixture
def satsuma_engine():
    return "webkit"
"""


def collected(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    """Return the names of a project's tests."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    told = pytester.runpytest_inprocess("--collect-only", "-q", *arguments)
    assert told.ret == 0
    return [line.partition("::")[2] for line in told.outlines if "::" in line]


def test_visitors_tests_run_in_each_browser_of_playwrights_that_is_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(VISITS)
    assert collected(pytester) == ["test_a_visit[chromium]"]
    named = collected(pytester, "--browser", "chromium", "--browser", "firefox")
    assert named == ["test_a_visit[chromium]", "test_a_visit[firefox]"]


def test_other_engines_tests_run_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(VISITS)
    assert collected(pytester, "--satsuma-engine", "webkit") == ["test_a_visit"]
    pytester.makeconftest(ONE_ENGINE)
    assert collected(pytester) == ["test_a_visit"]
