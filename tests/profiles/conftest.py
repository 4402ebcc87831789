from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from profiles.people import People


@pytest.fixture
def make_people(tmp_path: Path) -> Callable[..., People]:
    """A function that makes a fresh store by settings."""

    def make(**settings: Any) -> People:
        return People(tmp_path, **settings)

    return make


@pytest.fixture
def people(make_people: Callable[..., People]) -> Iterator[People]:
    """A fresh store with the default settings."""
    made = make_people()
    yield made
    made.store.close()
