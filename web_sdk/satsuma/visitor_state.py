"""Who the visitor of a page is at one moment. A state is never changed, but replaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from .arguments import IdentifyCall
from .environment import REFERRER_KEY
from .events import Event, EventFactory, Moment
from .identity import Group, User


@dataclass(frozen=True, slots=True)
class VisitorState:
    """The visitor's identity, with what builds events for it.

    Attributes:
        user, group: the identities, over the stores or, where nothing may be kept, in memory.
        events: builds events with the ids of `user`.
    """

    user: User
    group: Group
    events: EventFactory

    def identify(self, call: IdentifyCall, moment: Moment) -> Event:
        """Set the userId and traits of a call, and return its event."""
        user = self.user
        user.identify(user.id() if call.id is None else call.id, call.traits)
        held = IdentifyCall(call.options, call.callback, user.id(), user.traits() or {})
        return self.events.identify(held, moment)

    def join_group(self, call: IdentifyCall, moment: Moment) -> Event:
        """Set the groupId and traits of a call, and return its event."""
        group = self.group
        group.identify(group.id() if call.id is None else call.id, call.traits)
        held = IdentifyCall(call.options, call.callback, group.id(), group.traits() or {})
        return self.events.group(held, moment)

    def clear(self) -> None:
        """Remove everything that the stores keep of the visitor."""
        self.user.clear()
        self.group.clear()
        self.events.cookies.clear(REFERRER_KEY)
