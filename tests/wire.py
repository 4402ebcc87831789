"""A network for the client on a server: it answers as a test says, and remembers what it carried."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from satsuma.platforms.server import Answer

Event = dict[str, Any]


class Wire:
    """A `Transport` without a network.

    Attributes:
        answers: of the posts to come; 200 once there are none left. An exception is raised.
        posts: the events of each post.
        times: of each post, by `time.monotonic`.
        kept: the events of posts that were answered well, in order.
    """

    def __init__(self, *answers: int | Answer | Exception) -> None:
        self.answers = list(answers)
        self.posts: list[list[Event]] = []
        self.times: list[float] = []
        self.kept: list[Event] = []
        self.open = threading.Event()
        """While it isn't set, posts have no answer."""
        self.open.set()
        self.arrived = threading.Semaphore(0)
        self.forks = 0

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        content = json.loads(body)
        events = content.get("batch", [content])
        self.posts.append(events)
        self.times.append(time.monotonic())
        self.arrived.release()
        assert self.open.wait(30)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        answer = answer if isinstance(answer, Answer) else Answer(answer)
        if answer.status < 300:
            self.kept += events
        return answer

    def close(self) -> None:
        pass

    def forked(self) -> None:
        self.forks += 1
