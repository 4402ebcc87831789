"""Alias: rarely needed, and only before identify."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

RULES = (
    Rule(
        id="alias-after-identify",
        severity=Severity.WRONG,
        title="alias comes after identify",
        explanation="Destinations that need an alias need it first: after the identify they link nothing any more, and "
        "what the visitor did before is lost there.",
        specification="Anonymous history is lost",
        population="alias calls",
        query="""
            SELECT a.id, a.id::VARCHAR AS unit, a.user_id || ' was identified before' AS detail FROM events a
            WHERE a.type = 'alias' AND EXISTS (
                SELECT * FROM events i WHERE i.type = 'identify' AND i.user_id = a.user_id AND i.ts < a.ts
                AND i.ts > a.ts - INTERVAL 1 DAY)
            AND EXISTS (SELECT * FROM devices d WHERE d.anonymous_id IN (a.previous_id, a.anonymous_id))""",
        advice="Call alias once, when the account is made, and identify after it; or leave alias out.",
        fix=(call("alias", USER), call("identify", USER), call("track", "Signed Up")),
        least=1,
    ),
    Rule(
        id="alias-not-needed",
        severity=Severity.HINT,
        title="alias is called where identify links already",
        explanation="Identify with both ids links what was before. Only some destinations, as older Mixpanel and "
        "Kissmetrics projects, need an alias.",
        specification="Aliasing from a server library",
        population="alias calls",
        query="""
            SELECT a.id, a.id::VARCHAR AS unit, NULL AS detail FROM events a
            WHERE a.type = 'alias' AND EXISTS (
                SELECT * FROM events i WHERE i.type = 'identify' AND i.user_id = a.user_id
                AND i.anonymous_id IN (a.previous_id, a.anonymous_id))
            AND (a.previous_id IS NULL OR a.previous_id IN (SELECT anonymous_id FROM devices))""",
        advice="Leave alias out unless one of your destinations asks for it.",
        fix=(call("identify", USER), call("track", "Signed Up")),
    ),
)
