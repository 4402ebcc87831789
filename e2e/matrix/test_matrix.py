"""The page on browsers is of the figures that were noted, and these are of tests that there are."""

from __future__ import annotations

from flows.specification import rules
from matrix.document import DOCUMENT, render
from matrix.figures import read
from pytest_satsuma.engines import ENGINES


def test_the_document_is_of_the_figures() -> None:
    assert DOCUMENT.read_text() == render(read()), "run ./dev browsers, which writes it"


def test_the_figures_are_of_our_engines_and_of_tests_that_there_are() -> None:
    figures, tests = read(), {test.name for test in rules.tests()}
    assert set(figures) <= set(ENGINES)
    named = {name for of_engine in figures.values() for name in of_engine.get("specification", {})}
    assert named - tests == set()
