"""Converts profiles into JSON, in the form of Segment's Profile API where that has one."""

from __future__ import annotations

from typing import Any

from satsuma.clock import iso_time

from satsuma_server.profiles import Identifier, Link, Profile, TimelineEvent, Usage

Form = dict[str, Any]


def summary(profile: Profile) -> Form:
    """Return a profile for a list."""
    return {
        "profile": profile.number,
        "user_id": profile.user_id,
        "external_ids": [str(one.key) for one in profile.identifiers],
        "traits": dict(profile.traits),
        "events": sum(profile.counts.values()),
        "first_seen": iso_time(profile.first_seen),
        "last_seen": iso_time(profile.last_seen),
    }


def whole(profile: Profile) -> Form:
    """Return everything of a profile except its events."""
    return {
        **metadata(profile),
        "external_ids": [identifier(one) for one in profile.identifiers],
        "traits": dict(profile.traits),
    }


def metadata(profile: Profile) -> Form:
    """Return what there is of a profile."""
    return {
        "profile": profile.number,
        "user_id": profile.user_id,
        "source_space": profile.space or None,
        "created_at": iso_time(profile.first_seen),
        "updated_at": iso_time(profile.last_seen),
        "last_seq": profile.last_seq,
        "events": sum(profile.counts.values()),
        "events_by_type": dict(profile.counts),
        "external_ids": len(profile.identifiers),
    }


def identifier(one: Identifier) -> Form:
    """Return an identifier, with the link by which it joined its profile."""
    return {
        "id": one.key.value,
        "type": one.key.type,
        "collection": "users",
        "encoding": "none",
        "created_at": iso_time(one.first_seen),
        "last_seen": iso_time(one.last_seen),
        "events": one.events,
        "joined_by": None if one.link is None else link(one.link),
    }


def link(one: Link) -> Form:
    """Return a link, with the event that caused it and an explanation."""
    return {
        "number": one.number,
        "left": {"type": one.left.type, "id": one.left.value},
        "right": {"type": one.right.type, "id": one.right.value},
        "rule": one.rule.value,
        "outcome": one.outcome.value,
        "warnings": [warning.value for warning in one.warnings],
        "undone": one.undone,
        "event": {"message_id": one.message_id, "seq": one.seq, "source": one.source, "timestamp": iso_time(one.at)},
        "kept_profile": one.kept,
        "gone_profile": one.gone,
        "explanation": one.explain(),
    }


def moment(one: TimelineEvent) -> Form:
    """Return an event of a timeline."""
    event = one.event or {}
    return {
        "seq": one.seq,
        "external_id": {"type": one.key.type, "id": one.key.value},
        "timestamp": iso_time(one.at),
        "source": one.source,
        "type": event.get("type"),
        "event": event.get("event"),
        "name": event.get("name"),
        "message_id": event.get("messageId"),
        "user_id": event.get("userId"),
        "anonymous_id": event.get("anonymousId"),
        "properties": event.get("properties"),
        "traits": event.get("traits"),
        "context": event.get("context"),
        "kept": one.event is not None,
    }


def usage(one: Usage) -> Form:
    """Return a month's tracked users."""
    return {
        "month": one.month,
        "source": one.source,
        "tracked_users": one.tracked,
        "user_ids": one.users,
        "anonymous_ids": one.anonymous,
        "spared_by_identify": one.identified,
        "without_identify": one.tracked + one.identified,
    }
