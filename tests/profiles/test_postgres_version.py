"""The Postgres of the profiles: an old one is told of, at the start and by the doctor."""

from __future__ import annotations

import logging

import pytest
from satsuma_server.cli.doctor_postgres import store_findings
from satsuma_server.profiles.store import postgres as of_profiles
from satsuma_server.profiles.store.postgres import Postgres


def test_an_old_server_is_told_of_and_used(
    postgres: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "satsuma.profiles"):
        Postgres(postgres).close()
        assert caplog.records == []
        monkeypatch.setattr(of_profiles, "OLDEST", 99)
        Postgres(postgres).close()
    assert [one.message for one in caplog.records] == ["the profiles' Postgres is older than what was tested"]


def test_the_doctor_tells_the_version(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = store_findings(postgres)
    assert found.well is True
    assert "Postgres is 1" in found.what
    monkeypatch.setattr("satsuma_server.cli.doctor_postgres.OLDEST", 99)
    assert [one.well for one in store_findings(postgres)] == [False]
    assert [one.well for one in store_findings("postgresql://127.0.0.1:1/none")] == [False]
    assert [*store_findings("sqlite")] == []
