"""The newest refused events by kind, and for each kind an explanation of how to fix it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import deque
from dataclasses import dataclass

from satsuma.validation import EVENT_TYPES, MAX_EVENT_BYTES, MAX_ID_LENGTH

from satsuma_server.console.recent_events import RecentEvents
from satsuma_server.errors import CollectorError
from satsuma_server.log import DeadLetter, ReadableLog
from satsuma_server.plans.enforcement import BY_PLAN

MOST = 500
"""The most refused events that are held in memory. The log keeps more."""

LONGEST_RAW = 8 * 1024
LOOK_SECONDS = 0.5
A_LOOK = 200

logger = logging.getLogger("satsuma.console")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of refusal.

    Attributes:
        slug: its name in addresses.
        pattern: a pattern that the reason of such a refusal matches.
        fix: how to fix it, in one or two sentences.
        example: a correct example; empty where there is nothing to show.
        ending: the end of every reason of this kind, which the title says already.
    """

    slug: str
    title: str
    pattern: re.Pattern[str]
    fix: str
    example: str = ""
    ending: str = ""

    def brief(self, reason: str) -> str:
        """Return a reason without its `ending`."""
        return reason.removesuffix(self.ending)


def _kind(slug: str, title: str, pattern: str, fix: str, example: str = "", ending: str = "") -> Kind:
    return Kind(slug, title, re.compile(pattern), fix, example, ending)


KINDS = (
    # This kind is recognized by its end and comes first: the text before may have names and values that look like any
    # other reason.
    _kind(
        "plan",
        "Against the tracking plan",
        rf"{BY_PLAN}$",
        "The reason names the call, and where it is not as planned: a name that nobody planned, a property that lacks "
        "or is of another type. Correct the call. Where the call is right and the plan is behind, add it to the plan's "
        "file and start the collector again; with plan_mode = “mark” events are kept meanwhile, and only marked.",
        '[track."Signed Up".properties]\nplan = {enum = ["free", "premium"]}\nseats = {type = "integer"}',
        BY_PLAN,
    ),
    _kind(
        "nobody",
        "No userId and no anonymousId",
        r"\.userId and \.anonymousId are both missing",
        "Every event says whose it is. In a browser the library fills in anonymousId by itself. On a server give "
        "userId, or the anonymousId that the browser passed along; an empty text or null counts as missing.",
        'analytics.track(user_id="97980cfea0067", event="Signed Up")',
    ),
    _kind(
        "no-name",
        "A track call without an event name",
        r"\.event (is missing|is not a string)",
        "The first argument of track is the event's name, a text that isn't empty. A variable that is undefined, or "
        "the properties given first, are what usually happened.",
        'analytics.track("Order Completed", { total: 12.5 })',
    ),
    _kind(
        "alias",
        "An alias that lacks an id",
        r"an alias needs both",
        "Alias says that two ids are one person, so it needs both: userId is the new one, previousId the old one.",
        'analytics.alias("97980cfea0067", "b6f1…the anonymousId")',
    ),
    _kind(
        "id",
        "An id that can't be one",
        r"^\.(userId|anonymousId|groupId|previousId|messageId) (is not a string|is longer)",
        f"Ids are texts of at most {MAX_ID_LENGTH} characters. Numbers are taken and become text; objects, lists and "
        "true or false are not. Mostly a whole user object was given where its id was meant.",
        "analytics.identify(user.id, { name: user.name })",
    ),
    _kind(
        "name-length",
        "A name that is too long",
        r"^\.event is longer",
        f"An event's name has at most {MAX_ID_LENGTH} characters. What differs from call to call belongs into "
        "properties: names that hold ids or addresses also give the warehouse a table for each.",
        'analytics.track("Article Read", { title: article.title })',
    ),
    _kind(
        "type",
        "A type that doesn't exist",
        r"^\.type ",
        f"In a batch, each event says what it is: one of {', '.join(EVENT_TYPES)}.",
        '{"batch": [{"type": "track", "event": "Signed Up", "userId": "97980cfea0067"}]}',
    ),
    _kind(
        "size",
        "Too large",
        r"is \d+ bytes, the limit",
        f"An event has at most {MAX_EVENT_BYTES // 1024} kB. Look for a picture, a whole page or a list that grows in "
        "its properties; send what identifies them instead.",
    ),
    _kind(
        "object",
        "Something that should be an object",
        r"^\.(context|integrations|properties|traits) is not an object",
        "Properties, traits, context and integrations are objects, or not there at all. A list or a text goes into "
        "one of their fields.",
        'analytics.track("Search", { terms: ["mandarin", "seedless"] })',
    ),
    _kind(
        "depth",
        "Nested too deeply",
        r"nested too deeply",
        "Something holds itself, or a whole tree of a page was given. Send the few values that matter.",
    ),
    _kind(
        "json",
        "Not JSON",
        r"is not JSON|is not a JSON object|not a batch in JSON",
        "What came isn't JSON, or isn't an object. Libraries do this right: look for a request that is put together by "
        "hand, or cut off on its way.",
        "curl -u my-site: -H 'Content-Type: application/json' -d '{…}' …/v1/track",
    ),
    _kind(
        "set-aside",
        "Accepted, and set aside afterwards",
        r"^\w+ can't take event \d+",
        "The event is in the log, but one of those who follow it couldn't take it, not even alone, and has gone on "
        "without it. The reason says who and why. Everything before and after it is there. Mostly it is an event that "
        "nobody sends by mistake; if it is one of yours, tell us.",
    ),
    _kind(
        "other",
        "Something else",
        r"",
        "The reason says which part of the event is wrong, in JavaScript's dotted form.",
    ),
)
BY_SLUG = {kind.slug: kind for kind in KINDS}


