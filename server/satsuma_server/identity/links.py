"""Links between identifiers: why two were linked, what came of it, and what is noted about it."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What came of a link.

    Attributes:
        ADDED: an identifier that was new joined the profile.
        MERGED: two profiles became one.
        KNOWN: both were one person already.
        REFUSED: a rule keeps them apart.
    """

    ADDED = "added"
    MERGED = "merged"
    KNOWN = "known"
    REFUSED = "refused"


class Rule(StrEnum):
    """Why two identifiers were linked.

    Attributes:
        SAME_EVENT: one event carried both.
        ALIAS: an alias named the one as the other's previous id.
        PREVIOUS: an id turned out to be the one that an alias had named.
        SIGNED: one event carried both, and its userId was signed.
        SERVER: one event carried both, and a server sent it with a secret key.
    """

    SAME_EVENT = "same_event"
    ALIAS = "alias"
    PREVIOUS = "previous_id"
    SIGNED = "signed"
    SERVER = "server"


VERIFIED = frozenset({Rule.SIGNED, Rule.SERVER})
"""Rules of links that nobody can make by guessing an id."""


class LinkWarning(StrEnum):
    """What a link is noted for.

    Attributes:
        LIMIT: the profile would have more identifiers of a type than it may.
        TWO_USERS: two userIds are two people: the other identifier stays with the first.
        USER_ID_CHANGE: an alias tried to change a userId, which can't be.
        UNDONE: somebody has undone the merge of the two.
        RATE_LIMIT: too many identifiers came for a userId from one address within an hour. One link an hour is noted.
        DISPLACED: nothing verifies it, and it gave way to what is verified, or to what was seen later.
        LATE_ALIAS: the user had been identified before the alias, too late for Mixpanel and Kissmetrics.
    """

    LIMIT = "limit"
    TWO_USERS = "two_users"
    USER_ID_CHANGE = "user_id_change"
    UNDONE = "undone"
    RATE_LIMIT = "rate_limit"
    DISPLACED = "displaced"
    LATE_ALIAS = "late_alias"
