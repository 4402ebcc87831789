"""Tests of the specification: each names its rules, and what they come to is written down."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from flows.conftest import HOSTILE
from flows.specification import rules

WRITE = "--write-specification"
RESULTS = pytest.StashKey[dict[str, str]]()


@pytest.fixture
def shop_options() -> dict[str, Any]:
    """The shop as a site has it, without its tools for testers."""
    return {"qa": False}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(WRITE, action="store_true", help="write docs/specification.md after the tests")
    parser.addoption(HOSTILE, action="store_true", help="have the shop's pages replace the browser's built-in objects")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check that what tests name is a rule, and leave to our library what only it does."""
    for item in items:
        for marker in item.iter_markers("specification"):
            unknown = set(marker.args) - rules.known()
            if unknown:
                raise pytest.UsageError(f"{item.nodeid} names no rule of rules.toml: {sorted(unknown)}")
        only = item.get_closest_marker("only_satsuma")
        if only and config.getoption("--satsuma-library") == "analytics-next":
            item.add_marker(pytest.mark.skip(reason=only.args[0]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    made = yield
    if made.when == "call" or made.failed:
        name = item.originalname if isinstance(item, pytest.Function) else item.name
        item.config.stash[RESULTS][name] = made.outcome
    return made


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption(WRITE, default=False):
        rules.DOCUMENT.write_text(rules.render(session.config.stash[RESULTS]))
