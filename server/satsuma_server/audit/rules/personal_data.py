"""Personal data where it does not belong: names of events, addresses and titles of pages go everywhere."""

from __future__ import annotations

from satsuma_server.audit.calls import call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

TRAITS = "Best options for userIds (identifying information goes into traits)"
EMAIL = "[A-Za-z0-9._+-]+(@|%40)[A-Za-z0-9-]+\\.[A-Za-z]{2,}"

RULES = (
    Rule(
        id="personal-data-in-event-names",
        severity=Severity.WRONG,
        title="Names of events hold personal data or ids",
        explanation="Each person gets an event of their own: tables and reports by name grow without end, and the data "
        "can't be deleted from them.",
        specification=TRAITS,
        population="events with a name",
        query=f"""
            SELECT id, id::VARCHAR AS unit, event AS detail FROM events
            WHERE type = 'track' AND (regexp_matches(event, '{EMAIL}') OR regexp_matches(event, '[0-9]{{6}}')
                OR regexp_matches(event, '[0-9a-f]{{8}}-[0-9a-f]{{4}}-'))""",
        advice="Give what happens one name, and send what differs as properties.",
        fix=(call("track", "Order Completed", {"orderId": "50314b8e9bcf"}),),
        share=0.001,
    ),
    Rule(
        id="personal-data-in-addresses",
        severity=Severity.WRONG,
        title="Addresses of pages hold personal data or secrets",
        explanation="Every event of the page carries its address to all destinations, and so do other scripts.",
        specification=TRAITS,
        population="events with an address",
        query=f"""
            SELECT id, id::VARCHAR AS unit, path || ' in its address' AS detail FROM events
            WHERE regexp_matches(url, '{EMAIL}') OR regexp_matches(lower(url),
                '[?&#](e-?mail|phone|mobile|first_?name|last_?name|password|passwd|access_token|id_token|ssn|iban)=[^&#]')""",
        advice="Send forms by POST, and leave the query string out of what is recorded where you can't.",
        fix=(
            remark("The address without what the query string holds."),
            call("page", None, {"url": "https://shop.example/account"}),
        ),
        share=0.001,
        parts=("page", "browser"),
    ),
    Rule(
        id="personal-data-in-titles",
        severity=Severity.WRONG,
        title="Titles of pages hold personal data",
        explanation="Every event of the page carries its title to all destinations.",
        specification=TRAITS,
        population="events with a title",
        query=f"""
            SELECT e.id, e.id::VARCHAR AS unit, e.path || ' in its title' AS detail FROM events e
            LEFT JOIN users u USING (user_id)
            WHERE regexp_matches(e.title, '{EMAIL}')
            OR (length(u.full_name) >= 5 AND u.full_name LIKE '% %' AND contains(e.title, u.full_name))""",
        advice="Give the page a title that is the same for everybody, or tell it in the page call.",
        fix=(call("page", "Account", {"title": "Your account"}),),
        share=0.001,
        parts=("page",),
    ),
)
