"""Explains links in words."""

from __future__ import annotations

from satsuma.clock import iso_time

from satsuma_server.identity.identifiers import PREVIOUS_ID, USER_ID
from satsuma_server.identity.links import LinkWarning, Outcome, Rule
from satsuma_server.profiles import Link

WARNINGS = {
    LinkWarning.LIMIT: "A profile may not have so many identifiers of this type, so they stay apart.",
    LinkWarning.TWO_USERS: "Two userIds are two people: {right} stays with the one that it was linked to first, and "
    "events that carry {left} are that one's.",
    LinkWarning.USER_ID_CHANGE: "A userId can't be changed: {previous} keeps its events, and {user} is another person.",
    LinkWarning.UNDONE: "Somebody has declared that they are two people.",
    LinkWarning.RATE_LIMIT: "Too many identifiers came for it from one address within an hour: somebody may be "
    "guessing ids. Others of this hour are not noted; a device joins when it comes again later.",
    LinkWarning.DISPLACED: "Nothing verifies the link, and it gave way to one that is verified or was seen later.",
    LinkWarning.LATE_ALIAS: "The user had been identified before: Mixpanel and Kissmetrics need the alias before the "
    "identify, and don't join the anonymous history any more.",
}


def explain(link: Link) -> str:
    """Return an explanation of what a link did and why, in a few sentences."""
    event = f"event {link.message_id} (number {link.seq}, {iso_time(link.at)}, source {link.source})"
    reason = {
        Rule.SAME_EVENT: f"{event} carried both",
        Rule.ALIAS: f"the alias of {event} says so",
        Rule.PREVIOUS: f"an alias had named it, as {event} shows",
        Rule.SIGNED: f"{event} carried both, and the userId was signed",
        Rule.SERVER: f"{event} of a server carried both",
    }[link.rule]
    told = {
        Outcome.ADDED: f"{link.right} and {link.left} are one person, since {reason}.",
        Outcome.MERGED: f"Profile {link.gone} became part of profile {link.kept}: {link.left} and {link.right} are one "
        f"person, since {reason}.",
        Outcome.KNOWN: f"{link.left} and {link.right} were one person already when {event} carried both.",
        Outcome.REFUSED: f"{link.left} and {link.right} are not taken for one person, although {reason}.",
    }[link.outcome]
    user = next((str(key) for key in (link.right, link.left) if key.type == USER_ID), str(link.left))
    aliased = next((key.value for key in (link.left, link.right) if key.type == PREVIOUS_ID), str(link.right))
    names = {"left": link.left, "right": link.right, "user": "the new one", "previous": f"{USER_ID}:{aliased}"}
    if link.rule != Rule.PREVIOUS:
        names["user"] = user
    return " ".join([told, *(WARNINGS[warning].format(**names) for warning in link.warnings)])
