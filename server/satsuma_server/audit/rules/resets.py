"""Where one person ends and the next begins on one browser: reset at logout, and never at login."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

EXPIRATION = "ID expiration and overwriting"
LOGOUT = (call("track", "Logged Out"), remark("The next one who uses this browser is somebody else."), call("reset"))

CHANGED = """user_id <> last_user AND side <> 'server'
    AND (last_logout_at IS NULL OR last_logout_at < last_known_at - INTERVAL 1 MINUTE)"""
"""Another userId than before, and no logout between the two."""

ANOTHER_PERSON = """(ts > last_at + to_minutes($session_minutes) OR EXISTS (
    SELECT * FROM events l WHERE l.step IN ('login', 'sign_up') AND l.anonymous_id = walk.anonymous_id
    AND l.user_id = walk.user_id AND l.ts BETWEEN walk.ts - INTERVAL 2 MINUTE AND walk.ts + INTERVAL 2 MINUTE))"""
"""Somebody logs in, or comes after a while: another person. Otherwise the page has changed the id of the same one."""

RULES = (
    Rule(
        id="no-reset-at-logout",
        severity=Severity.WRONG,
        title="People log out, and the browser keeps their userId",
        explanation="Whatever happens on this browser afterwards is told of the person who has left, and the next "
        "person's visits are linked to theirs.",
        specification=EXPIRATION,
        population="browsers with a logout",
        query="""
            SELECT min(id) AS id, anonymous_id AS unit, 'still ' || any_value(user_id) AS detail FROM walk
            WHERE last_logout_at IS NOT NULL AND user_id IS NOT NULL AND step IS NULL AND side <> 'server'
            AND ts > last_logout_at + INTERVAL 2 SECOND
            AND ((user_id = last_user AND type <> 'identify'
                    AND (last_login_at IS NULL OR last_login_at < last_logout_at))
                OR (user_id <> last_user AND last_login_at < last_logout_at))
            GROUP BY anonymous_id""",
        advice="Call reset after the last event of whoever logs out.",
        fix=LOGOUT,
    ),
    Rule(
        id="user-id-overwritten",
        severity=Severity.WRONG,
        title="The userId of a browser is overwritten within a visit",
        explanation="Nobody logged out or in, and yet the events are another's from here on: the userId is taken from "
        "two places, or a page identifies somebody else than its visitor.",
        specification=EXPIRATION,
        population="browsers of known people",
        query=f"""
            SELECT min(id) AS id, anonymous_id AS unit, any_value(last_user || ' became ' || user_id) AS detail
            FROM walk
            WHERE {CHANGED} AND NOT {ANOTHER_PERSON}
            GROUP BY anonymous_id""",
        advice="Call identify only with the id of who is logged in, never with that of a record on the page.",
        fix=(remark("Who is logged in, not whose record is shown."), call("identify", USER)),
        share=0.005,
    ),
    Rule(
        id="shared-browser-without-reset",
        severity=Severity.HINT,
        title="Several people share a browser, and nobody logs out",
        explanation="One person's session has ended, and the next logs in without a reset: until then the visit is "
        "told of the last one, and the anonymousId links the two.",
        specification=EXPIRATION,
        population="browsers of known people",
        query=f"""
            SELECT min(id) AS id, anonymous_id AS unit, any_value(last_user || ', then ' || user_id) AS detail
            FROM walk
            WHERE {CHANGED} AND {ANOTHER_PERSON}
            GROUP BY anonymous_id""",
        advice="Call reset where the site's session has ended, and before an identify with another userId.",
        fix=(remark("When the session has ended, or another person logs in."), call("reset"), call("identify", USER)),
        share=0.002,
        least=2,
    ),
    Rule(
        id="reset-at-login",
        severity=Severity.WRONG,
        title="The anonymousId is thrown away at the login",
        explanation="What the visitor did before is lost for good: it stays with an anonymousId that nobody is "
        "linked to.",
        specification=EXPIRATION,
        population="browsers that log in",
        query="""
            SELECT f.id, f.anonymous_id AS unit, 'before it was ' || any_value(o.anonymous_id) AS detail
            FROM firsts f JOIN devices o
                ON o.agent = f.agent AND o.ip IS NOT DISTINCT FROM f.ip AND o.anonymous_id <> f.anonymous_id
                AND o.user_id IS NULL AND o.first_at < f.first_at
                AND o.last_at BETWEEN f.first_at - to_minutes($session_minutes) AND f.first_at + INTERVAL 2 SECOND
            WHERE f.type <> 'page' AND f.logged_in_at <= f.first_at + INTERVAL 10 SECOND
            GROUP BY f.id, f.anonymous_id""",
        advice="Don't call reset at login or sign-up; identify alone links what was before.",
        fix=(remark("No reset before it."), call("identify", USER), call("track", "Logged In")),
    ),
)
