"""A write key that was changed ends in its time, and the source stays the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from satsuma_server.errors import SettingsError
from satsuma_server.settings import Source, WriteKey, make_settings
from satsuma_server.testing import running

BEFORE, LATER = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize("accept_any_key", [False, True])
def test_keys_count_until_they_end(tmp_path: Path, accept_any_key: bool) -> None:
    others = (WriteKey("new"), WriteKey("for a time", LATER), WriteKey("over", BEFORE))
    source = Source("shop", write_key_until=BEFORE, other_write_keys=others)
    with running(tmp_path, sources=(source,), accept_any_key=accept_any_key) as collector:
        for key, status in (("new", 200), ("for a time", 200), ("over", 401), ("shop", 401)):
            event = {"event": "Seen", "userId": "ann", "writeKey": key}
            assert httpx.post(f"{collector.url}/v1/track", json=event).status_code == status, key
        assert [event["writeKey"] for event in collector.events()] == ["shop", "shop"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('other_write_keys = [{key = "shop"}]', "2 times"),
        ('other_write_keys = [{key = "blog"}]', "2 times"),
        ("write_key_until = 2027-01-31T00:00:00", "zone"),
    ],
)
def test_keys_that_are_unclear_are_told_at_the_start(tmp_path: Path, lines: str, told: str) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text(f'[[sources]]\nwrite_key = "blog"\n[[sources]]\nwrite_key = "shop"\n{lines}\n')
    with pytest.raises(SettingsError, match=told):
        make_settings(file)
