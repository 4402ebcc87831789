"""A function of the operator's own, or a plugin of the SDK's form, that each event is handed to."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from satsuma.plugins import Cancelled, Context

from satsuma_server.destinations import DELETION, DeletedPerson, Fate, Links, Message, Outcome, Payload
from satsuma_server.destinations.functions import load_function
from satsuma_server.forwarding import PythonDestination

from .fields import deletion_message


class PythonFunction:
    """Implements `DestinationClient`.

    A function is called with a `satsuma.plugins.Context`; of a plugin, the hook that has the name of the event's type
    is. An exception has the event tried again; `Cancelled` sets it aside as failed, unless it says ``retry=True``.
    """

    takes_claims = True

    def __init__(self, settings: PythonDestination) -> None:
        """Import the function. Raises `SettingsError` where that fails."""
        found = load_function(settings.python)
        self._plugin = found() if inspect.isclass(found) else found
        self._name = settings.python
        self._seconds = settings.timeout_seconds
        # Threads of its own: what hangs in them uses up no others.
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="satsuma-destination")
        self.most_messages, self.most_bytes = 1, 1 << 62

    def translate(self, event: dict[str, Any], links: Links) -> Sequence[Payload]:
        return (Payload(event),) if self._hook(event) else ()

    def forget(self, person: DeletedPerson) -> Sequence[Payload]:
        is_told = not callable(self._plugin) and callable(getattr(self._plugin, "delete", None))
        return (Payload(deletion_message(person), DELETION),) if is_told else ()

    async def send(self, messages: Sequence[Message]) -> Outcome:
        # A copy, because the function may change it, and then fail.
        event = copy.deepcopy(messages[0].payload.body)
        hook = self._hook(event)
        assert hook is not None
        try:
            async with asyncio.timeout(self._seconds):
                await self._call(hook, Context(event))
        except TimeoutError:
            return Outcome(Fate.LATER, f"it took more than {self._seconds:g} s")
        except Cancelled as error:
            return Outcome(Fate.LATER if error.retry else Fate.REFUSED, str(error)[:300])
        except Exception as error:
            return Outcome(Fate.LATER, f"{type(error).__name__}: {error}"[:300])
        return Outcome(Fate.DELIVERED)

    def preview(self, messages: Sequence[Message]) -> str:
        body = msgspec.json.format(msgspec.json.encode(messages[0].payload.body)).decode()
        return f"{self._name} is called with a Context of\n{body}"

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _hook(self, event: dict[str, Any]) -> Callable[[Context], Any] | None:
        named = self._plugin if callable(self._plugin) else getattr(self._plugin, str(event.get("type")), None)
        hook: Callable[[Context], Any] | None = named
        return hook

    async def _call(self, hook: Callable[[Context], Any], context: Context) -> None:
        if inspect.iscoroutinefunction(hook):
            await hook(context)
            return
        answer = await asyncio.get_running_loop().run_in_executor(self._threads, hook, context)
        if inspect.isawaitable(answer):
            await answer
