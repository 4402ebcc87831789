"""The screen Sources: which sources may write, which do, and the snippet to paste."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.assets.snippet import snippet
from satsuma_server.console.forwarded_headers import PREFIX, url_of
from satsuma_server.console.store import HOUR, Store
from satsuma_server.errors import AssetsError
from satsuma_server.settings import Limit, Settings

from .page import Pages

DAY = 86_400
NEW = "my-site"
"""The write key in the snippet where no source is known yet."""


@dataclass(slots=True)
class Sender:
    """One source, as the screen shows it.

    Attributes:
        events: numbers of events of the last day, by type.
        last: start of the newest hour with events, in milliseconds since 1970; 0 where there is none.
        known: whether the source is in the settings.
        identify: whose word on a userId counts, as in the settings.
        limit: how many events it may send; None for any number.
    """

    key: str
    name: str
    origins: tuple[str, ...]
    known: bool
    identify: str
    limit: Limit | None
    events: dict[str, int] = field(default_factory=dict)
    last: float = 0


class Sources:
    """Shows the sources."""

    def __init__(self, settings: Settings, pages: Pages, store: Store) -> None:
        self._settings = settings
        self._pages = pages
        self._store = store

    def routes(self) -> list[Route]:
        """Return its route."""
        return [Route(f"{PREFIX}/sources", self._show)]

    async def _show(self, request: Request) -> Response:
        senders = self._senders()
        chosen = request.query_params.get("key", "")[:200] or (senders[0].key if senders else NEW)
        host = url_of(request, self._settings)
        try:
            text = snippet(chosen, host, self._settings.runtime)
        except AssetsError as error:
            text = f"// {error}"
        return self._pages.show(
            request,
            "sources.html",
            senders=senders,
            chosen=chosen,
            host=host,
            snippet=f"<script>\n{text}</script>",
            short=f'<script src="{host}/analytics.js/snippet.js?writeKey={chosen}"></script>',
            address_limit=self._settings.limits.address,
            kept=self._kept(),
            accepts_any=self._settings.accept_any_key,
            refused=self._settings.source(chosen) is None,
        )

    def _kept(self) -> list[tuple[str, float | None]]:
        """Return for how many days what is kept; None for ever."""
        settings = self._settings
        return [
            ("events", settings.retention_days),
            ("rows of the warehouse", settings.warehouse_retention_days),
            ("people after their last event", settings.profiles_retention_days),
        ]

    def _senders(self) -> list[Sender]:
        named = {one.write_key: one for one in self._settings.sources}
        keys = [*named, *sorted(self._settings.write_keys - named.keys())]
        found = {key: self._sender(key) for key in keys}
        for at, source, kind, count in self._store.volume(HOUR, int(time.time()) - 7 * DAY):
            sender = found.setdefault(source, self._sender(source))
            sender.last = max(sender.last, at * 1000)
            if at > time.time() - DAY:
                sender.events[kind] = sender.events.get(kind, 0) + count
        return sorted(found.values(), key=lambda one: (-sum(one.events.values()), one.key))

    def _sender(self, key: str) -> Sender:
        source = self._settings.source(key)
        known = key in {one.write_key for one in self._settings.sources} or key in self._settings.write_keys
        if source is None:
            return Sender(key, "", (), known, "open", self._settings.limits.source)
        return Sender(
            key, source.name, source.origins, known, source.identify, source.limit or self._settings.limits.source
        )
