"""``DELETE /v1/people/{id_type}:{id}``: deletes a person from the log, from the projections, and from the files on
disk.

This is the collector's part, since only the collector writes the log. It asks the second process for the person's
identifiers, and tells it to forget them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from satsuma_server.destinations.deletion_store import FILE as FORWARDED
from satsuma_server.errors import NotFoundError, UnavailableError
from satsuma_server.http.auth import authorize
from satsuma_server.identity.identifiers import PROFILE, Key
from satsuma_server.identity.reach import Reach
from satsuma_server.identity.rules import Rules
from satsuma_server.log import Erased, EventLog
from satsuma_server.plans.violations import Violations
from satsuma_server.profiles.api.paths import key_in
from satsuma_server.settings import Settings

from . import FORGET, RESOLVE, reach_in
from .deleted_ids import DeletedIds
from .erasure_check import SHORTEST, find_in_files
from .person_matcher import ErasureMatcher
from .suppression import Suppressed

ROUNDS = 5
"""How often a deletion is repeated because new events brought more identifiers of the person meanwhile."""

SERVERS = "the files of the log's servers, which overwrite an erased event at once and in their journal within minutes"
"""What the answer says of files that can't be searched from here."""

WAITING = f"{FORWARDED}, which has the ids until every destination has acknowledged that it deletes the person"

NOBODY = Key("nobody", "")
"""From here no link leads to anybody: of a person only the given identifiers are forgotten."""

LOOK_SECONDS, PATIENCE_SECONDS = 0.2, 3_600
"""How often, and for how long, the second process is asked that is still starting."""

AskWorker = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Posts JSON to an internal route and returns the answer. Raises `UnavailableError` where there is no second
process."""


class Deletion:
    """Deletes people, one at a time."""

    def __init__(
        self,
        settings: Settings,
        log: EventLog,
        suppressed: Suppressed,
        deleted: DeletedIds,
        violations: Violations,
        ask: AskWorker,
    ) -> None:
        self._settings = settings
        self._log = log
        self._violations = violations
        self._suppressed = suppressed
        self._deleted = deleted
        self._ask = ask
        self._rules = Rules(settings.profiles)
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the routes, from the collector's root on."""
        return [Route("/v1/people/{person:text}", self._answer, methods=["DELETE"])]

    async def _answer(self, request: Request) -> Response:
        authorize(request, self._settings)
        key, rest = key_in(request, "/v1/people/", self._rules)
        reach = reach_in(request)
        if rest == ["suppression"]:
            self._suppressed.remove((await self._who(key, reach))[0])
            return JSONResponse({"success": True})
        if rest:
            raise NotFoundError("there is nothing to delete below a person but the suppression")
        suppress = request.query_params.get("suppress") == "1"
        async with self._one_at_a_time:
            return JSONResponse({"success": True, **await self.delete(key, reach, suppress=suppress)})

    async def delete(self, key: Key, reach: Reach, *, suppress: bool) -> dict[str, Any]:
        """Delete the person whom an identifier belongs to, and return what was done.

        Identifiers that are linked, but not verified to be of one person with `key`, stay; the answer names them.

        Raises:
            UnavailableError: the log or the second process can't do it now. Repeating the request continues the
                deletion.
        """
        erased = Erased()
        rows = 0
        keys, left_out = await self._who(key, reach)
        start = key if reach is Reach.VERIFIED and key.type != PROFILE else None
        noted = frozenset[Key]()
        for _ in range(ROUNDS):
            self._deleted.add(keys - noted)
            noted = keys
            if suppress:
                self._suppressed.add(keys)
            told = await self._log.erase(ErasureMatcher(self._rules, keys))
            erased = Erased(
                erased.events + told.events,
                erased.redacted + told.redacted,
                erased.dead_letters + told.dead_letters,
                told.last,
            )
            answer = await self._ask(FORGET, {"keys": sorted(keys), "seq": told.last, "start": start})
            rows += answer["rows"]
            everything = keys | _keys(answer["keys"])
            if everything == keys:
                break
            keys = everything
        await asyncio.to_thread(self._violations.forget, {key.value for key in keys})
        return {
            "identifiers": _told(keys),
            "left_out": _told(left_out - keys),
            "erased": asdict(erased),
            "warehouse_rows": rows,
            "suppressed": suppress,
            **await self._prove(keys),
        }

    async def repeat(self, keys: Iterable[Key]) -> list[str]:
        """Delete exactly these identifiers once more, which an older backup has brought back.

        Returns:
            the files in which one of them was still found.

        Raises:
            UnavailableError: the log or the second process can't do it.
        """
        everything = frozenset(keys)
        # All identifiers of a deletion are of one space.
        for space in sorted({key.space for key in everything}):
            some = [key for key in sorted(everything) if key.space == space]
            told = await self._log.erase(ErasureMatcher(self._rules, some))
            await self._ask_patiently(FORGET, {"keys": some, "seq": told.last, "start": NOBODY})
        await asyncio.to_thread(self._violations.forget, {key.value for key in everything})
        return list((await self._prove(everything))["still_found_in"])

    async def _ask_patiently(self, path: str, body: Mapping[str, Any]) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return await self._ask(path, body)
            except UnavailableError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(LOOK_SECONDS)

    async def _who(self, key: Key, reach: Reach) -> tuple[frozenset[Key], frozenset[Key]]:
        """Return the identifiers of a person, and those of the profile that are left out.

        Where no profile has the identifier, it is the only one.
        """
        answer = await self._ask(RESOLVE, {"key": key, "seq": self._log.last, "reach": reach})
        return _keys(answer["keys"]), _keys(answer["left_out"])

    async def _prove(self, keys: frozenset[Key]) -> dict[str, Any]:
        values = {key.value for key in keys}
        data = self._settings.data
        found = await asyncio.to_thread(find_in_files, data, values)
        if any(name.startswith("events.sqlite3") for name in found):
            await self._log.compact()
            found = await asyncio.to_thread(find_in_files, data, values)
        waiting = [name for name in found if name.startswith(FORWARDED)]
        unsure = sorted(value for value in values if len(value.encode()) < SHORTEST)
        return {
            "still_found_in": [name for name in found if name not in waiting],
            "too_short_to_look_for": unsure,
            "not_searched": [
                *([SERVERS] if self._settings.log is not None else ()),
                *([WAITING] if waiting else ()),
            ],
        }


def _told(keys: Iterable[Key]) -> list[dict[str, str]]:
    return [{"type": one.type, "id": one.value} for one in sorted(keys)]


def _keys(told: list[list[str]]) -> frozenset[Key]:
    return frozenset(msgspec.convert(told, list[Key]))


async def no_worker(path: str, body: Mapping[str, Any]) -> Any:
    """Raise `UnavailableError`; this is used in place of the client where there is no second process."""
    raise UnavailableError("only the worker knows who a person is: start the collector without --no-worker")
