"""Work in threads that is never left alone with what it uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def run_to_completion[T](work: Callable[[], T]) -> T:
    """Do in a thread what must have ended before its caller goes on, even where that is cancelled."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
