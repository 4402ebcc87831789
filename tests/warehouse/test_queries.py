"""Questions in SQL: what they find, and what they can't do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from satsuma_server.errors import QueryError
from satsuma_server.warehouse.load.replace import replace_tables
from satsuma_server.warehouse.query import sql
from satsuma_server.warehouse.query.browse import list_tables, read_rows
from satsuma_server.warehouse.query.sql import Queries
from warehouse.made import Made, event, warehouse


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with warehouse(tmp_path_factory.mktemp("warehouse")) as made:
        made.load(*[event(seq, properties={"n": seq, "tags": ["x"]}) for seq in range(1, 51)])
        yield made


@pytest.fixture
def queries(made: Made) -> Queries:
    return Queries(made.database, seconds=20)


def test_an_answer_is_what_json_can_hold(queries: Queries) -> None:
    answer = queries.run("""SELECT n, timestamp, tags, 1.50::DECIMAL(9,2) AS d, [1, 2] AS l, 'x'::BLOB AS b,
        1e999::DOUBLE AS inf, {'a': 1} AS s, NULL AS nothing, sum(n) OVER () AS total
        FROM demo.tried ORDER BY n; -- and a comment""")
    assert answer.rows[0] == [
        1, "2026-04-23 22:38:01.550", '["x"]', 1.5, [1, 2], "78", "inf", {"a": 1}, None, 1275,
    ]  # fmt: skip
    assert [column.type for column in answer.columns][:3] == ["BIGINT", "TIMESTAMP", "VARCHAR"]
    assert len(answer.rows) == 50
    assert not answer.truncated


@pytest.mark.parametrize(
    "sql", ["FROM demo.tried LIMIT 1", "DESCRIBE demo.tried", "SHOW ALL TABLES", "WITH a AS (SELECT 1 AS x) FROM a"]
)
def test_whatever_reads_may_be_asked(queries: Queries, sql: str) -> None:
    assert queries.run(sql).rows


FORBIDDEN = {
    "DROP TABLE demo.tried": "only SELECT",
    "SELECT 1; DROP TABLE demo.tried": "one statement",
    "": "one statement",
    "UPDATE demo.tried SET n = 0": "only SELECT",
    "WITH gone AS (DELETE FROM demo.tried RETURNING n) FROM gone": "top level|read-only",
    "COPY demo.tried TO '/tmp/satsuma-leak.csv'": "only SELECT",
    "SET memory_limit = '100GB'": "only SELECT",
    "ATTACH '/tmp/other.duckdb'": "only SELECT",
    "INSTALL httpfs": "only SELECT",
    "PRAGMA database_list": "only SELECT",
    "SELECT * FROM read_text('/etc/passwd')": "disabled by configuration",
    "SELECT * FROM '/etc/passwd'": "does not exist",
    "SELECT * FROM glob('/etc/*')": "disabled by configuration",
    "SELECT * FROM read_csv('https://example.com/x.csv')": "disabled by configuration",
    "SELECT * FROM query('DROP TABLE demo.tried')": "",
    "SELECT 1) ; DROP TABLE demo.tried; --": "syntax error",
    "SELECT getenv('HOME')": "does not exist",
    "SELECT * FROM made": "does not exist",  # A variable of this very program.
    "SELECT ?": "parameters",
    "SELECT nothing FROM demo.tried": "nothing",
}


@pytest.mark.parametrize(("sql", "told"), FORBIDDEN.items())
def test_nothing_else_may(queries: Queries, made: Made, sql: str, told: str) -> None:
    with pytest.raises(QueryError, match=f"(?i){told}"):
        queries.run(sql)
    assert made.ask("SELECT count(*), sum(n) FROM demo.tried") == [(50, 1275)]
    assert not Path("/tmp/satsuma-leak.csv").exists()


def test_a_query_that_takes_too_long_is_stopped(made: Made) -> None:
    with pytest.raises(QueryError, match=r"stopped after 0\.2 s"):
        Queries(made.database, seconds=0.2).run(
            "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
        )


def test_a_query_that_takes_too_much_memory_ends_alone(queries: Queries) -> None:
    with pytest.raises(QueryError, match=r"(?i)memory"):
        queries.run("SELECT list(range)::VARCHAR FROM range(1000000000)")
    assert queries.run("SELECT 1").rows == [[1]]


def test_answers_have_a_bound(queries: Queries, monkeypatch: pytest.MonkeyPatch) -> None:
    few = queries.run("SELECT * FROM range(100000000000)", limit=7)
    assert [row[0] for row in few.rows] == list(range(7))
    assert few.truncated
    assert not queries.run("SELECT * FROM range(7)", limit=7).truncated
    assert len(queries.run("SELECT * FROM range(1000000)", limit=1_000_000).rows) == sql.MOST_ROWS
    monkeypatch.setattr(sql, "MOST_BYTES", 10_000)
    wide = queries.run("SELECT repeat('x', 1000) FROM range(100)", limit=100)
    assert len(wide.rows) == 10
    assert wide.truncated


def test_too_many_queries_wait_for_their_turn(made: Made) -> None:
    queries = Queries(made.database, seconds=20)
    answers: list[object] = []

    def ask() -> None:
        answers.append(queries.run("SELECT count(*) FROM demo.tried").rows[0][0])

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [50] * 12


def test_tables_are_listed_and_browsed(made: Made) -> None:
    tables = {f"{one.schema}.{one.name}": one for one in list_tables(made.database)}
    assert list(tables) == ["demo.tracks", "demo.tried"]
    assert tables["demo.tried"].rows == 50
    assert ("n", "BIGINT") in [(column.name, column.type) for column in tables["demo.tried"].columns]
    queries = Queries(made.database, seconds=20)
    page = read_rows(made.database, queries, "demo", "tried", limit=3, offset=2)
    place = [column.name for column in page.columns].index("n")
    assert [row[place] for row in page.rows] == [48, 47, 46]
    with pytest.raises(QueryError, match="no table"):
        read_rows(made.database, queries, "demo", 'tried"; drop table x', limit=3, offset=0)


def test_tables_of_others_stand_beside(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1))
        for names in (["Ann"], ["Bea", "Cid"]):
            tables = {"profiles": pa.table({"name": names}), "traits": pa.table({"x": [1]})}
            replace_tables(made.database, made.loader.catalog, "profiles", tables)
        made.loader.start_over()
        made.load(event(1))
        assert made.ask("SELECT count(*) FROM demo.tried") == [(1,)]
        assert made.ask("FROM profiles.profiles") == [("Bea",), ("Cid",)]
        with pytest.raises(ValueError, match="source"):
            replace_tables(made.database, made.loader.catalog, "demo", {})
