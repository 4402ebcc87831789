"""When identify is called, and what has to follow it."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

WHEN = "When to call Identify"

RULES = (
    Rule(
        id="identify-without-track",
        severity=Severity.HINT,
        title="Visitors become known, and no event tells why",
        explanation="Sign-ups, logins and newsletter forms can't be told apart afterwards.",
        specification="Identifying users",
        population="visitors who became known",
        query="""
            SELECT s.id, s.anonymous_id || s.user_id AS unit, NULL AS detail FROM starts s
            WHERE NOT EXISTS (
                SELECT * FROM events t WHERE t.type = 'track' AND t.user_id = s.user_id
                AND t.ts BETWEEN s.ts - INTERVAL 5 SECOND AND s.ts + to_seconds($cause_seconds))
            AND s.last_known_at IS NULL""",
        advice="Let each identify be followed by the event that caused it.",
        fix=(call("identify", USER, {"plan": "premium"}), call("track", "Signed Up", {"plan": "premium"})),
    ),
    Rule(
        id="login-without-identify",
        severity=Severity.WRONG,
        title="Logins are tracked, but nobody is identified",
        explanation="What people do after this login is an unknown visitor's, and their devices are not linked.",
        specification=WHEN,
        population="logins",
        query="""
            SELECT l.id, l.id::VARCHAR AS unit, NULL AS detail FROM events l
            WHERE l.step = 'login' AND l.user_id IS NULL AND NOT EXISTS (
                SELECT * FROM events i WHERE i.type = 'identify' AND i.anonymous_id = l.anonymous_id
                AND i.user_id IS NOT NULL AND i.ts BETWEEN l.ts - INTERVAL 2 MINUTE AND l.ts + INTERVAL 2 MINUTE)""",
        advice="Call identify with the userId at each login, before the event.",
        fix=(call("identify", USER), call("track", "Logged In")),
    ),
    Rule(
        id="known-visitor-without-user-id",
        severity=Severity.WRONG,
        title="Events of known visitors come without a userId",
        explanation="The library had the userId and it is gone again though nobody logged out: events are counted as "
        "another visitor's.",
        specification=WHEN,
        population="browsers of known people",
        query="""
            SELECT min(id) AS id, anonymous_id AS unit, 'was ' || any_value(last_user) AS detail FROM walk
            WHERE user_id IS NULL AND last_user IS NOT NULL AND side = 'browser'
            AND ts > last_known_at + INTERVAL 2 SECOND
            AND (last_logout_at IS NULL OR last_logout_at < last_known_at - INTERVAL 1 MINUTE)
            GROUP BY anonymous_id""",
        advice="Call identify on each page that only members see; don't remove the library's cookies or storage.",
        fix=(remark("On each page that is for members."), call("identify", USER), call("page")),
    ),
    Rule(
        id="members-page-without-user-id",
        severity=Severity.HINT,
        title="Pages for members are seen by visitors without a userId",
        explanation="Nearly all who see these pages are known, so the others are members as well: they came with a "
        "session of the site and without the library's cookies.",
        specification=WHEN,
        population="page views of members' pages",
        query="""
            SELECT id, id::VARCHAR AS unit, path AS detail FROM page_views JOIN members_pages USING (path)
            WHERE NOT is_known""",
        advice="Call identify on each page that only members see.",
        fix=(remark("On each page that is for members."), call("identify", USER), call("page")),
        parts=("page",),
    ),
)
