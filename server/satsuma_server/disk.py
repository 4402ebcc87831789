"""How much room there is for a folder that may not be there yet."""

from __future__ import annotations

import shutil
from pathlib import Path


def room_for(folder: Path) -> tuple[Path, int]:
    """Return where a folder is or would be made, as far as that exists, and the free bytes on its disk.

    Raises:
        OSError: the disk can't be asked.
    """
    path = folder.absolute()
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    return there, shutil.disk_usage(there).free
