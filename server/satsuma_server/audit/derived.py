"""The tables that rules share: what is known of each browser and of each userId, and how they followed each other."""

from __future__ import annotations

REPEATED = """
CREATE TABLE repeated AS
SELECT source, message_id, min(id) AS first_id, max(id) AS last_id, count(*) AS times
FROM events WHERE message_id IS NOT NULL GROUP BY source, message_id HAVING count(*) > 1
"""

FORGET_REPEATED = """
DELETE FROM events USING repeated
WHERE events.message_id = repeated.message_id AND events.source = repeated.source AND events.id <> repeated.first_id
"""
"""A message that came again is held against the rules once; rules on delivery count it."""

CLOCKS = """
CREATE TABLE clocks AS
SELECT anonymous_id, date_trunc('day', received_at) AS day, min(received_at - sent_at) AS behind
FROM events WHERE side <> 'server' AND original_at IS NOT NULL AND anonymous_id IS NOT NULL
GROUP BY anonymous_id, date_trunc('day', received_at) HAVING behind IS NOT NULL
"""
"""How much each browser's clock is behind on a day: the least that lay between a sending and its receipt."""

STEADY_TIMES = """
UPDATE events SET ts = original_at + behind FROM clocks
WHERE events.anonymous_id = clocks.anonymous_id AND date_trunc('day', received_at) = day AND side <> 'server'
AND original_at IS NOT NULL AND abs(epoch_ms(original_at + behind) - epoch_ms(ts)) < 2000
"""
"""Collectors correct each event's time by the clocks at its own sending, so the time that the request was under way is
in it, and two calls of the same moment may change places. With one correction for all they stay in the order in which
they were made. Where it differs by seconds, the clock was set in between, and the event's own time is better."""

WALK = """
CREATE TABLE walk AS
SELECT id, anonymous_id, user_id, type, step, ts, side, path, agent, ip,
    lag(ts) OVER device AS last_at,
    lead(ts) OVER device AS next_at,
    lead(user_id) OVER device AS next_user,
    last_value(user_id IGNORE NULLS) OVER past AS last_user,
    max(CASE WHEN user_id IS NOT NULL THEN ts END) OVER past AS last_known_at,
    max(CASE WHEN step = 'logout' THEN ts END) OVER past AS last_logout_at,
    max(CASE WHEN step IN ('login', 'sign_up') OR type = 'identify' THEN ts END) OVER past AS last_login_at
FROM events WHERE anonymous_id IS NOT NULL AND ts IS NOT NULL AND type <> 'alias'
WINDOW device AS (PARTITION BY anonymous_id ORDER BY ts, id),
    past AS (PARTITION BY anonymous_id ORDER BY ts, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
"""
"""Each event beside what went before it on the same anonymousId."""

DEVICES = """
CREATE TABLE devices AS
SELECT anonymous_id, min(ts) AS first_at, max(ts) AS last_at, arg_min(id, (ts, id)) AS first_id,
    arg_min(id, (ts, id)) FILTER (WHERE side = 'browser') AS first_browser_id,
    arg_min(side, (ts, id)) AS first_side, arg_min(type, (ts, id)) AS first_type, arg_min(step, (ts, id)) AS first_step,
    min(ts) FILTER (WHERE type = 'identify' AND user_id IS NOT NULL) AS identified_at,
    min(ts) FILTER (WHERE step IN ('login', 'sign_up')) AS logged_in_at,
    max(ts) FILTER (WHERE step = 'logout') AS logged_out_at,
    max(user_id) AS user_id, count(DISTINCT user_id) AS users,
    max(agent) FILTER (WHERE side = 'browser') AS agent, max(ip) FILTER (WHERE side = 'browser') AS ip,
    max(browser) FILTER (WHERE side = 'browser') AS browser,
    count(DISTINCT browser || regexp_extract(agent, 'Windows|Macintosh|iPhone|iPad|Android|Linux'))
        FILTER (WHERE side = 'browser') AS kinds,
    arg_max(url, (ts, id)) FILTER (WHERE side = 'browser') AS last_url
FROM events WHERE anonymous_id IS NOT NULL AND ts IS NOT NULL AND type <> 'alias' GROUP BY anonymous_id
"""
"""What is known of each anonymousId."""

USERS = """
CREATE TABLE users AS
SELECT user_id, max(source) AS source, min(ts) AS first_at, arg_min(id, (ts, id)) AS first_id,
    any_value(lower(trim(email))) AS email, any_value(phone) AS phone, any_value(username) AS username,
    any_value(full_name) AS full_name, min(created_at) AS created_at, bool_or(type = 'identify') AS is_identified
FROM events WHERE user_id IS NOT NULL AND type <> 'alias' GROUP BY user_id
"""
"""What is known of each userId."""

