"""Every rule of the specification has a test, and the document says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from flows.specification import rules

HERE = Path(__file__).parent


def test_every_rule_is_tested() -> None:
    tested = {rule for test in rules.tests() for rule in test.rules}
    elsewhere = {rule for section in rules.sections() if section.elsewhere for rule in section.rules}
    assert rules.known() - elsewhere - tested == set()
    assert tested <= rules.known()


def test_the_document_is_of_these_tests_and_all_of_them_passed() -> None:
    passed = {test.name: "passed" for test in rules.tests()}
    assert rules.DOCUMENT.read_text() == rules.render(passed), "run ./dev specification, which writes it"


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_the_reference_library_keeps_the_same_rules() -> None:
    """All these tests, with analytics-next in the shop's pages."""
    play("--satsuma-library", "analytics-next")


def test_who_comes_back_after_a_year_is_known_in_a_page_that_replaces_the_built_in_objects() -> None:
    """One of the flows; ``./dev soak`` plays all of them."""
    play("--hostile-page", "-k", "test_a_known_visitor_is_still_known_after_a_year")


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_the_rules_are_kept_in_pages_that_replace_the_built_in_objects() -> None:
    play("--hostile-page")


def play(*options: str) -> None:
    """Run these tests once more, with other options."""
    command = [sys.executable, "-m", "pytest", str(HERE), "-q", *options]
    others = ["-p", "no:cacheprovider", f"--ignore={__file__}", "--satsuma-report", "off"]
    done = subprocess.run([*command, *others], cwd=HERE.parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
