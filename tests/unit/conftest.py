from __future__ import annotations

import pytest
from fakes import FakePlatform


@pytest.fixture
def platform() -> FakePlatform:
    """A page without a browser."""
    return FakePlatform()
