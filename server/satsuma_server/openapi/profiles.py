"""Describes the routes of profiles."""

from __future__ import annotations

from .parts import (
    FLAG,
    NUMBER,
    OBJECT,
    TEXT,
    TIME,
    Schema,
    in_path,
    in_query,
    listed,
    maybe,
    named,
    record,
    told,
    whole_number,
)

IDENTIFIER = record(type=TEXT, id=TEXT)
PERSON: list[Schema] = [
    in_path("person", "Type and value: user_id:97980cfea0067. A slash in the value is written %2F.", TEXT),
    in_query("source", "The write key, where each source has people of its own.", TEXT),
]
PAGE: list[Schema] = [
    whole_number("limit", "At most so many, and at most 1000."),
    in_query("cursor", "Where the page begins: the one before it says so.", TEXT),
]
MERGE = in_path("number", "The merge's.", {"type": "integer", "minimum": 0})


def schemas() -> Schema:
    """Return the schemas of the answers."""
    metadata = {
        "profile": NUMBER,
        "user_id": maybe(TEXT),
        "source_space": maybe(TEXT),
        "created_at": TIME,
        "updated_at": TIME,
        "last_seq": NUMBER,
        "events": NUMBER,
        "events_by_type": OBJECT,
        "external_ids": NUMBER,
    }
    return {
        "Cursor": record(limit=NUMBER, has_more=FLAG, next=TEXT),
        "Merge": record(
            number=NUMBER,
            left=IDENTIFIER,
            right=IDENTIFIER,
            rule=TEXT,
            outcome=TEXT,
            warnings=listed(TEXT),
            undone=FLAG,
            event=record(message_id=TEXT, seq=NUMBER, source=TEXT, timestamp=TIME),
            explanation=TEXT,
        ),
        "ExternalId": record(
            id=TEXT, type=TEXT, created_at=TIME, last_seen=TIME, events=NUMBER, joined_by=maybe(named("Merge"))
        ),
        "Metadata": record(**metadata),
        "Profile": record(**metadata | {"external_ids": listed(named("ExternalId")), "traits": OBJECT}),
        "Summary": record(
            profile=NUMBER,
            user_id=maybe(TEXT),
            external_ids=listed(TEXT),
            traits=OBJECT,
            events=NUMBER,
            first_seen=TIME,
            last_seen=TIME,
        ),
        "TimelineEvent": record(seq=NUMBER, external_id=IDENTIFIER, timestamp=TIME, source=TEXT, kept=FLAG),
        "Usage": record(
            month=TEXT,
            source=maybe(TEXT),
            tracked_users=NUMBER,
            user_ids=NUMBER,
            anonymous_ids=NUMBER,
            spared_by_identify=NUMBER,
            without_identify=NUMBER,
        ),
    }


def paths() -> Schema:
    """Return the paths."""
    include = in_query("include", "Names of traits, with commas between them.", TEXT)
    return {
        "/v1/profiles": _get("profiles", "Profiles, the newest first.", _paged("Summary"), *PAGE),
        "/v1/profiles/usage": _get(
            "usage", "Tracked users by month: of all sources together (source is null), then of each.", _listed("Usage")
        ),
        "/v1/profiles/totals": _get("totals", "How many there are, and how far behind the log.", OBJECT),
        "/v1/profiles/warnings": _get("warnings", "Links that were refused or doubtful.", _paged("Merge"), *PAGE),
        "/v1/profiles/rebuild": {"post": told("rebuildProfiles", "Build all anew from the log.", record(success=FLAG))},
        "/v1/profiles/merges/{number}": _get("merge", "One merge, and its cause.", record(merge=named("Merge")), MERGE),
        "/v1/profiles/merges/{number}/undo": {
            "post": told("undoMerge", "Part again what a merge joined.", record(merge=named("Merge")), MERGE)
        },
        "/v1/profiles/{person}": _get("profile", "A person, but for the events.", named("Profile"), *PERSON),
        "/v1/profiles/{person}/traits": _get(
            "traits", "A person's traits.", record(traits=OBJECT, cursor=named("Cursor")), *PERSON, include, *PAGE
        ),
        "/v1/profiles/{person}/events": _get("timeline", "A person's events.", _paged("TimelineEvent"), *PERSON, *PAGE),
        "/v1/profiles/{person}/external_ids": _get(
            "externalIds", "What a person is known by.", _paged("ExternalId"), *PERSON, *PAGE
        ),
        "/v1/profiles/{person}/metadata": _get(
            "metadata", "What there is of a person.", record(metadata=named("Metadata")), *PERSON
        ),
        "/v1/profiles/{person}/merges": _get("merges", "What made one person of many ids.", _listed("Merge"), *PERSON),
    }


def _listed(name: str) -> Schema:
    return record(data=listed(named(name)))


def _paged(name: str) -> Schema:
    return record(data=listed(named(name)), cursor=named("Cursor"))


def _get(name: str, about: str, schema: Schema, *parameters: Schema) -> Schema:
    return {"get": told(name, about, schema, *parameters)}
