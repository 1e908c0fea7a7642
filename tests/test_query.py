"""SQL for people: useful, and unable to do harm."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from t2s_offline.errors import QueryError
from t2s_offline.exchange import export_store
from t2s_offline.query import query
from t2s_offline.store import RewardStore


@pytest.fixture(params=["file", "folder"])
def store(request: pytest.FixtureRequest, tiny_store: RewardStore, tmp_path: Path) -> RewardStore:
    if request.param == "file":
        return tiny_store
    export_store(tiny_store, tmp_path / "table")
    return RewardStore(tmp_path / "table")


def test_rows_and_names(store: RewardStore) -> None:
    columns, rows = query(store, "SELECT task, max(accuracy) AS best FROM rewards GROUP BY task ORDER BY task")
    assert columns == ["task", "best"]
    assert rows == [("apples", 80.0), ("birds", 80.0), ("cars", 80.0), ("digits", 80.0)]


@pytest.mark.parametrize(
    "sql", ["EXPLAIN SELECT 1", "DESCRIBE rewards", "SUMMARIZE tasks", "FROM coverage", "SHOW TABLES"]
)
def test_all_that_reads_is_allowed(store: RewardStore, sql: str) -> None:
    assert query(store, sql)[1]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM rewards",
        "DROP TABLE rewards",
        "CREATE TABLE x AS SELECT 1",
        "COPY rewards TO '/tmp/t2s-should-not-be.csv'",
        "ATTACH '/tmp/t2s-should-not-be.duckdb'",
        "SET enable_external_access = true",
        "PRAGMA memory_limit='100GB'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT 1; DELETE FROM rewards",
        "",
        ";",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        "SELECT * FROM glob('/*')",
        "SELECT nothing FROM rewards",
        "SELEC 1",
    ],
)
def test_what_does_not_read_the_store_is_refused(store: RewardStore, sql: str) -> None:
    before = store.frame("rewards")
    with pytest.raises(QueryError) as caught:
        query(store, sql)
    assert "\n" not in str(caught.value)
    assert not list(Path("/tmp").glob("t2s-should-not-be*"))
    assert store.frame("rewards").equals(before)


def test_a_long_query_ends(tiny_store: RewardStore) -> None:
    begin = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than 0\.3 s"):
        query(
            tiny_store,
            "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7",
            timeout=0.3,
        )
    assert time.monotonic() - begin < 30


def test_a_query_that_needs_too_much_memory_ends(tiny_store: RewardStore) -> None:
    with pytest.raises(QueryError, match=r"[Mm]emory"):
        query(tiny_store, "SELECT list(range) FROM range(100000000)", memory="100MB")
