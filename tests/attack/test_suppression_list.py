"""Whoever has a copy of the data folder can't try out ids against the suppression list if its secret lies elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from satsuma_server.errors import SettingsError, UnavailableError
from satsuma_server.identity.identifiers import ANONYMOUS_ID, USER_ID, Key
from satsuma_server.identity.rules import ProfileSettings, Rules
from satsuma_server.privacy.hashed_ids import DIGEST_BYTES
from satsuma_server.privacy.suppression import FILE, Suppressed, read_secret
from satsuma_server.settings import make_settings
from satsuma_server.testing import running

RULES = Rules(ProfileSettings())
ANN, BOB = Key(USER_ID, "ann", ""), Key(ANONYMOUS_ID, "device-of-bob", "")
GUESSES = [Key(kind, value, "") for kind in (USER_ID, ANONYMOUS_ID) for value in ("ann", "bob", "device-of-bob")]
SECRET = "0123456789abcdef" * 4


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A data folder, and a file with a secret elsewhere."""
    data, file = tmp_path / "data", tmp_path / "secrets" / "suppression"
    data.mkdir()
    file.parent.mkdir()
    file.write_text(SECRET + "\n")
    yield data, file


def found_by_guessing(data: Path) -> list[Key]:
    """Do as a thief of the folder does, who knows how the list is made."""
    head, *digests = (data / FILE).read_text().splitlines()
    salt = bytes.fromhex(head.split()[0])
    return [
        key
        for key in GUESSES
        if hashlib.blake2b("\0".join(key).encode(), key=salt, digest_size=DIGEST_BYTES).hexdigest() in digests
    ]


def test_a_stolen_list_tells_nothing_without_its_secret(folders: tuple[Path, Path]) -> None:
    data, file = folders
    Suppressed(data, RULES).add([ANN, BOB])
    assert found_by_guessing(data) == [ANN, BOB]
    wrapped = Suppressed(data, RULES, read_secret(file, data))
    assert found_by_guessing(data) == []
    assert [key for key in GUESSES if key in wrapped] == [ANN, BOB]


def test_a_list_goes_on_when_it_is_wrapped(folders: tuple[Path, Path]) -> None:
    data, file = folders
    Suppressed(data, RULES).add([ANN])
    secret = read_secret(file, data)
    Suppressed(data, RULES, secret).add([BOB])
    Suppressed(data, RULES, secret).remove([ANN])
    again = Suppressed(data, RULES, secret)
    assert [key for key in GUESSES if key in again] == [BOB]


@pytest.mark.parametrize("other", [b"", b"another secret of 32 bytes or more"])
def test_a_list_with_another_secret_is_not_taken_for_an_empty_one(folders: tuple[Path, Path], other: bytes) -> None:
    data, file = folders
    Suppressed(data, RULES, read_secret(file, data)).add([ANN])
    before = (data / FILE).read_text()
    with pytest.raises(UnavailableError, match="suppression_secret_file"):
        Suppressed(data, RULES, other)
    assert (data / FILE).read_text() == before


def test_a_collector_keeps_people_out_with_the_secret_in_its_settings(folders: tuple[Path, Path]) -> None:
    data, file = folders
    Suppressed(data, RULES).add([ANN])
    with running(data, suppression_secret_file=file) as collector:
        for user_id in ("ann", "eve"):
            httpx.post(f"{collector.url}/v1/track", json={"event": "E", "userId": user_id}).raise_for_status()
        assert [event["userId"] for event in collector.events()] == ["eve"]
    assert found_by_guessing(data) == []


def test_a_secret_that_is_none_is_told_of_at_the_start(folders: tuple[Path, Path]) -> None:
    data, file = folders
    with pytest.raises(SettingsError, match="openssl"):
        read_secret(file.with_name("missing"), data)
    file.write_text("short")
    with pytest.raises(SettingsError, match="fewer than 32 bytes"):
        read_secret(file, data)
    beside = data / "secret"
    beside.write_text(SECRET)
    with pytest.raises(SettingsError, match="beside the list"):
        read_secret(beside, data)


def test_the_file_is_found_from_the_settings_file(tmp_path: Path) -> None:
    config = tmp_path / "satsuma.toml"
    config.write_text('suppression_secret_file = "secret"\n[[sources]]\nwrite_key = "shop"')
    assert make_settings(config).suppression_secret_file == tmp_path / "secret"
