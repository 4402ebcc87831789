"""Monthly tracked users, by which most services bill, and how many of them identify calls spare.

Source of the count: Segment's "What are monthly tracked users": each userId once a month, and each anonymousId that no
event of the month ties to a userId.
"""

from __future__ import annotations

from .findings import TrackedUsers
from .history import History

QUERY = """
WITH months AS (
    SELECT strftime(ts, '%Y-%m') AS month, anonymous_id, max(user_id) AS user_id, bool_or(user_id IS NULL) AS unknown
    FROM events WHERE ts IS NOT NULL AND anonymous_id IS NOT NULL GROUP BY ALL
), users AS (
    SELECT strftime(ts, '%Y-%m') AS month, count(DISTINCT user_id) AS users
    FROM events WHERE ts IS NOT NULL GROUP BY ALL
), owned AS (
    SELECT DISTINCT anonymous_id FROM months WHERE user_id IS NOT NULL
)
SELECT month, users,
    (SELECT count(*) FROM months m WHERE m.month = u.month AND user_id IS NULL),
    (SELECT count(*) FROM months m WHERE m.month = u.month AND user_id IS NOT NULL AND unknown),
    (SELECT count(*) FROM months m JOIN owned USING (anonymous_id) WHERE m.month = u.month AND user_id IS NULL)
FROM users u ORDER BY month
"""


def tracked_users(history: History) -> list[TrackedUsers]:
    """Return the counts of each month, the oldest first; with a price where the settings have one."""
    price = history.settings.price
    return [
        TrackedUsers(month, users + unknown, spared, avoidable, round(avoidable * price / 1000, 2) if price else None)
        for month, users, unknown, spared, avoidable in history.run(QUERY)
    ]
