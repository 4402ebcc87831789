"""What a collector is told at its start."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

RUNTIME = Path(__file__).parent / "assets" / "runtime"
"""Where `./dev build`, or the wheel, puts the browser's files."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one collector.

    Attributes:
        data: folder of the log; made where it is missing.
        token: opens what reads data back. Unlike write keys it is secret.
        write_keys: the sources that may write.
        accept_any_key: take events of any source, also of none. For demos and tests.
        api_host: host (and port) that browsers post to; None follows the request's Host header.
        trust_proxy: believe X-Forwarded-For, -Proto and -Host.
        dedupe_hours: how long a messageId is remembered.
        max_pending: events that may wait to be written; beyond, clients are asked to come back.
        runtime: folder of the browser's files.
    """

    data: Path
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    write_keys: frozenset[str] = frozenset()
    accept_any_key: bool = False
    api_host: str | None = None
    trust_proxy: bool = False
    dedupe_hours: float = 24
    max_pending: int = 20_000
    runtime: Path = RUNTIME

    def accepts(self, write_key: str | None) -> bool:
        """Tell whether a source may write."""
        return self.accept_any_key or (write_key is not None and write_key in self.write_keys)
