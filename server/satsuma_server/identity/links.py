"""Links between identifiers: the rule, the outcome, and the warnings."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a link.

    Attributes:
        ADDED: a new identifier joined the profile.
        MERGED: two profiles became one.
        KNOWN: both were the same person already.
        REFUSED: a rule forbids to merge them.
    """

    ADDED = "added"
    MERGED = "merged"
    KNOWN = "known"
    REFUSED = "refused"


class Rule(StrEnum):
    """Why two identifiers were linked.

    Attributes:
        SAME_EVENT: one event had both.
        ALIAS: an alias named one as the previous id of the other.
        PREVIOUS: an id was seen that an alias had named before.
        SIGNED: one event had both, and its userId was signed.
        SERVER: one event had both, and a server sent it with a secret key.
    """

    SAME_EVENT = "same_event"
    ALIAS = "alias"
    PREVIOUS = "previous_id"
    SIGNED = "signed"
    SERVER = "server"


VERIFIED = frozenset({Rule.SIGNED, Rule.SERVER})
"""Rules of verified links, which nobody can cause by guessing an id."""


class LinkWarning(StrEnum):
    """A warning about a link.

    Attributes:
        LIMIT: the profile would have more identifiers of a type than it may.
        TWO_USERS: two userIds are two people, so the other identifier stays with the first.
        USER_ID_CHANGE: an alias tried to change a userId, which is not possible.
        UNDONE: somebody has undone the merge of the two.
        RATE_LIMIT: too many identifiers for a userId came from one address within an hour. Only the first is recorded.
        DISPLACED: the link is not verified, and was removed in favour of a verified or a newer one.
        LATE_ALIAS: the alias came after an identify of the user, which is too late for Mixpanel and Kissmetrics.
    """

    LIMIT = "limit"
    TWO_USERS = "two_users"
    USER_ID_CHANGE = "user_id_change"
    UNDONE = "undone"
    RATE_LIMIT = "rate_limit"
    DISPLACED = "displaced"
    LATE_ALIAS = "late_alias"
