"""The visitor of one request: reads the cookies, makes calls, and returns the cookies to set. ASGI and WSGI use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

from satsuma.arguments import AliasCall, IdentifyCall, PageCall, TrackCall
from satsuma.diagnostics import Diagnostics
from satsuma.environment import Environment
from satsuma.errors import SatsumaError
from satsuma.events import EventFactory, Moment
from satsuma.options import LoadOptions
from satsuma.platforms.cpython.calls import About, call_options
from satsuma.platforms.cpython.event_text import object_of
from satsuma.platforms.cpython.ids import Id, id_of, new_id
from satsuma.send_queue import Event

from .client import Client
from .identity import Mint, RequestIdentity
from .messages import LIBRARY
from .visit import Visit

Traits = Mapping[str, Any] | None
Options = dict[str, Any]
Make = Callable[[Options, Moment], Event]


class Visitor:
    """The visitor who sent a request.

    The calls are `Client`'s, without the ids, which are the visitor's own: those of the cookies that the SDK keeps in
    the browser. As in `Client`, none raises, and each returns the event's messageId, or None if there is no event.

    Attributes:
        visit: the request.
    """

    def __init__(
        self,
        client: Client,
        visit: Visit,
        options: LoadOptions,
        *,
        mint: Mint = Mint.NAVIGATIONS,
        refresh: bool = False,
    ) -> None:
        """Continue with the identity in the request's cookies.

        Args:
            options: analytics.js's load options, as the page has them.
            mint: when a visitor without an anonymousId gets one.
            refresh: whether the ids' cookies are set again each time the visitor opens a page, which renews their year.
        """
        self.visit = visit
        self._client = client
        self._remarked = False
        self._delivers = options.delivers()
        self._identity = identity = RequestIdentity(visit, options, mint=mint, refresh=refresh)
        self._factory = EventFactory(
            identity.user, visit.environment, identity.cookies, options.integrations, self._remark
        )

    # Ids

    @property
    def anonymous_id(self) -> str | None:
        """The anonymousId; None where there is none and none may be created."""
        return self._identity.anonymous_id

    @property
    def user_id(self) -> str | None:
        """The userId, None for an unknown visitor."""
        return self._identity.user.id()

    @property
    def group_id(self) -> str | None:
        """The groupId, None for none."""
        return self._identity.group.id()

    # Calls

    def identify(self, user_id: Id | None = None, traits: Traits = None, **about: Unpack[About]) -> str | None:
        """Set who the visitor is, or what is known of them. The browser continues with the userId.

        If the userId differs from the visitor's, a new anonymousId is created, as in the browser.
        """
        return self._call("identify", about, partial(self._identify, id_of(user_id), traits))

    def track(self, event: str, properties: Traits = None, **about: Unpack[About]) -> str | None:
        """Record what the visitor did."""

        def make(options: Options, moment: Moment) -> Event:
            return self._factory.track(TrackCall(options, event=event, properties=_object(properties)), moment)

        return self._call("track", about, make)

    def page(
        self, category: str | None = None, name: str | None = None, properties: Traits = None, **about: Unpack[About]
    ) -> str | None:
        """Record that the visitor saw a page: the requested one, unless the properties describe another."""

        def make(options: Options, moment: Moment) -> Event:
            call = PageCall(options, category=category, name=name, properties=_object(properties))
            return self._factory.page(call, moment)

        return self._call("page", about, make)

    def screen(
        self, category: str | None = None, name: str | None = None, properties: Traits = None, **about: Unpack[About]
    ) -> str | None:
        """Record that the visitor saw a screen of an app."""

        def make(options: Options, moment: Moment) -> Event:
            call = PageCall(options, category=category, name=name, properties=_object(properties))
            return self._factory.screen(call, moment)

        return self._call("screen", about, make)

    def group(self, group_id: Id, traits: Traits = None, **about: Unpack[About]) -> str | None:
        """Set the group that the visitor belongs to."""

        def make(options: Options, moment: Moment) -> Event:
            self._changes("group")
            self._identity.join(id_of(group_id))
            call = IdentifyCall(options, id=self.group_id, traits=_object(traits))
            return self._factory.group(call, moment)

        return self._call("group", about, make)

    def alias(self, user_id: Id, previous_id: Id | None = None, **about: Unpack[About]) -> str | None:
        """Declare that two ids are one person. `previous_id` defaults to the visitor's own id."""

        def make(options: Options, moment: Moment) -> Event:
            return self._factory.alias(AliasCall(options, to=id_of(user_id), from_=id_of(previous_id)), moment)

        return self._call("alias", about, make)

    def reset(self) -> None:
        """Remove the visitor's ids, for example at a logout. The browser continues with a new anonymousId."""
        with self._guarded("reset"):
            self._changes("reset")
            self._identity.reset()

    def consent(self, granted: bool = True) -> None:
        """Set the visitor's answer where the options require consent. It is for this request only; the page has to
        remember it.

        A yes sends the calls made so far. A no drops them and removes the cookies.
        """
        with self._guarded("consent"):
            held = self._identity.grant() if granted else []
            if not granted:
                self._identity.withdraw()
            self._factory = replace(self._factory, user=self._identity.user, cookies=self._identity.cookies)
            for resume in held:
                resume(True)

    # The answer

    def set_cookies(self) -> list[str]:
        """Return the ``Set-Cookie`` headers of the answer. From now on the visitor's ids can't change any more."""
        with self._guarded("set_cookies"):
            return self._identity.set_cookies()
        return []

    # Behind the calls

    def _call(self, kind: str, about: Mapping[str, Any], make: Make) -> str | None:
        with self._guarded(kind):
            moment = Moment(time.time() * 1000, self.visit.page, new_id())
            send = partial(self._send, make, self._described(about), moment)
            return self._identity.when_granted(send)
        return None

    def _remark(self, context: dict[str, Any]) -> None:
        """Report in the request's first event the cookies that were sent more than once."""
        if self._remarked:
            return
        self._remarked = True
        diagnostics = Diagnostics()
        for name, fate in self._identity.strayed().items():
            diagnostics.strayed(name, fate)
        diagnostics.tell(context, {}, {})

    def _described(self, about: Mapping[str, Any]) -> Options:
        """Convert the keyword arguments of a call into options of analytics.js."""
        return call_options(about, {"library": LIBRARY, **({"ip": self.visit.ip} if self.visit.ip else {})})

    def _send(self, make: Make, options: Options, moment: Moment) -> str | None:
        event = make(options, moment)
        event.setdefault("anonymousId", None)
        return self._client.enqueue(event) if self._delivers else None

    def _identify(self, user_id: str | None, traits: Traits, options: Options, moment: Moment) -> Event:
        if user_id is not None:
            self._changes("identify")
            self._identity.identify(user_id)
        return self._factory.identify(IdentifyCall(options, id=self.user_id, traits=_object(traits)), moment)

    def _changes(self, call: str) -> None:
        if self._identity.answered:
            self._client.refuse(call, SatsumaError("the answer has begun: no cookie can be set any more"))

    @contextmanager
    def _guarded(self, call: str) -> Iterator[None]:
        """Keep exceptions of the SDK from the app, and report them."""
        try:
            yield
        except Exception as error:
            self._client.refuse(call, error)


