"""Counts what was not as planned, in one small file beside the log."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from satsuma.clock import iso_time

from satsuma_server.errors import UnavailableError

from .model import Violation

FILE = "violations.json"
MOST = 1_000
"""The most different violations that are counted separately. Event names are whatever somebody sends."""

REST = "…"
"""The event name under which all other violations are counted."""

WITHOUT_VALUE = frozenset({"unplanned", "required", "additionalProperties"})
"""The rules whose reasons have no value of the event."""

SAVE_SECONDS = 1.0

logger = logging.getLogger("satsuma.plans")
Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class Count:
    """How often one rule was broken at one place.

    Attributes:
        reason: the reason of the newest violation, without any value of the event: this file stays when a person is
            deleted.
        refused: how many of the events were refused; the others were kept with a mark.
        firstAt, lastAt: ISO 8601 times of receipt of the first and the newest event.
        messageId: the messageId of the newest event, where it had one.
    """

    source: str
    type: str
    event: str
    path: str
    rule: str
    reason: str = ""
    count: int = 0
    refused: int = 0
    firstAt: str = ""  # noqa: N815
    lastAt: str = ""  # noqa: N815
    messageId: str | None = None  # noqa: N815


class Violations:
    """The counts of one collector. They may be used from any thread."""

    def __init__(self, data: Path) -> None:
        """Read the counts in the folder `data`. A file that can't be read is replaced by an empty one."""
        self._file = data / FILE
        self._lock = threading.Lock()
        self._counts = self._read()
        self._timer: threading.Timer | None = None

    @property
    def total(self) -> int:
        """How many violations there were."""
        with self._lock:
            return sum(count.count for count in self._counts.values())

    def note(self, source: str, found: Iterable[Violation], message_id: object, *, refused: bool) -> None:
        """Count the violations of one event. They are written to the file within a second."""
        now = iso_time(time.time() * 1000)
        with self._lock:
            for violation in found:
                count = self._count(source, violation, now)
                count.count += 1
                count.refused += refused
                count.reason, count.lastAt = violation.summary or violation.reason, now
                count.messageId = message_id if isinstance(message_id, str) else None
            if self._timer is None:
                self._timer = threading.Timer(SAVE_SECONDS, self.save)
                self._timer.daemon = True
                self._timer.start()

    def list(self) -> list[dict[str, Any]]:
        """Return the counts, those with the newest violations first."""
        with self._lock:
            return [asdict(one) for one in sorted(self._counts.values(), key=lambda one: one.lastAt, reverse=True)]

    def forget(self, ids: Collection[str]) -> int:
        """Remove the counts that have one of these ids in a name, also from the file; return how many there were.

        The messageIds of all counts go, too, since any of them may be that of an event of these people. The next
        violation brings another one.

        Raises:
            UnavailableError: the file can't be written.
        """
        with self._lock:
            kept = {key: count for key, count in self._counts.items() if not _names(count, ids)}
            gone = len(self._counts) - len(kept)
            if gone or any(count.messageId for count in kept.values()):
                self._counts = kept
                for count in kept.values():
                    count.messageId = None
                try:
                    self._write()
                except OSError as error:
                    raise UnavailableError(f"{self._file} can't be written: {error}") from error
        return gone

    def save(self) -> None:
        """Write the counts now."""
        with self._lock:
            timer, self._timer = self._timer, None
            if timer is None:
                return
            timer.cancel()
            try:
                self._write()
            except OSError as error:
                logger.warning("the counts of violations could not be written", extra={"error": str(error)})

    def _write(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps([asdict(one) for one in self._counts.values()], ensure_ascii=False), "utf-8")
        part.replace(self._file)

    def _count(self, source: str, violation: Violation, now: str) -> Count:
        kind, event, path, rule, *_ = violation
        key = (source, kind, event, path, rule)
        if key not in self._counts and len(self._counts) >= MOST:
            key = (source if len(self._counts) < 2 * MOST else REST, kind, REST, "", rule)
        return self._counts.setdefault(key, Count(*key, firstAt=now))

    def _read(self) -> dict[Key, Count]:
        try:
            counts = [_without_value(Count(**row)) for row in json.loads(self._file.read_text("utf-8"))]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as error:
            logger.warning("the counts of violations can't be read: they start anew", extra={"error": str(error)})
            return {}
        return {(one.source, one.type, one.event, one.path, one.rule): one for one in counts}


def _names(count: Count, ids: Collection[str]) -> bool:
    return any(id in text for text in (count.event, count.path, count.reason) for id in ids)


def _without_value(count: Count) -> Count:
    """Return a count as it is kept now. Earlier versions kept values of events in the reasons."""
    if count.reason.startswith(("is not as ", "is of type ")) or count.rule in WITHOUT_VALUE:
        return count
    return replace(count, reason=f"is not as {count.rule} says")
