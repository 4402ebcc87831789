"""A way out, and a request that fails, in the engines that are not Chromium. All of them run by ``--engine``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from loss import test_ways_out as ways_out
from loss.scene import Scene
from loss.walk import Walk


@pytest.fixture(params=["firefox", "webkit"])
def walk(request: pytest.FixtureRequest, satsuma_engines: Callable[[str], Any], scene: Scene) -> Iterator[Walk]:
    """A visitor with each engine in turn, who was never here."""
    with closing(satsuma_engines(request.param).new_context()) as context:
        yield Walk(scene, context, f"v{request.param}")


def test_a_request_that_fails_is_made_again(walk: Walk) -> None:
    ways_out.test_an_answer_that_is_lost(walk)
