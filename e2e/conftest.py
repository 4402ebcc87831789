"""The one Chromium of all end-to-end tests: pytest-playwright starts it once, whoever asks first."""

from __future__ import annotations

from typing import Any

import pytest

NAMES = "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.co.uk 127.0.0.1"
"""The tests' domains are this machine."""

TAKEN_AWAY = ["--disable-back-forward-cache"]
"""What Playwright switches off, and visitors have."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch arguments for every folder's tests."""
    given = browser_type_launch_args
    return {**given, "args": [*given["args"], NAMES], "ignore_default_args": TAKEN_AWAY}
