"""Describes the routes that export and delete all data of a person."""

from __future__ import annotations

from .parts import FLAG, JSON, NDJSON, NUMBER, TEXT, Schema, in_query, listed, operation, record
from .profiles import IDENTIFIER, PERSON

FAULTY = ("404", "503")


def paths() -> Schema:
    """Return the paths."""
    form = in_query("format", "One line for each record, or an archive.", {"enum": ["ndjson", "zip"]})
    suppress = in_query("suppress", "1 to take no more events of this person.", {"enum": ["0", "1"]})
    links = in_query(
        "links",
        "Which links are followed from the id on: `verified` ones (from a userId also others), or `all`.",
        {"enum": ["verified", "all"]},
    )
    lifted: Schema = {JSON: {"schema": record(success=FLAG)}}
    return {
        "/v1/people/{person}": {
            "delete": operation(
                "forget",
                "Delete a person from log, profiles and warehouse, and search every file for what is left.",
                {JSON: {"schema": _deleted()}},
                *FAULTY,
                parameters=[*PERSON, suppress, links],
            )
        },
        "/v1/people/{person}/suppression": {
            "delete": operation("lift", "Take a person's events again.", lifted, *FAULTY, parameters=[*PERSON, links])
        },
        "/v1/people/{person}/export": {
            "get": operation(
                "export",
                "Everything that is known of a person.",
                {NDJSON: {}, "application/zip": {}},
                *FAULTY,
                parameters=[*PERSON, form, links],
            )
        },
    }


def _deleted() -> Schema:
    return record(
        success=FLAG,
        identifiers=listed(IDENTIFIER),
        left_out=listed(IDENTIFIER),
        erased=record(events=NUMBER, redacted=NUMBER, dead_letters=NUMBER, last=NUMBER),
        warehouse_rows=NUMBER,
        suppressed=FLAG,
        still_found_in=listed(TEXT),
        too_short_to_look_for=listed(TEXT),
        not_searched=listed(TEXT),
    )
