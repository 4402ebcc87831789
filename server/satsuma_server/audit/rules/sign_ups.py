"""Sign-ups: each with an identify call and an event, and as many in the browser as there are on the server."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

SIGN_UP = (call("identify", USER, {"email": "peter@example.com"}), call("track", "Signed Up"))

RULES = (
    Rule(
        id="sign-up-without-identify",
        severity=Severity.WRONG,
        title="Sign-ups are tracked, but nobody is identified",
        explanation="The new account has no userId in analytics: what led to the sign-up is lost for it.",
        specification="Full User Registration",
        population="sign-ups",
        query="""
            SELECT s.id, coalesce(s.user_id, s.anonymous_id) AS unit, NULL AS detail FROM events s
            WHERE s.step = 'sign_up' AND NOT EXISTS (
                SELECT * FROM events i WHERE i.type = 'identify' AND i.user_id = s.user_id
                AND i.ts BETWEEN s.ts - INTERVAL 1 DAY AND s.ts + INTERVAL 1 DAY)
            AND NOT EXISTS (
                SELECT * FROM events i WHERE i.type = 'identify' AND i.anonymous_id = s.anonymous_id
                AND i.user_id IS NOT NULL AND i.ts BETWEEN s.ts - INTERVAL 5 MINUTE AND s.ts + INTERVAL 5 MINUTE)""",
        advice="Call identify with the new userId when the account is made, then track the sign-up.",
        fix=SIGN_UP,
    ),
    Rule(
        id="new-user-without-sign-up",
        severity=Severity.WRONG,
        title="New accounts are identified, but their sign-up is not tracked",
        explanation="Reports of sign-ups, and funnels that end in one, miss these people.",
        specification="When to call Identify",
        population="new userIds",
        query="""
            SELECT u.first_id AS id, u.user_id AS unit, 'made ' || strftime(u.created_at, '%Y-%m-%d %H:%M') AS detail
            FROM users u
            WHERE u.created_at BETWEEN u.first_at - INTERVAL 1 DAY AND u.first_at + INTERVAL 1 DAY
            AND EXISTS (SELECT * FROM events WHERE step = 'sign_up')
            AND NOT EXISTS (SELECT * FROM events s WHERE s.step = 'sign_up' AND s.user_id = u.user_id)
            AND NOT EXISTS (
                SELECT * FROM events s JOIN devices d USING (anonymous_id)
                WHERE s.step = 'sign_up' AND s.user_id IS NULL AND d.user_id = u.user_id)""",
        advice="Track the sign-up wherever an account is made: form, invitation, other login, app and server.",
        fix=SIGN_UP,
    ),
    Rule(
        id="sign-up-missing-in-browser",
        severity=Severity.WRONG,
        title="Sign-ups that the server knows are missing in the browser",
        explanation="The page was left before its calls were sent, or the library was blocked: the account is not "
        "linked to what the visitor did before.",
        specification="Missing sign-ups",
        population="sign-ups on the server",
        query="""
            SELECT s.id, s.user_id AS unit, NULL AS detail FROM events s
            WHERE s.step = 'sign_up' AND s.side = 'server' AND s.user_id IS NOT NULL
            AND EXISTS (SELECT * FROM events WHERE side = 'browser' AND (step = 'sign_up' OR type = 'identify'))
            AND NOT EXISTS (
                SELECT * FROM events b WHERE b.side = 'browser' AND b.user_id = s.user_id
                AND (b.step = 'sign_up' OR b.type = 'identify')
                AND b.ts BETWEEN s.ts - INTERVAL 1 HOUR AND s.ts + INTERVAL 1 HOUR)""",
        advice="Make these calls on the page that follows the sign-up, not on the one that is left by it.",
        fix=(remark("On the welcome page, after the redirect."), *SIGN_UP),
    ),
)
