"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from postgres_server import postgres_server

# Hypothesis judges answers, not the time that a busy machine takes for them.
settings.register_profile("satsuma", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("satsuma")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a fresh Postgres, of this run alone."""
    with postgres_server() as url:
        yield url
