"""The subjects of the log's messages.

Each source has its events in one of a few lanes, so that a source with very many doesn't hold up all others. A lane
has three subjects in the stream: its events, an index of their ids, and its refused events.
"""

from __future__ import annotations

import zlib

LANES = 8


class Subjects:
    """The subjects of one log, all of which begin with its stream's name.

    Attributes:
        all: what the stream takes.
        events, index, refused: those of all lanes.
        heartbeat: takes messages without a meaning, of which the newest is kept.
        committed: where collectors tell each other and followers that something is new. It is not stored.
        state_stream: the name of the other stream, which has cursors.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self.events, self.index, self.refused = (f"{stream}.{kind}.*" for kind in ("event", "index", "refused"))
        self.heartbeat = f"{stream}.heartbeat"
        self.committed = f"{stream}.committed"
        self.state_stream = f"{stream}-state"
        self.all = [self.events, self.index, self.refused, self.heartbeat]

    def event(self, lane: int) -> str:
        return f"{self._stream}.event.{lane}"

    def index_of(self, lane: int) -> str:
        return f"{self._stream}.index.{lane}"

    def letter(self, lane: int) -> str:
        return f"{self._stream}.refused.{lane}"

    def state(self, name: str) -> str:
        """Return the subject of one value in the other stream."""
        return f"{self._stream}.state.{name}"

    def cursor(self, follower: str) -> str:
        """Return the subject of a follower's cursor; its name may have any characters."""
        return self.state(f"cursor-{follower.encode().hex()}")

    def follower_of(self, subject: str) -> str | None:
        """Return the follower whose cursor a subject is; None for other subjects."""
        prefix = self.state("cursor-")
        return bytes.fromhex(subject.removeprefix(prefix)).decode() if subject.startswith(prefix) else None


def lane_of(source: str) -> int:
    """Return the lane of a source, the same in every collector and for ever."""
    return zlib.crc32(source.encode()) % LANES
