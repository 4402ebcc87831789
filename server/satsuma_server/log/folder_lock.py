"""Keeps a second collector out of a data folder.

Two writers would give the same seq to different events. Followers would then pass over what one of them has
acknowledged.
"""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path

from satsuma_server.errors import UnavailableError

logger = logging.getLogger("satsuma.log")


class FolderLock:
    """The right to write to the log of a folder. It ends with the process that has it, however that ends."""

    def __init__(self, data: Path) -> None:
        """Take it, and make the folder where it is missing.

        Raises:
            UnavailableError: another process has it, or the folder can't be opened.
        """
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The folder itself is locked: a file for it would be copied, deleted and restored with the others.
            self._descriptor: int | None = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise UnavailableError(f"the folder {data} can't be opened: {error}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise UnavailableError(
                f"another collector writes to {data}: stop it first, or name another folder. Collectors that share a "
                "log need one on NATS (docs/scaling.md)"
            ) from None
        except OSError as error:
            logger.warning("the data folder can't be locked: let no other collector use it", extra={"why": str(error)})

    def release(self) -> None:
        """Give it up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
