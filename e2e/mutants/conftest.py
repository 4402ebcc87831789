"""What became of the mutants is written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mutants.killed import DOCUMENT, read, render

WRITE = "--write-mutants"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(WRITE, action="store_true", help="write what became of each mutant into docs/mutants.md")


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """A function that notes which test has noticed a mutant, by the mutant's name."""

    def write(name: str, test: str) -> None:
        if request.config.getoption(WRITE, default=False):
            DOCUMENT.write_text(render({**read(), name: test}))

    return write
