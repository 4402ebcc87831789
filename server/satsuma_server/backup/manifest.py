"""The manifest of a backup: what belongs to it, and how to see that all of it is there unchanged."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from satsuma_server.errors import BackupError

FILE = "manifest.json"
FORMAT = 1


class CopiedFile(msgspec.Struct, frozen=True):
    """One file of a backup; `path` is relative to the backup."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup has. It is written last, so a folder without one is no whole backup.

    Attributes:
        format: version of the backup's layout.
        satsuma: version of Satsuma that made it.
        made_at: ISO 8601 time in UTC.
        log: where the log was kept: ``file`` or ``nats``.
        last: seq of the newest event when the backup began; the log in it has this one and perhaps newer ones.
        cursors: for each follower that keeps its place in the log, the seq up to which its own store has come.
        files: all files but the manifest.
    """

    format: int
    satsuma: str
    made_at: str
    log: str
    last: int
    cursors: dict[str, int]
    files: list[CopiedFile]

    @property
    def size(self) -> int:
        """How many bytes all files have."""
        return sum(one.size for one in self.files)


def list_files(folder: Path) -> list[CopiedFile]:
    """Return all files below a folder with their checksums, and sync them to disk. Raises `OSError`."""
    return [_look(folder, path) for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / FILE]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a backup's manifest durably. Raises `OSError`."""
    with (folder / FILE).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)))
        file.flush()
        os.fsync(file.fileno())
    for path in (folder, folder.parent):
        _sync(path)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup.

    Raises:
        BackupError: the folder is no whole backup, or was made by a newer version of Satsuma.
    """
    try:
        manifest = msgspec.json.decode((folder / FILE).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise BackupError(f"{folder} is no whole backup, since {FILE} can't be read: {error}") from error
    if manifest.format > FORMAT:
        raise BackupError(f"{folder} was made by Satsuma {manifest.satsuma}: restore it with that version or a newer")
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare all files of a backup with its manifest.

    Raises:
        BackupError: one is missing, was changed, or is not named there.
    """
    named = {FILE, *(one.path for one in manifest.files)}
    for path in sorted(folder.rglob("*")):
        # A link to a folder is none of our folders.
        if (path.is_symlink() or not path.is_dir()) and path.relative_to(folder).as_posix() not in named:
            raise BackupError(f"{path} is not of this backup, as {FILE} says: move it away")
    for one in manifest.files:
        path = folder / one.path
        try:
            # A path out of the folder would be an error too: it is compared with those that are in it.
            is_same = path.resolve().is_relative_to(folder.resolve()) and _look(folder, path) == one
        except OSError as error:
            raise BackupError(f"the backup lacks {one.path}: {error.strerror}") from error
        if not is_same:
            raise BackupError(f"{path} is not as it was when the backup was made: take another backup")


def _look(folder: Path, path: Path) -> CopiedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        return CopiedFile(path.relative_to(folder).as_posix(), os.fstat(file.fileno()).st_size, digest)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
