"""What rules look at: how many there are of it, and when. A share is a part of one of these."""

from __future__ import annotations

EVENTS_WHERE = {
    "events": "true",
    "events with an anonymousId": "anonymous_id IS NOT NULL",
    "events with an address": "url IS NOT NULL",
    "events with a title": "title IS NOT NULL",
    "events with a name": "type = 'track'",
    "events with a timestamp and a receivedAt": "received_at IS NOT NULL AND ts IS NOT NULL",
    "events with a receivedAt": "received_at IS NOT NULL",
    "identify calls": "type = 'identify'",
    "alias calls": "type = 'alias'",
    "logins": "step = 'login'",
    "events with a userId": "user_id IS NOT NULL OR property_user_id IS NOT NULL",
}
"""Those of which each unit is an event, and what holds of these events."""

POPULATIONS = {
    **{
        name: f"SELECT id::VARCHAR AS unit, ts FROM events WHERE {condition}"
        for name, condition in EVENTS_WHERE.items()
    },
    "sign-ups": "SELECT coalesce(user_id, anonymous_id) AS unit, ts FROM events WHERE step = 'sign_up'",
    "sign-ups on the server": """
        SELECT user_id AS unit, ts FROM events
        WHERE step = 'sign_up' AND side = 'server' AND user_id IS NOT NULL
        AND EXISTS (SELECT * FROM events WHERE side = 'browser' AND (step = 'sign_up' OR type = 'identify'))""",
    "browsers with a logout": """
        SELECT anonymous_id AS unit, ts FROM events
        WHERE step = 'logout' AND side <> 'server' AND anonymous_id IS NOT NULL""",
    "userIds": "SELECT user_id AS unit, first_at AS ts FROM users",
    "userIds with an email address": "SELECT user_id AS unit, first_at AS ts FROM users WHERE email IS NOT NULL",
    "new userIds": """
        SELECT user_id AS unit, first_at AS ts FROM users
        WHERE created_at BETWEEN first_at - INTERVAL 1 DAY AND first_at + INTERVAL 1 DAY
        AND EXISTS (SELECT * FROM events WHERE step = 'sign_up')""",
    "visitors who became known": "SELECT anonymous_id || user_id AS unit, ts FROM starts",
    "browsers": "SELECT anonymous_id AS unit, first_at AS ts FROM devices WHERE agent IS NOT NULL",
    "new browsers": "SELECT anonymous_id AS unit, first_at AS ts FROM firsts",
    "browsers of known people": """
        SELECT anonymous_id AS unit, first_at AS ts FROM devices WHERE agent IS NOT NULL AND user_id IS NOT NULL""",
    "browsers that log in": "SELECT anonymous_id AS unit, ts FROM firsts WHERE logged_in_at IS NOT NULL",
    "known people's browsers that came back": """
        SELECT user_id || agent AS unit, min(first_at) AS ts FROM devices
        WHERE user_id IS NOT NULL AND agent IS NOT NULL GROUP BY user_id, agent
        HAVING max(last_at) > min(first_at) + to_minutes($session_minutes)""",
    "known people's browsers of Safari": """
        SELECT user_id || agent AS unit, min(first_at) AS ts FROM devices
        WHERE user_id IS NOT NULL AND browser = 'Safari' GROUP BY ALL""",
    "people with personal data": """
        SELECT DISTINCT coalesce(user_id, anonymous_id) AS unit, min(ts) AS ts FROM events
        WHERE email IS NOT NULL OR full_name IS NOT NULL OR property_email IS NOT NULL OR property_phone IS NOT NULL
        OR property_name IS NOT NULL GROUP BY ALL""",
    "page views of members' pages": "SELECT id::VARCHAR AS unit, ts FROM page_views JOIN members_pages USING (path)",
    "page views with calls": """
        SELECT DISTINCT anonymous_id || page_id AS unit, ts FROM page_calls""",
}
