"""The tables of the latest values: `users` from `identifies`, `accounts` from `groups`."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from satsuma_server.verification import FIELD
from satsuma_server.warehouse.schema.catalog import Name
from satsuma_server.warehouse.schema.names import ACCOUNTS, CONTEXT, SEQ, USERS, quoted

LATEST_VALUES = {"identifies": (USERS, "user_id"), "groups": (ACCOUNTS, "group_id")}
"""Tables of which the latest values are kept, one row for each id: where, and which id."""

NOT_LATEST_VALUES = frozenset(
    {"id", "anonymous_id", "user_id", "group_id", "sent_at", "original_timestamp", "timestamp"}
)
"""Columns of those calls that tell of one call, not of whom or what it is about."""

VERIFICATION = f"{CONTEXT}{FIELD}"

TOLD = 'CASE WHEN "timestamp" > received_at + INTERVAL 1 MINUTE THEN received_at ELSE "timestamp" END'
"""A time that was still to come when its event came outlasts nothing: logs of earlier versions have some."""

RANK = f"epoch_us({TOLD})::HUGEINT * 1099511627776 + seq"
"""What is later by its own time is later, whenever it came; of one time, what came last."""


BELIEVED = {
    # A claim counts where a verified call says the same of the same device, as profiles have it.
    "identifies": """coalesce({column}, 'server') IN ('server', 'signed') OR ({column} = 'claimed' AND EXISTS (
        SELECT 1 FROM {source} AS sure WHERE sure.user_id = told.user_id AND sure.anonymous_id = told.anonymous_id
        AND sure.{column} IN ('server', 'signed')))""",
    "groups": "{column} IS DISTINCT FROM 'public'",
}
"""Which calls count, by table, where the collector has noted what they are worth."""


def update_latest_values(connection: duckdb.DuckDBPyConnection, name: Name, columns: Collection[str], ids: str) -> None:
    """Make anew the rows of some ids, each with the latest value of every column that isn't null.

    Made of all the calls, not of what came with the last: so it doesn't matter when and how often they came.

    Args:
        name: the table of calls.
        columns: of the table of latest values.
        ids: SQL that gives the ids.
    """
    table, key = LATEST_VALUES[name[1]]
    source, target = quoted(*name), quoted(name[0], table)
    latest = [one for one in columns if one not in ("id", SEQ)]
    values = ", ".join(f"arg_max({quoted(one)}, {RANK}) AS {quoted(one)}" for one in latest)
    connection.execute(f"DELETE FROM {target} WHERE id IN ({ids})")
    connection.execute(f"""INSERT INTO {target} BY NAME SELECT {key} AS id, max({SEQ}) AS {SEQ}, {values}
        FROM {source} AS told WHERE {key} IN ({ids}) AND ({_believed(name, columns)}) GROUP BY {key}""")


def _believed(name: Name, columns: Collection[str]) -> str:
    """Return SQL that tells whether a call counts: each, where nothing is noted of any."""
    if VERIFICATION not in columns:
        return "true"
    return BELIEVED[name[1]].format(column=f"{VERIFICATION}::VARCHAR", source=quoted(*name))
