"""Other users of the collector's machine can't read what it stores, or the token in its ready file."""

from __future__ import annotations

import stat
from pathlib import Path

from satsuma_server.testing import running, started


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def test_the_data_and_the_ready_file_are_for_the_collectors_user_alone(tmp_path: Path) -> None:
    data, ready = tmp_path / "data", tmp_path / "ready.json"
    for _ in range(2):
        with started(tmp_path, "serve", "--accept-any-key"):
            assert {name: oct(mode) for name, mode in modes(data).items() if mode & 0o077} == {}
            assert oct(stat.S_IMODE(ready.stat().st_mode)) == "0o600"
        # As an older version has left them.
        for path in (data, *data.iterdir()):
            path.chmod(0o755)


def test_a_folder_with_files_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    shared, sticky = tmp_path / "shared", tmp_path / "sticky"
    for folder in (shared, sticky):
        folder.mkdir()
    (shared / "script").touch()
    shared.chmod(0o755)
    sticky.chmod(0o1777)
    for folder, mode in ((shared, 0o755), (sticky, 0o1777)):
        with running(folder):
            assert oct(modes(folder)[folder.name]) == oct(mode)
