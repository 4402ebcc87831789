"""Calls of pages that are left before the library had time to send them."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

RULES = (
    Rule(
        id="calls-on-a-page-that-is-left",
        severity=Severity.WRONG,
        title="Calls are made on a page that is left at once",
        explanation="The page goes on to another before its library is ready. These calls came through; others of the "
        "same page did not.",
        specification="Missing sign-ups",
        population="page views with calls",
        query="""
            WITH pages AS (
                SELECT path FROM page_calls GROUP BY path
                HAVING count(*) FILTER (WHERE next_page_at < page_at + to_milliseconds($left_ms)) >= 3
                AND count(*) FILTER (WHERE next_page_at < page_at + to_milliseconds($left_ms)) >= 0.02 * count(*)
            )
            SELECT id, anonymous_id || page_id AS unit,
                path || ' was left after ' || date_diff('millisecond', page_at, next_page_at) || ' ms' AS detail
            FROM page_calls JOIN pages USING (path)
            WHERE next_page_at < page_at + to_milliseconds($left_ms)""",
        advice="Make the calls on the page that follows, as a welcome page, or wait for them before you redirect.",
        fix=(remark("On the welcome page, after the redirect."), call("identify", USER), call("track", "Signed Up")),
        share=0.0,
        parts=("page",),
    ),
)
