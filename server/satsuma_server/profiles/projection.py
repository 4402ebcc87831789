"""Profiles as a projection: it follows the log, answers questions, and undoes links, in the second process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec
from starlette.routing import BaseRoute

from satsuma_server.backoff import Backoff
from satsuma_server.errors import BadRequestError, CollectorError, NotFoundError, UnavailableError
from satsuma_server.identity.extraction import ExtractedIdentifiers, IdentifierExtractor
from satsuma_server.identity.identifiers import PROFILE, Key
from satsuma_server.identity.reach import Reach
from satsuma_server.identity.rules import Rules
from satsuma_server.log import ReadableLog, Stored
from satsuma_server.log.follower import Follower
from satsuma_server.log.positions import seq_at
from satsuma_server.run_to_completion import run_to_completion
from satsuma_server.settings import Settings

from . import Link, Page, Profile, TimelineEvent, Totals, Usage
from .store.connect import open_database
from .store.database import Database
from .store.expiry import Expired, Old
from .store.queries import Place, Queries
from .store.store import Store

CURSOR = "profiles"
MOST_A_PAGE = 1000
FAR = 2**62
CATCH_UP_SECONDS = 30

MOST_BYTES = 8 << 20
"""The most bytes of rows that are written at once. A batch of usual events has only a fraction of it."""

logger = logging.getLogger("satsuma.profiles")


class Profiles:
    """Follows the log, and implements `satsuma_server.profiles.ProfileReader`. Use it from one event loop only.

    Attributes:
        rules: the rules for which identifiers are one person.
        version: a number that increases with every change.
    """

    def __init__(self, settings: Settings, log: ReadableLog) -> None:
        from .api.routes import Routes

        self.rules = Rules(settings.profiles)
        self.version = 0
        self._settings = settings
        self._log = log
        self._sighter = IdentifierExtractor(self.rules)
        self._follower = Follower(log, CURSOR, self._take, self._skip)
        self._routes = Routes(settings, self, log)
        self._opening: asyncio.Task[None] | None = None
        self._why_closed = "profiles are being opened: try again in a moment"
        self._store: Store | None = None
        self._queries: Queries | None = None
        self._databases: list[Database] = []
        self._writing, self._reading = asyncio.Lock(), asyncio.Lock()
        self._taken = asyncio.Condition()

    def routes(self) -> Sequence[BaseRoute]:
        return self._routes.all()

    async def start(self) -> None:
        self._opening = asyncio.create_task(self._open_on(), name="satsuma-profiles-open")

    async def stop(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await self._follower.stop()
        # Threads have to finish before their connections are closed.
        async with self._writing, self._reading:
            for database in self._databases:
                database.close()

    # Questions

    async def find(self, key: Key, only: Collection[Key] | None = None) -> Profile | None:
        def work(queries: Queries) -> Profile | None:
            number = queries.number_of(key)
            return None if number is None else queries.find(number, only)

        return await self._ask(work)

    async def get(self, key: Key, only: Collection[Key] | None = None) -> Profile:
        """Do the same as `find`, but raise `NotFoundError` where there is no profile."""
        profile = await self.find(key, only)
        if profile is None:
            raise NotFoundError(f"no event has named {str(key)[:200]} yet")
        return profile

    async def recent(self, limit: int = 50, cursor: str = "") -> Page[Profile]:
        before = _whole(cursor)

        def work(queries: Queries) -> Page[Profile]:
            found = queries.recent(_bounded(limit), before)
            profiles = [profile for number, _ in found if (profile := queries.find(number))]
            return Page(tuple(profiles), str(found[-1][1]) if len(found) == _bounded(limit) else "")

        return await self._ask(work)

    async def timeline(
        self, number: int, limit: int = 50, cursor: str = "", only: Collection[Key] | None = None
    ) -> Page[TimelineEvent]:
        before = _place(cursor)
        found = await self._ask(lambda queries: queries.timeline(number, _bounded(limit), before, only))
        stored = {one.seq: one for one in await self._log.pick([seq for seq, _, _ in found])}
        moments = tuple(_moment(seq, at, key, stored.get(seq)) for seq, at, key in found)
        return Page(moments, f"{found[-1][1]}.{found[-1][0]}" if len(found) == _bounded(limit) else "")

    async def links(self, number: int, only: Collection[Key] | None = None) -> Sequence[Link]:
        return await self._ask(lambda queries: queries.links(number, only))

    async def link(self, number: int) -> Link:
        """Return a link by its number. Raises `NotFoundError` where there is none."""
        found = await self._ask(lambda queries: queries.link(number))
        if found is None:
            raise NotFoundError(f"there is no link {number}")
        return found

    async def warnings(self, limit: int = 50, cursor: str = "") -> Page[Link]:
        before = _whole(cursor)
        found = await self._ask(lambda queries: queries.warnings(_bounded(limit), before))
        return Page(tuple(found), str(found[-1].number) if len(found) == _bounded(limit) else "")

    async def usage(self) -> Sequence[Usage]:
        return await self._ask(lambda queries: queries.usage())

    async def totals(self) -> Totals:
        return await self._ask(lambda queries: queries.totals())

    # Changes

    async def undo(self, number: int) -> Link:
        await self._write(lambda store: store.undo(number))
        return await self.link(number)

    async def start_anew(self) -> None:
        """Rebuild all profiles from the log, while questions are still answered. Links that people have undone stay
        undone."""
        await self._follower.stop()
        await self._write(lambda store: store.start_anew())
        await self._log.save_cursor(CURSOR, 0)
        self._follower = Follower(self._log, CURSOR, self._take, self._skip)
        self._follower.start()

    async def resolve(self, key: Key, seq: int, reach: Reach) -> tuple[frozenset[Key], frozenset[Key]]:
        """Return the identifiers of a person, and those of the profile that nothing verifies to be theirs.

        Args:
            key: one of the identifiers, or a profile as a whole.
            seq: wait until the events up to this one are processed.
            reach: which links are followed from `key` on.

        Raises:
            UnavailableError: the events are still not processed after `CATCH_UP_SECONDS`.
            NotFoundError: there is no profile with this number.
        """
        await self._catch_up(seq)
        found, left_out = await self.reach(key, reach)
        if key.type != PROFILE:
            return found | {key}, left_out
        if not found:
            raise NotFoundError(f"there is no profile {key.value}")
        return found, left_out

    async def reach(self, key: Key, reach: Reach) -> tuple[frozenset[Key], frozenset[Key]]:
        """Do the same as `resolve`, but with what is known now."""
        return await self._ask(lambda queries: queries.reach(key, reach))

    async def forget(self, keys: Iterable[Key], seq: int, start: Key | None = None) -> frozenset[Key]:
        """Forget people, also in the files on disk; return all identifiers that were removed. See `Store.forget`."""
        everything = await self._write(lambda store: store.forget(keys, seq, start))
        await self._write(lambda store: store.clean())
        return everything

    async def expire(self, before: float) -> int:
        """Remove people who were not seen since a time, and the times of older events, also in the files on disk.

        This is done in portions, between which events and questions get their turn.

        Args:
            before: the time, in milliseconds since 1970.

        Returns:
            how many identifiers are gone.

        Raises:
            UnavailableError: events are not processed yet, among which may be newer ones of the same people.
        """
        last = await asyncio.to_thread(lambda: self._log.last)
        await self._catch_up(last)
        done = await self._ask(lambda queries: queries.seq())
        first = await self._log.read(0, 1)
        # What is not in the log any more came before what is.
        gone = first[0].seq - 1 if first else last
        old = Old(int(before), max(gone, await seq_at(self._log, before, last) - 1))
        count = await self._expire(lambda store, after: store.expire(after, old), done)
        await self._expire(lambda store, after: store.expire_moments(after, old), done)
        await self._write(lambda store: store.clean())
        return count

    async def _expire(self, work: Callable[[Store, int], Expired], done: int) -> int:
        def portion(store: Store) -> Expired:
            # Profiles that are being built anew have not seen anybody's newest events.
            return work(store, after) if store.seq >= done else Expired(0, None)

        count, after = 0, 0
        while True:
            expired = await self._write(portion)
            count += expired.count
            if expired.next is None:
                return count
            after = expired.next

    # Between the event loop and the threads

    async def _open_on(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._open()
                return
            except CollectorError as error:
                self._why_closed = f"profiles can't be opened: {error}"
                logger.error("profiles can't be opened; trying again", extra={"reason": str(error)})
                await backoff.wait()

    async def _open(self) -> None:
        def work() -> tuple[Store, Queries]:
            with contextlib.ExitStack() as stack:
                made = []
                for reading in (False, True):
                    database = open_database(self._settings.profiles, self._settings.data, reading=reading)
                    stack.callback(database.close)
                    made.append(database)
                store = Store(made[0], self.rules)
                stack.pop_all()
                self._databases = made
                return store, Queries(made[1])

        self._store, self._queries = await asyncio.to_thread(work)
        # The store itself knows best up to which event it is. Its file may be older than the cursor in the log, or
        # gone.
        await self._log.save_cursor(CURSOR, await self._write(lambda store: store.seq))
        self._follower.start()

    async def _take(self, events: Sequence[Stored]) -> None:
        def work(store: Store) -> None:
            for sightings, last in self._portions(events):
                store.take(sightings, last)

        await self._write(work)
        async with self._taken:
            self._taken.notify_all()

    async def _skip(self, event: Stored) -> None:
        await self._write(lambda store: store.take([], event.seq))

    def _portions(self, events: Sequence[Stored]) -> Iterator[tuple[list[ExtractedIdentifiers], int]]:
        """Yield the identifiers in events, in parts that are written at once, each with the seq of its last event."""
        sightings: list[ExtractedIdentifiers] = []
        size = 0
        for event in events:
            if sighting := self._sighter.read(event):
                sightings.append(sighting)
                size += sighting.size
            if size > MOST_BYTES:
                yield sightings, event.seq
                sightings, size = [], 0
        yield sightings, events[-1].seq

    async def _catch_up(self, seq: int) -> None:
        async def come() -> None:
            while await self._is_behind(seq):
                async with self._taken:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._taken.wait(), 1)

        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                await come()
        except TimeoutError as error:
            raise UnavailableError("profiles are behind the log: try again in a minute") from error

    async def _is_behind(self, seq: int) -> bool:
        """Tell whether the log has an event up to `seq` that is not processed yet.

        Erased events keep their seq, but nobody can process them: the log may end with some.
        """
        done = await self._ask(lambda queries: queries.seq())
        if done >= seq:
            return False
        waiting = await self._log.read(done, 1)
        return bool(waiting) and waiting[0].seq <= seq

    async def _ask[T](self, work: Callable[[Queries], T]) -> T:
        async with self._reading:
            queries = self._queries
            if queries is None:
                raise UnavailableError(self._why_closed)
            return await run_to_completion(lambda: work(queries))

    async def _write[T](self, work: Callable[[Store], T]) -> T:
        async with self._writing:
            store = self._store
            if store is None:
                raise UnavailableError(self._why_closed)
            try:
                return await run_to_completion(lambda: work(store))
            finally:
                self.version += 1


def _moment(seq: int, at: int, key: Key, stored: Stored | None) -> TimelineEvent:
    event = None if stored is None else msgspec.json.decode(stored.body)
    return TimelineEvent(seq, "" if stored is None else stored.source, key, at, event)


def _bounded(limit: int) -> int:
    return max(1, min(limit, MOST_A_PAGE))


def _whole(cursor: str) -> int:
    if not cursor:
        return FAR
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise BadRequestError("is none that was given out", path="?cursor")
    return int(cursor)


def _place(cursor: str) -> Place:
    if not cursor:
        return Place(FAR, FAR)
    at, _, seq = cursor.partition(".")
    return Place(-_whole(at[1:]) if at.startswith("-") else _whole(at), _whole(seq))
