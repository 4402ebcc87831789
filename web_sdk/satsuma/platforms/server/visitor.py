"""The visitor of one request: cookies in, calls, cookies out. Adapters for ASGI and WSGI stand on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict, Unpack

from satsuma.arguments import AliasCall, IdentifyCall, PageCall, TrackCall
from satsuma.diagnostics import Diagnostics
from satsuma.environment import Environment
from satsuma.errors import SatsumaError
from satsuma.events import EventFactory, Moment
from satsuma.options import LoadOptions
from satsuma.send_queue import Event

from .client import Client
from .identity import Mint, RequestIdentity
from .ids import new_id
from .messages import LIBRARY, Id, Time, id_of, object_of, time_text
from .visit import Visit

Traits = Mapping[str, Any] | None
Options = dict[str, Any]
Make = Callable[[Options, Moment], Event]


class About(TypedDict, total=False):
    """What every call takes by keyword; see `Client`."""

    context: Traits
    timestamp: Time | None
    integrations: Traits
    message_id: str | None


class Visitor:
    """Whom a request comes from.

    The calls are `Client`'s, without the ids, which are the visitor's own: those of the cookies that the SDK keeps in
    the browser. As there, none raises, and each returns the event's messageId, or None where it made no event.

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
        """Take up the identity that the request's cookies hold.

        Args:
            options: analytics.js's load options, as the page has them.
            mint: when a visitor without an anonymousId gets one.
            refresh: set the ids' cookies anew whenever the visitor opens a page, so that their year begins again.
        """
        self.visit = visit
        self._client = client
        self._remarked = False
        self._delivers = options.delivers()
        self._identity = identity = RequestIdentity(visit, options, mint=mint, refresh=refresh)
        self._factory = EventFactory(
            identity.user, visit.environment, identity.cookies, options.integrations, self._remark
        )

    # Who it is

    @property
    def anonymous_id(self) -> str | None:
        """The anonymousId; None where there is none and none may be made."""
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
        """Say who the visitor is, or what is known of them; the browser goes on with the userId.

        Another userId than the visitor's begins a new anonymousId, as in the browser.
        """
        return self._call("identify", about, partial(self._identify, id_of(user_id), traits))

    def track(self, event: str, properties: Traits = None, **about: Unpack[About]) -> str | None:
        """Say what the visitor did."""

        def make(options: Options, moment: Moment) -> Event:
            return self._factory.track(TrackCall(options, event=event, properties=_object(properties)), moment)

        return self._call("track", about, make)

    def page(
        self, category: str | None = None, name: str | None = None, properties: Traits = None, **about: Unpack[About]
    ) -> str | None:
        """Say that the visitor saw a page: the one asked for, unless the properties tell of another."""

        def make(options: Options, moment: Moment) -> Event:
            call = PageCall(options, category=category, name=name, properties=_object(properties))
            return self._factory.page(call, moment)

        return self._call("page", about, make)

    def screen(
        self, category: str | None = None, name: str | None = None, properties: Traits = None, **about: Unpack[About]
    ) -> str | None:
        """Say that the visitor saw a screen of an app."""

        def make(options: Options, moment: Moment) -> Event:
            call = PageCall(options, category=category, name=name, properties=_object(properties))
            return self._factory.screen(call, moment)

        return self._call("screen", about, make)

    def group(self, group_id: Id, traits: Traits = None, **about: Unpack[About]) -> str | None:
        """Say which group the visitor belongs to."""

        def make(options: Options, moment: Moment) -> Event:
            self._changes("group")
            self._identity.join(id_of(group_id))
            call = IdentifyCall(options, id=self.group_id, traits=_object(traits))
            return self._factory.group(call, moment)

        return self._call("group", about, make)

    def alias(self, user_id: Id, previous_id: Id | None = None, **about: Unpack[About]) -> str | None:
        """Say that two ids are one person. `previous_id` is the visitor's own where it isn't given."""

        def make(options: Options, moment: Moment) -> Event:
            return self._factory.alias(AliasCall(options, to=id_of(user_id), from_=id_of(previous_id)), moment)

        return self._call("alias", about, make)

    def reset(self) -> None:
        """Forget who the visitor is, as at a logout: the browser goes on with a new anonymousId."""
        with self._guarded("reset"):
            self._changes("reset")
            self._identity.reset()

    def consent(self, granted: bool = True) -> None:
        """Take the visitor's answer, where the options ask for one: for this request, the page has to remember it.

        A yes sends the calls made so far; a no drops them and removes the cookies.
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
        """Let the request's first event tell of cookies that came more than once."""
        if self._remarked:
            return
        self._remarked = True
        diagnostics = Diagnostics()
        for name, fate in self._identity.strayed().items():
            diagnostics.strayed(name, fate)
        diagnostics.tell(context, {}, {})

    def _described(self, about: Mapping[str, Any]) -> Options:
        """Return what a call takes by keyword, as options of analytics.js."""
        context = {"library": LIBRARY, **({"ip": self.visit.ip} if self.visit.ip else {})}
        options: Options = {"context": {**context, **object_of(about.get("context"), "context")}}
        if about.get("timestamp") is not None:
            options["timestamp"] = time_text(about["timestamp"])
        if about.get("message_id"):
            options["messageId"] = str(about["message_id"])
        options["integrations"] = object_of(about.get("integrations"), "integrations")
        return options

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
        """Let no exception of ours reach the app."""
        try:
            yield
        except Exception as error:
            self._client.refuse(call, error)


class Visitors:
    """Makes the visitor of each request."""

    def __init__(
        self,
        client: Client,
        options: Mapping[str, Any] | None = None,
        *,
        mint: Mint | str = Mint.NAVIGATIONS,
        refresh: bool = False,
    ) -> None:
        """Take what is the same for all of them; see `Visitor`.

        Raises:
            ValueError: `mint` is none of `Mint`.
        """
        self._client = client
        self._options = LoadOptions.from_mapping(options)
        self._mint = Mint(mint)
        self._refresh = refresh

    def visitor(self, method: str, url: str, headers: Mapping[str, str], ip: str | None) -> Visitor:
        """Return the visitor of a request, whatever it holds; arguments as `Visit.of_request`."""
        try:
            visit = Visit.of_request(method, url, headers, ip)
        except ValueError as error:
            self._client.refuse("visitor", error)
            visit = Visit("", "", {}, Environment())
        return Visitor(self._client, visit, self._options, mint=self._mint, refresh=self._refresh)


def private(cache_control: str) -> str | None:
    """Return what an answer that sets a visitor's cookies has to say in place of its ``Cache-Control``; None: as it is.

    A cache that serves many would hand one visitor's ids to all.
    """
    given = [part.strip() for part in cache_control.split(",")]
    if not any(part.lower().startswith(("public", "s-maxage")) for part in given):
        return None
    kept = [part for part in given if not part.lower().startswith(("public", "s-maxage"))]
    return ", ".join(["private", *kept])


def _object(value: Traits) -> dict[str, Any]:
    return object_of(value, "properties")
