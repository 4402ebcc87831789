"""Runs work in a thread, and waits for its end even when the caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def run_to_completion[T](work: Callable[[], T]) -> T:
    """Run work in a thread. A caller that is cancelled goes on only after the thread's work has ended.

    Otherwise the caller could close a file or a connection that the thread is still using.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
