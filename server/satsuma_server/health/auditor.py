"""Audits the newest events of a log. It runs in the child process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from satsuma_server.audit import History, Report, run_audit
from satsuma_server.log import ReadableLog
from satsuma_server.read_api.event_rows import rows
from satsuma_server.settings import Settings

EVENTS_A_READ = 2_000
BYTES_A_READ = 4 << 20


async def audit_log(settings: Settings, log: ReadableLog, folder: Path) -> Report:
    """Return what the rules find in the newest events, as many and as old as `Settings.health` says.

    Args:
        settings: the collector's.
        log: its log.
        folder: where the database of the audit may lie.
    """
    wish = settings.health
    after = max(0, log.last - wish.most_events)
    since = datetime.now(UTC) - timedelta(days=wish.days)
    with History(settings.audit, folder, complete=after == 0, since=since) as history:
        while events := await log.read(after, EVENTS_A_READ, BYTES_A_READ):
            history.add([line.rstrip(b"\n") for line in rows(events)])
            after = events[-1].seq
        return run_audit(history)