def kind_of(reason: str) -> Kind:
    """Return the kind of a reason. The last kind matches every reason."""
    return next(kind for kind in KINDS if kind.pattern.search(reason))


class Refusals:
    """Follows the log's refused events."""

    def __init__(self, log: ReadableLog, window: RecentEvents) -> None:
        """Take the log, and the recent events whose waiters are woken when there are more refusals."""
        self._log = log
        self._window = window
        self._letters: deque[DeadLetter] = deque(maxlen=MOST)
        self._task: asyncio.Task[None] | None = None
        self.last = 0
        self.counts: dict[str, int] = {}

    async def start(self) -> None:
        """Read the existing refused events, then follow."""
        with contextlib.suppress(CollectorError):
            while await self._look():
                pass
        self._task = asyncio.create_task(self._follow(), name="satsuma-refusals")

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def newest(self, slug: str = "", most: int = MOST) -> list[DeadLetter]:
        """Return the refused events that are held, of one kind if one is named, newest first."""
        letters = [one for one in reversed(self._letters) if not slug or kind_of(one.reason).slug == slug]
        return letters[:most]

    def after(self, number: int, most: int) -> list[DeadLetter]:
        """Return the newest `most` refused events above an id, oldest first."""
        return [one for one in self._letters if one.id > number][-most:]

    def get(self, number: int) -> DeadLetter | None:
        """Return one refused event; None where it isn't held any more."""
        return next((one for one in self._letters if one.id == number), None)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                while await self._look():
                    pass
            except CollectorError as error:
                logger.error("refused events can't be read", extra={"reason": str(error)})

    async def _look(self) -> bool:
        letters = await self._log.dead_letters(self.last, A_LOOK)
        for letter in letters:
            self._letters.append(letter._replace(raw=letter.raw[:LONGEST_RAW]))
            slug = kind_of(letter.reason).slug
            self.counts[slug] = self.counts.get(slug, 0) + 1
            self.last = letter.id
        if letters:
            self._window.wake()
        return len(letters) == A_LOOK