class Visitors:
    """Creates the visitor of each request."""

    def __init__(
        self,
        client: Client,
        options: Mapping[str, Any] | None = None,
        *,
        mint: Mint | str = Mint.NAVIGATIONS,
        refresh: bool = False,
    ) -> None:
        """Take the settings for all visitors; see `Visitor`.

        Raises:
            ValueError: `mint` is not a value of `Mint`.
        """
        self._client = client
        self._options = LoadOptions.from_mapping(options)
        self._mint = Mint(mint)
        self._refresh = refresh

    def visitor(self, method: str, url: str, headers: Mapping[str, str], ip: str | None) -> Visitor:
        """Return the visitor of a request. It never raises. The arguments are those of `Visit.of_request`."""
        try:
            visit = Visit.of_request(method, url, headers, ip)
        except ValueError as error:
            self._client.refuse("visitor", error)
            visit = Visit("", "", {}, Environment())
        return Visitor(self._client, visit, self._options, mint=self._mint, refresh=self._refresh)


def private(cache_control: str) -> str | None:
    """Return the ``Cache-Control`` for an answer that sets a visitor's cookies; None where it can stay as it is.

    Otherwise a shared cache could give one visitor's ids to all others.
    """
    given = [part.strip() for part in cache_control.split(",")]
    if not any(part.lower().startswith(("public", "s-maxage")) for part in given):
        return None
    kept = [part for part in given if not part.lower().startswith(("public", "s-maxage"))]
    return ", ".join(["private", *kept])


def _object(value: Traits) -> dict[str, Any]:
    return object_of(value, "properties")
