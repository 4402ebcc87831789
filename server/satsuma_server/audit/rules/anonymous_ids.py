"""What an anonymousId is: random, one for each browser, and kept."""

from __future__ import annotations

from satsuma_server.audit.calls import USER, call, remark
from satsuma_server.audit.findings import Severity
from satsuma_server.audit.rule import Rule

GENERATION = "AnonymousId generation"
EXPIRATION = "ID expiration and overwriting"

NO_LOGOUT_BEFORE = """NOT EXISTS (
    SELECT * FROM logouts l WHERE l.agent = f.agent AND l.ip IS NOT DISTINCT FROM f.ip
    AND l.ts BETWEEN f.first_at - to_minutes($session_minutes) AND f.first_at)"""
"""A new id after a logout is what reset is for."""

KEEP = (
    remark("The library makes it, and keeps it. Ask it, and don't set one."),
    remark("In the page: analytics.user().anonymousId()"),
)

RULES = (
    Rule(
        id="anonymous-id-not-random",
        severity=Severity.WRONG,
        title="anonymousIds are no random ids",
        explanation="Whoever gets the same one is the same visitor: people are mixed up, and can be guessed.",
        specification=GENERATION,
        population="events with an anonymousId",
        query="""
            WITH bad AS (
                SELECT anonymous_id FROM (SELECT DISTINCT anonymous_id FROM events WHERE anonymous_id IS NOT NULL)
                WHERE length(anonymous_id) < 8
                OR regexp_full_match(anonymous_id, '[0-9]{1,15}')
                OR anonymous_id LIKE '%@%'
                OR regexp_matches(lower(anonymous_id),
                    '^(undefined|null|none|nan|anonymous|guest|unknown|visitor|test|user)([^a-z]|$)|object object')
                OR regexp_full_match(anonymous_id, '[0-]+')
            )
            SELECT id, id::VARCHAR AS unit, anonymous_id AS detail FROM events JOIN bad USING (anonymous_id)""",
        advice="Let the library make the anonymousId; on a server use a UUID, or the random id of your session.",
        fix=KEEP,
        share=0.001,
    ),
    Rule(
        id="anonymous-id-shared-by-browsers",
        severity=Severity.WRONG,
        title="Many browsers share one anonymousId",
        explanation="All their visitors are one in every report: an id stands in a cached page, a test or the code.",
        specification=GENERATION,
        population="events with an anonymousId",
        query="""
            SELECT id, id::VARCHAR AS unit, kinds || ' kinds of browsers have ' || anonymous_id AS detail
            FROM events JOIN devices d USING (anonymous_id) WHERE d.kinds >= $shared_kinds""",
        advice="Don't write an anonymousId into pages that are cached, nor into code; let each browser make its own.",
        fix=KEEP,
        share=0.001,
    ),
    Rule(
        id="several-anonymous-ids-in-one-visit",
        severity=Severity.WRONG,
        title="The anonymousId changes within a visit",
        explanation="A page that was reached from the same site is some new visitor's first: one visit counts as "
        "several. Mostly a consent tool or a security header removes cookies, or a page clears the storage.",
        specification=EXPIRATION,
        population="new browsers",
        query=f"""
            SELECT f.id, f.anonymous_id AS unit, f.url AS detail FROM firsts f
            WHERE f.type = 'page' AND f.first_side = 'browser' AND f.referrer_host = f.host AND {NO_LOGOUT_BEFORE}""",
        advice="Find what removes the cookie ajs_anonymous_id and the localStorage on the pages told here.",
        fix=KEEP,
        share=0.02,
        parts=("page", "browser"),
    ),
    Rule(
        id="anonymous-id-of-one-subdomain",
        severity=Severity.WRONG,
        title="Another subdomain gives visitors another anonymousId",
        explanation="The cookie is kept by one subdomain for itself: one visitor counts once for each.",
        specification=EXPIRATION,
        population="new browsers",
        query="""
            SELECT f.id, f.anonymous_id AS unit, 'from ' || f.referrer_host || ' to ' || f.host AS detail
            FROM firsts f
            WHERE f.referrer_host <> f.host
            AND regexp_extract(f.host, '[^.]+\\.[^.]+$') = regexp_extract(f.referrer_host, '[^.]+\\.[^.]+$')
            AND f.referrer_host IN (SELECT DISTINCT host FROM events WHERE host IS NOT NULL)""",
        advice="Let the library set its cookie on the highest domain, which is its default, and use it on all of them.",
        fix=(
            remark('No cookie domain of one\'s own: analytics.load(writeKey, { cookie: { domain: "example.com" } })'),
        ),
        share=0.01,
        parts=("page", "browser"),
    ),
    Rule(
        id="anonymous-id-replaced-too-often",
        severity=Severity.HINT,
        title="Known people come back with a new anonymousId too soon",
        explanation="The id should last a year, and it was gone within a week: visits before the login stay unknown.",
        specification=EXPIRATION,
        population="known people's browsers that came back",
        query="""
            SELECT first_id AS id, user_id || agent AS unit,
                'after ' || date_diff('hour', before_at, first_at) || ' hours, it was ' || before_id AS detail
            FROM successions
            WHERE first_at < before_at + to_days($replaced_days::INTEGER)
            AND first_at > before_at + to_minutes($session_minutes)
            AND (before_logout IS NULL OR before_logout < before_at - INTERVAL 5 MINUTE)""",
        advice="Look for what clears cookies between visits: a consent tool, a Clear-Site-Data header, a short maxage.",
        fix=(remark("A year in days, as is the default of analytics.js: { cookie: { maxage: 365 } }"),),
        share=0.04,
        parts=("page", "browser"),
    ),
    Rule(
        id="anonymous-id-lost-in-safari",
        severity=Severity.NOTE,
        title="Safari forgets visitors who stay away for a week",
        explanation="Safari keeps for seven days what scripts store. People who come back later are new until they "
        "log in.",
        specification=EXPIRATION,
        population="known people's browsers of Safari",
        query="""
            SELECT first_id AS id, user_id || agent AS unit,
                'after ' || date_diff('day', before_at, first_at) || ' days' AS detail
            FROM successions
            WHERE browser = 'Safari' AND first_at >= before_at + to_days($replaced_days::INTEGER)
            AND (before_logout IS NULL OR before_logout < before_at - INTERVAL 5 MINUTE)""",
        advice="Have a server of your own domain set the cookie ajs_anonymous_id: those are kept for their year.",
        fix=(
            remark("An answer of your own server, with the id that the request's cookie has:"),
            remark("Set-Cookie: ajs_anonymous_id=…; Max-Age=31536000; Path=/; SameSite=Lax; Secure"),
        ),
        share=0.05,
    ),
    Rule(
        id="anonymous-id-overwritten-by-server",
        severity=Severity.WRONG,
        title="A server overwrites the browser's anonymousId",
        explanation="The server made a new id although the browser had one: what the visitor did before is cut off.",
        specification=EXPIRATION,
        population="browsers",
        query="""
            SELECT d.first_id AS id, d.anonymous_id AS unit, 'the browser had ' || o.anonymous_id AS detail
            FROM devices d JOIN devices o
                ON o.agent = d.agent AND o.ip = d.ip AND o.anonymous_id <> d.anonymous_id
                AND o.last_at BETWEEN d.first_at - to_minutes($session_minutes) AND d.first_at + INTERVAL 5 SECOND
                AND o.first_at < d.first_at
            WHERE d.first_side = 'server' AND d.agent IS NOT NULL
            AND (o.logged_out_at IS NULL OR o.logged_out_at < o.last_at - INTERVAL 1 MINUTE)""",
        advice="On the server, read the cookie ajs_anonymous_id first, and make an id only where there is none.",
        fix=(
            remark("The id that the browser has: the cookie ajs_anonymous_id of the request."),
            call("identify", USER),
        ),
        share=0.005,
        on_server=True,
    ),
    Rule(
        id="anonymous-id-overwritten-by-page",
        severity=Severity.WRONG,
        title="A page overwrites the browser's anonymousId",
        explanation="An id is set after the library had made one: the page view is one visitor's, and what follows is "
        "another's.",
        specification=EXPIRATION,
        population="browsers",
        query="""
            SELECT f.id, f.anonymous_id AS unit, 'on ' || f.url || ' the browser had ' || o.anonymous_id AS detail
            FROM firsts f JOIN devices o
                ON o.agent = f.agent AND o.ip IS NOT DISTINCT FROM f.ip AND o.anonymous_id <> f.anonymous_id
                AND o.last_url = f.url AND o.first_at < f.first_at
                AND o.last_at BETWEEN f.first_at - INTERVAL 2 MINUTE AND f.first_at
            WHERE f.type = 'track' AND f.step IS NULL
            AND (f.logged_in_at IS NULL OR f.logged_in_at > f.first_at + INTERVAL 10 SECOND)
            AND (o.logged_out_at IS NULL OR o.logged_out_at < o.last_at - INTERVAL 1 MINUTE)""",
        advice="Don't call setAnonymousId; where you must, call it before any other call of the page.",
        fix=(remark("Before page, identify and track, if at all."), call("setAnonymousId", "…"), call("page")),
        share=0.005,
        parts=("page",),
    ),
)
