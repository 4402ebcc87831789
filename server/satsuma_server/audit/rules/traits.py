"""Traits: what is known of a person goes into identify, and keeps its type."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

SOFT = "Soft User Registration"

RULES = (
    Rule(
        id="traits-as-properties",
        severity=Severity.HINT,
        title="What is known of people is sent as properties only",
        explanation="An address or name in an event's properties is that event's: profiles don't have it.",
        specification=SOFT,
        population="people with personal data",
        query="""
            SELECT min(id) AS id, coalesce(user_id, anonymous_id) AS unit,
                any_value(event) || ' has ' || any_value(CASE WHEN property_email IS NOT NULL THEN 'email'
                    WHEN property_phone IS NOT NULL THEN 'phone' ELSE 'a name' END) AS detail
            FROM events e
            WHERE type IN ('track', 'page', 'screen')
            AND (property_email IS NOT NULL OR property_phone IS NOT NULL OR property_name IS NOT NULL)
            AND NOT EXISTS (
                SELECT * FROM events i WHERE i.type = 'identify' AND i.anonymous_id = e.anonymous_id
                AND (i.email IS NOT NULL OR i.phone IS NOT NULL OR i.full_name IS NOT NULL OR i.traits LIKE '%Name%'))
            AND NOT EXISTS (
                SELECT * FROM events i WHERE i.type = 'identify' AND i.user_id = e.user_id
                AND (i.email IS NOT NULL OR i.phone IS NOT NULL OR i.full_name IS NOT NULL OR i.traits LIKE '%Name%'))
            GROUP BY ALL""",
        advice="Send it as traits of identify, also of visitors without a userId, and let the event follow.",
        fix=(
            call("identify", {"email": "jvisitor@thissite.com", "firstName": "Joe"}),
            call("track", "Newsletter Subscribed"),
        ),
        share=0.005,
    ),
    Rule(
        id="user-id-as-property-only",
        severity=Severity.WRONG,
        title="The userId is only a property",
        explanation="Nobody is identified by a property: these events stay an unknown visitor's.",
        specification="Merging Identified and Anonymous user profiles",
        population="events with a userId",
        query="""
            SELECT id, id::VARCHAR AS unit, property_user_id AS detail FROM events
            WHERE property_user_id IS NOT NULL AND user_id IS NULL""",
        advice="Call identify with it: later events carry it by themselves.",
        fix=(
            call("identify", USER),
            remark("Later events carry the userId by themselves."),
            call("track", "Order Completed"),
        ),
        share=0.005,
    ),
    Rule(
        id="trait-changes-type",
        severity=Severity.HINT,
        title="A trait has values of several types",
        explanation="A warehouse's column has one type: numbers become texts, or the values are dropped.",
        specification="User profiles in warehouses",
        population="identify calls",
        query="""
            WITH given AS (
                SELECT id, source, unnest(json_keys(traits)[:50]) AS name, traits FROM events
                WHERE type = 'identify' AND json_valid(traits) AND json_type(traits) = 'OBJECT'
            ), typed AS (
                SELECT id, source, name, CASE json_type(json_extract(traits, '$."' || replace(name, '"', '') || '"'))
                    WHEN 'VARCHAR' THEN 'text' WHEN 'BOOLEAN' THEN 'true or false' WHEN 'OBJECT' THEN 'object'
                    WHEN 'ARRAY' THEN 'list' WHEN 'NULL' THEN NULL ELSE 'number' END AS kind
                FROM given WHERE name NOT LIKE '%"%' AND name NOT LIKE '%\\%'
            ), counted AS (
                SELECT source, name, kind, count(*) AS times FROM typed WHERE kind IS NOT NULL GROUP BY ALL
            ), usual AS (
                SELECT source, name, arg_max(kind, (times, kind)) AS kind FROM counted
                GROUP BY source, name HAVING count(*) > 1
            )
            SELECT t.id, t.id::VARCHAR AS unit, t.name || ' is ' || t.kind || ', mostly ' || u.kind AS detail
            FROM typed t JOIN usual u USING (source, name) WHERE t.kind <> u.kind""",
        advice="Give the trait one type wherever it is sent, and keep it by a tracking plan.",
        fix=(remark("A number wherever it is sent, in the page and on servers."), call("identify", USER, {"age": 42})),
    ),
)
