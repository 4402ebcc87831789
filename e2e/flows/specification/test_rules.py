"""Every rule of the specification has a test, and the document says so."""

from __future__ import annotations

import rules


def test_every_rule_is_tested() -> None:
    tested = {rule for test in rules.tests() for rule in test.rules}
    elsewhere = {rule for section in rules.sections() if section.elsewhere for rule in section.rules}
    assert rules.known() - elsewhere - tested == set()
    assert tested <= rules.known()


def test_the_document_is_of_these_tests_and_all_of_them_passed() -> None:
    passed = {test.name: "passed" for test in rules.tests()}
    assert rules.DOCUMENT.read_text() == rules.render(passed), "run ./dev specification, which writes it"
