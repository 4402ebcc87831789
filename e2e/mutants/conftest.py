"""What became of the mutants is written down."""

from __future__ import annotations

import pytest
from killed import DOCUMENT, render

WRITE = "--write-mutants"
KILLED = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(WRITE, action="store_true", help="write docs/mutants.md after the mutants have run")


@pytest.fixture(scope="session")
def killed(request: pytest.FixtureRequest) -> dict[str, str]:
    """The test that killed each mutant, by the mutant's name."""
    return request.config.stash.setdefault(KILLED, {})


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption(WRITE, default=False):
        DOCUMENT.write_text(render(session.config.stash.get(KILLED, {})))