STARTS = """
CREATE TABLE starts AS
SELECT id, anonymous_id, user_id, ts, side, last_at, last_known_at FROM walk
WHERE type = 'identify' AND user_id IS NOT NULL AND last_user IS DISTINCT FROM user_id AND last_at IS NOT NULL
"""
"""Identify calls by which an anonymousId that had events before got a userId, or another one."""

FIRSTS = """
CREATE TABLE firsts AS
SELECT d.anonymous_id, d.first_at, d.last_at, d.agent, d.ip, d.browser, d.users, d.user_id, d.first_side,
    d.identified_at, d.logged_in_at, e.id, e.type, e.step, e.url, e.host, e.referrer_host, e.ts
FROM devices d JOIN events e ON e.id = d.first_browser_id
WHERE e.ts >= (SELECT min(ts) FROM events) + to_minutes($head_minutes)
"""
"""The first event of each browser. Those of visits that may have been under way when the history began are left out:
what looks like their first event is not."""

LOGOUTS = """
CREATE TABLE logouts AS
SELECT DISTINCT agent, ip, ts FROM events
WHERE step = 'logout' AND side = 'browser' AND ts IS NOT NULL AND agent IS NOT NULL
"""

SUCCESSIONS = """
CREATE TABLE successions AS
SELECT * FROM (
    SELECT user_id, agent, ip, browser, anonymous_id, first_id, first_at,
        lag(last_at) OVER person AS before_at, lag(logged_out_at) OVER person AS before_logout,
        lag(anonymous_id) OVER person AS before_id
    FROM devices WHERE user_id IS NOT NULL AND users = 1 AND agent IS NOT NULL
    WINDOW person AS (PARTITION BY user_id, agent ORDER BY first_at, anonymous_id)
) s WHERE before_at IS NOT NULL AND before_at < first_at
AND NOT EXISTS (
    SELECT * FROM devices o WHERE o.agent = s.agent AND o.ip = s.ip AND o.user_id <> s.user_id
    AND o.last_at >= s.before_at AND o.first_at <= s.first_at)
"""
"""Where one anonymousId took the place of another: same person, same browser, and the older was not seen again. Where
somebody else used the browser in between, the new id is what reset is for."""

PAGE_CALLS = """
CREATE TABLE page_calls AS
SELECT * FROM (
    SELECT id, anonymous_id, path, type, ts,
        last_value(CASE WHEN type = 'page' THEN ts END IGNORE NULLS) OVER past AS page_at,
        last_value(CASE WHEN type = 'page' THEN id END IGNORE NULLS) OVER past AS page_id,
        last_value(CASE WHEN type = 'page' THEN path END IGNORE NULLS) OVER past AS page_path,
        first_value(CASE WHEN type = 'page' AND path IS NOT NULL THEN ts END IGNORE NULLS) OVER rest AS next_page_at,
        first_value(CASE WHEN type = 'page' AND path IS NOT NULL THEN path END IGNORE NULLS) OVER rest AS next_path
    FROM walk WHERE side = 'browser'
    WINDOW past AS (PARTITION BY anonymous_id ORDER BY ts, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        rest AS (PARTITION BY anonymous_id ORDER BY ts, id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
) WHERE type IN ('track', 'identify') AND page_path = path AND page_id IS NOT NULL
AND (next_path IS NULL OR next_path <> path)
"""
"""Calls in a page whose page call is known, and when the next page began."""

PAGE_VIEWS = """
CREATE TABLE page_views AS
SELECT id, anonymous_id, path, ts,
    user_id IS NOT NULL OR (next_user IS NOT NULL AND next_at < ts + INTERVAL 1 MINUTE) AS is_known
FROM walk WHERE type = 'page' AND path IS NOT NULL
"""
"""Page views. One that an identify follows is a known visitor's: the page call comes first where a snippet makes it."""

MEMBERS_PAGES = """
CREATE TABLE members_pages AS
SELECT path FROM page_views GROUP BY path HAVING count(*) >= 20 AND count(*) FILTER (WHERE is_known) >= 0.8 * count(*)
"""
"""Pages that nearly all who see them are known on."""

DERIVED = (WALK, DEVICES, USERS, STARTS, FIRSTS, LOGOUTS, SUCCESSIONS, PAGE_CALLS, PAGE_VIEWS, MEMBERS_PAGES)
