"""Keeps the tables of latest values up to date: `users` from `identifies`, and `accounts` from `groups`."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from satsuma_server.verification import FIELD
from satsuma_server.warehouse.schema.catalog import Name
from satsuma_server.warehouse.schema.names import ACCOUNTS, CONTEXT, SEQ, USERS, quoted

LATEST_VALUES = {"identifies": (USERS, "user_id"), "groups": (ACCOUNTS, "group_id")}
"""For each table of calls, the table that keeps their latest values, and the column of the id that its rows stand
for."""

NOT_LATEST_VALUES = frozenset(
    {"id", "anonymous_id", "user_id", "group_id", "sent_at", "original_timestamp", "timestamp"}
)
"""Columns that describe a single call, and not the user or account that it is about."""

VERIFICATION = f"{CONTEXT}{FIELD}"

TOLD = 'CASE WHEN "timestamp" > received_at + INTERVAL 1 MINUTE THEN received_at ELSE "timestamp" END'
"""When the event happened, but no later than it was received. Logs of earlier versions have times in the future, which
would otherwise win over every later value."""

RANK = f"epoch_us({TOLD})::HUGEINT * 1099511627776 + seq"
"""The order of calls: by the time of the event, and for equal times by the order in which they arrived."""


BELIEVED = {
    # As in profiles, a claimed userId counts where a verified call has the same userId on the same device.
    "identifies": """coalesce({column}, 'server') IN ('server', 'signed') OR ({column} = 'claimed' AND EXISTS (
        SELECT 1 FROM {source} AS sure WHERE sure.user_id = told.user_id AND sure.anonymous_id = told.anonymous_id
        AND sure.{column} IN ('server', 'signed')))""",
    "groups": "{column} IS DISTINCT FROM 'public'",
}
"""For each table of calls, an SQL condition for those that count, where the collector has noted how far to trust
them."""


def update_latest_values(connection: duckdb.DuckDBPyConnection, name: Name, columns: Collection[str], ids: str) -> None:
    """Compute the rows of some ids again, each with the latest value of every column that isn't null.

    They are computed from all calls and not only from the new ones, so it doesn't matter when and how often calls
    arrive.

    Args:
        name: the table of calls.
        columns: columns of the table of latest values.
        ids: SQL that selects the ids.
    """
    table, key = LATEST_VALUES[name[1]]
    source, target = quoted(*name), quoted(name[0], table)
    latest = [one for one in columns if one not in ("id", SEQ)]
    values = ", ".join(f"arg_max({quoted(one)}, {RANK}) AS {quoted(one)}" for one in latest)
    connection.execute(f"DELETE FROM {target} WHERE id IN ({ids})")
    connection.execute(f"""INSERT INTO {target} BY NAME SELECT {key} AS id, max({SEQ}) AS {SEQ}, {values}
        FROM {source} AS told WHERE {key} IN ({ids}) AND ({_believed(name, columns)}) GROUP BY {key}""")


def _believed(name: Name, columns: Collection[str]) -> str:
    """Return an SQL condition for the calls that count: all of them, where the table has no note of how far to trust
    any."""
    if VERIFICATION not in columns:
        return "true"
    return BELIEVED[name[1]].format(column=f"{VERIFICATION}::VARCHAR", source=quoted(*name))
