"""The events of an audit in one table, in a DuckDB of its own that is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from satsuma_server.settings import AuditSettings

from .columns import EVENTS, insert_statement
from .derived import CLOCKS, DERIVED, FORGET_REPEATED, REPEATED, STEADY_TIMES
from .lines import NOT_JSON, NOT_UTF8, Lines, as_texts

if TYPE_CHECKING:
    import pyarrow as pa

NO_EVENT = "an object without a type, or with one that no call has"
REFUSED_BY_ENGINE = "refused by the database"

PART_EVENTS = 2_048
"""Events that the engine takes at a time. It has two threads, and each takes a part."""

CALLS = ("track", "page", "screen", "identify", "group", "alias")

CONFIG = {
    # Nothing of ours reads a file or the network by SQL, and no query may become one that does.
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    # Rows of tables that are made anew need not stay in the order of the old.
    "preserve_insertion_order": "false",
}


class History:
    """Events that an audit looks at. Use as a context manager: what it wrote aside is removed at the end.

    Attributes:
        unreadable: what was no event, by reason.
        repeated: messages that had come before.
    """

    def __init__(
        self,
        settings: AuditSettings | None = None,
        folder: Path | None = None,
        *,
        complete: bool = False,
        since: datetime | None = None,
    ) -> None:
        """Make an empty one.

        Args:
            settings: thresholds of rules.
            folder: what does not fit into memory lies in a folder of its own in this one, or where temporary files do.
            complete: nothing happened before its first event. Otherwise some visits were under way then.
            since: events that were received before this time are left out. It has a time zone.
        """
        self.settings = settings or AuditSettings()
        self._since = since
        self._head_minutes = 0 if complete else self.settings.session_minutes
        self.unreadable: Counter[str] = Counter()
        self.repeated = 0
        self._folder = Path(tempfile.mkdtemp(prefix="satsuma-audit-", dir=folder))
        spill = {"memory_limit": self.settings.memory, "temp_directory": str(self._folder / "spill"), "threads": "2"}
        # Imported where it is needed: the command line imports this module, and a collector has no use for the engine.
        import duckdb

        self._error = duckdb.Error
        self._connection = duckdb.connect(":memory:", config={**CONFIG, **spill})
        self._connection.execute("SET TimeZone = 'UTC'")
        # It would be drawn on standard output, where the report goes.
        self._connection.execute("SET enable_progress_bar = false")
        # Everything can be read again, so that no file and no write-ahead log is worth its time. To compress the rows
        # each time some megabytes have come takes longer than to write aside what does not fit.
        self._connection.execute("SET checkpoint_threshold = '1TB'")
        self._connection.execute(EVENTS)
        given = self.settings
        self._insert = insert_statement(given.sign_up_events, given.login_events, given.logout_events)
        self._count = 0
        self._has_broken = False
        self._is_ready = False

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was written aside."""
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def read(self, stream: BinaryIO, progress: Callable[[int], None] = lambda count: None) -> None:
        """Add the events of a file or pipe: NDJSON or JSON, gzipped or not. `progress` is told of bytes read."""
        lines = Lines(stream, progress)
        for texts in lines.columns():
            self._add(texts)
        self.unreadable += lines.unreadable

    def add(self, events: Sequence[bytes]) -> None:
        """Add events, each as JSON."""
        import pyarrow as pa

        texts, unreadable = as_texts(pa.array(events, pa.binary()))
        if unreadable:
            self.unreadable[NOT_UTF8] += unreadable
        if len(texts):
            self._add(pa.chunked_array([texts[at : at + PART_EVENTS] for at in range(0, len(texts), PART_EVENTS)]))

    def _add(self, texts: pa.ChunkedArray) -> None:
        if self._has_broken:
            # One that has broken lines mostly has more, and to try in vain takes longer than to look.
            texts = self._whole(texts)
        if not len(texts):
            return
        try:
            self._put(texts)
        except self._error:
            # A text that the engine stumbles over costs itself, and none of its neighbours.
            whole = self._whole(texts)
            if len(whole) < len(texts):
                self._has_broken = True
                self._add(whole)
            elif len(texts) == 1:
                self.unreadable[REFUSED_BY_ENGINE] += 1
            else:
                half = len(texts) // 2
                self._add(texts[:half])
                self._add(texts[half:])

    def _whole(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the texts that are JSON, and count the others."""
        import pyarrow as pa

        with self._given(pa.table({"line": texts})):
            table = self._connection.sql("SELECT line FROM given WHERE json_valid(line)").to_arrow_table()
        if broken := len(texts) - len(table):
            self.unreadable[NOT_JSON] += broken
        return table["line"].cast("string")

    def _put(self, texts: pa.ChunkedArray) -> None:
        import numpy as np
        import pyarrow as pa

        places = np.arange(self._count + 1, self._count + 1 + len(texts))
        with self._given(pa.table({"place": places, "line": texts})):
            self._connection.execute(self._insert)
        self._count += len(texts)

    @contextmanager
    def _given(self, table: pa.Table) -> Iterator[None]:
        self._connection.register("given", table)
        try:
            yield
        finally:
            self._connection.unregister("given")

    def ready(self) -> None:
        """Take out what is no event and what came twice, and make the tables that rules share. Call it once."""
        if self._is_ready:
            return
        self._is_ready = True
        listed = ", ".join(f"'{call}'" for call in CALLS)
        self.unreadable[NO_EVENT] += self._changed(f"DELETE FROM events WHERE type IS NULL OR type NOT IN ({listed})")
        if self._since is not None:
            self._leave_out(self._since)
        self._connection.execute(REPEATED)
        self.repeated = self._changed(FORGET_REPEATED)
        for statement in (CLOCKS, STEADY_TIMES, *DERIVED):
            self.run(statement)
        self.unreadable += Counter()  # Without what was counted as 0.

    def _leave_out(self, since: datetime) -> None:
        old = "DELETE FROM events WHERE coalesce(received_at, ts) < $since::TIMESTAMPTZ AT TIME ZONE 'UTC'"
        if int(self._rows(old, {"since": since})[0][0]):
            self._head_minutes = self.settings.session_minutes

    def run(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of one statement. Of `values` and the settings, those count that it names with a ``$``."""
        given = {**self.settings.values(), "head_minutes": self._head_minutes, **values}
        return self._rows(sql, {name: value for name, value in given.items() if f"${name}" in sql})

    def _rows(self, sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values or None).fetchall()

    def _changed(self, sql: str) -> int:
        return int(self._rows(sql)[0][0])


def history_of(events: Iterable[bytes], settings: AuditSettings | None = None) -> History:
    """Return a history of events that are given as JSON, ready for rules."""
    made = History(settings)
    made.add(list(events))
    made.ready()
    return made
