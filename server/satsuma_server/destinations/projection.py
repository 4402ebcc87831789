"""All destinations as one projection: each follows the log by itself, in the second process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from functools import partial

from starlette.routing import BaseRoute

from satsuma_server.backoff import Backoff
from satsuma_server.errors import BadRequestError, ConflictError, NotFoundError, SettingsError, UnavailableError
from satsuma_server.forwarding import Destination, Forwarding
from satsuma_server.log import ReadableLog
from satsuma_server.log.positions import seq_at
from satsuma_server.run_to_completion import run_to_completion
from satsuma_server.settings import Settings

from . import Counts, DeletedPerson, DeletionRequest, DestinationStatus, Failed, Sent
from .deletion_store import DeletionStore
from .functions import load_function
from .kinds import make_client
from .routes import Routes
from .runner import Runner
from .store import FILE, Store

MOST_FAILED_A_PAGE = 1_000

logger = logging.getLogger("satsuma.destinations")


class Destinations:
    """Implements `DestinationReader`, and what the routes and the deletion of people need."""

    def __init__(self, settings: Settings, log: ReadableLog) -> None:
        self._settings = settings
        self._log = log
        self._store: Store | None = None
        self._deletions: DeletionStore | None = None
        self._runners: dict[str, Runner] = {}
        self._broken: dict[str, str] = {}
        self._opening: asyncio.Task[None] | None = None
        self._why_closed = "the destinations are being opened: try again in a moment"

    def routes(self) -> Sequence[BaseRoute]:
        return Routes(self._settings, self).routes()

    async def start(self) -> None:
        # The file of destinations that were taken out of the settings still has failed messages.
        if self._settings.destinations or (self._settings.data / FILE).exists():
            self._opening = asyncio.create_task(self._open(), name="satsuma-destinations-open")

    async def stop(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await asyncio.gather(*(runner.close() for runner in self._runners.values()))
        for store in (self._store, self._deletions):
            if store is not None:
                store.close()

    async def statuses(self) -> list[DestinationStatus]:
        if self._settings.destinations:
            self._open_store()
        return [await self._status(one) for one in self._settings.destinations]

    async def failed(self, name: str, limit: int = 100, before: int | None = None) -> list[Failed]:
        self._known(name)
        return await asyncio.to_thread(self._open_store().failed, name, min(limit, MOST_FAILED_A_PAGE), before)

    async def deletions(self, name: str, limit: int = 100) -> list[DeletionRequest]:
        self._known(name)
        return await asyncio.to_thread(self._open_deletions().requests, name, min(limit, MOST_FAILED_A_PAGE))

    def sent(self, name: str) -> list[Sent]:
        self._known(name)
        runner = self._runners.get(name)
        return [] if runner is None else list(runner.sent)

    async def pause(self, name: str) -> DestinationStatus:
        """Stop a destination until it is resumed, also over restarts."""
        runner = self._runner(name)
        await runner.change(partial(self._open_store().pause, name, True))
        return await runner.status()

    async def resume(self, name: str) -> DestinationStatus:
        """Let a destination go on, at once, also where it waits before its next try."""
        runner = self._runner(name)
        await runner.resume()
        return await runner.status()

    async def replay(self, name: str, seq: int | None, since: float | None) -> DestinationStatus:
        """Have events delivered again from a seq, or from a time in milliseconds since 1970, on.

        Raises:
            BadRequestError: neither or both are given.
        """
        if (seq is None) is (since is None):
            raise BadRequestError('give one of {"seq": 1} and {"since": "2026-04-23T22:38:48Z"}')
        runner = self._runner(name)
        last = await asyncio.to_thread(lambda: self._log.last)
        first = seq if seq is not None else await seq_at(self._log, since or 0.0, last)
        cursor = min(max(first - 1, 0), last)
        await runner.change(partial(self._open_store().move, name, cursor))
        return await runner.status()

    async def resend(self, name: str, ids: Sequence[int] | None) -> int:
        """Have failed messages sent again; where `ids` is None all of them, and failed deletions, too. Return how many
        there are."""
        runner = self._runner(name)
        count = await run_to_completion(partial(self._open_store().resend, name, ids))
        if ids is None:
            count += await run_to_completion(partial(self._open_deletions().resend, name))
        runner.wake()
        return count

    async def forget(self, user_ids: Iterable[str], anonymous_ids: Iterable[str], source: str = "") -> int:
        """Remove what is kept about people, whose events are erased from the log already, and have destinations delete
        them that can."""
        if self._opening is None:
            return 0
        store, users, devices = self._open_store(), tuple(user_ids), tuple(anonymous_ids)
        person = DeletedPerson("", users, devices, 0)
        asked = [name for name, runner in self._runners.items() if _knows(runner, person, source)]
        # Before anything is removed: a deletion that fails after this is repeated by whoever asked for it.
        await run_to_completion(partial(self._open_deletions().ask, asked, users, devices))
        for runner in self._runners.values():
            # What it holds may be of these people, so that it reads the log anew.
            await runner.change()
            runner.sent.clear()
        return await run_to_completion(partial(store.forget, {*users, *devices}))

    async def expire(self, before: float) -> int:
        """Remove messages that failed before a time, in milliseconds since 1970; see `privacy.retention.Expiring`."""
        if self._opening is None:
            return 0
        store, deletions, count = self._open_store(), self._open_deletions(), 0
        while removed := await run_to_completion(partial(store.expire, int(before))):
            count += removed
        if count:
            await run_to_completion(store.clean)
        if ended := await run_to_completion(partial(deletions.expire, int(before))):
            await run_to_completion(deletions.clean)
        return count + ended

    async def _open(self) -> None:
        backoff = Backoff()
        while self._store is None:
            try:
                if self._deletions is None:
                    self._deletions = await run_to_completion(partial(DeletionStore, self._settings.data))
                self._store = await run_to_completion(partial(Store, self._settings.data))
            except UnavailableError as error:
                self._why_closed = str(error)
                logger.error("the destinations can't be opened; trying again", extra={"reason": str(error)})
                await backoff.wait()
        for one in self._settings.destinations:
            try:
                runner = await asyncio.to_thread(self._make, one, self._store, self._open_deletions())
            except SettingsError as error:
                logger.error("a destination can't start", extra={"destination": one.name, "reason": str(error)})
                self._broken[one.name] = str(error)
                continue
            try:
                await self._start(runner, backoff)
            except BaseException:
                await runner.close()
                raise
            # Only now it has a state that can be asked for.
            self._runners[one.name] = runner

    async def _start(self, runner: Runner, backoff: Backoff) -> None:
        while True:
            try:
                return await runner.start()
            except UnavailableError as error:
                logger.error("a destination can't start; trying again", extra={"reason": str(error)})
                await backoff.wait()

    def _make(self, settings: Destination, store: Store, deletions: DeletionStore) -> Runner:
        client, address = make_client(settings)
        transform = load_function(settings.transform) if settings.transform else None
        return Runner(settings, address, client, Forwarding(settings, transform), self._log, store, deletions)

    async def _status(self, settings: Destination) -> DestinationStatus:
        runner = self._runners.get(settings.name)
        if runner is not None:
            return await runner.status()
        problem = self._broken.get(settings.name)
        return DestinationStatus(
            name=settings.name,
            type=str(settings.__struct_config__.tag),
            address="",
            state="broken" if problem else "starting",
            cursor=0,
            lag=0,
            counts=Counts(),
            failed_kept=0,
            problem=problem or self._why_closed,
        )

    def _open_store(self) -> Store:
        if self._store is None:
            raise UnavailableError(self._why_closed)
        return self._store

    def _open_deletions(self) -> DeletionStore:
        if self._deletions is None:
            raise UnavailableError(self._why_closed)
        return self._deletions

    def _known(self, name: str) -> None:
        if not any(one.name == name for one in self._settings.destinations):
            raise NotFoundError(f"the settings have no destination {name[:80]!r}")

    def _runner(self, name: str) -> Runner:
        self._known(name)
        self._open_store()
        runner = self._runners.get(name)
        if runner is None:
            raise ConflictError(f"this destination doesn't run: {self._broken.get(name, self._why_closed)}")
        return runner


def _knows(runner: Runner, person: DeletedPerson, source: str) -> bool:
    """Tell whether a destination may have events of a person and can be asked to delete them.

    Where each source has people of its own, somebody else may have the same userId in a destination of other sources.
    """
    sources = runner.settings.sources
    return (not source or not sources or source in sources) and runner.deletions.can_forget(person)
