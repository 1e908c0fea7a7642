"""Stores of versions 1 and 2: read as they are, and turned into those of this version by the first write, whole or not.

The fixtures were written by the package as it was then; see tests/fixtures.
"""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from t2s_offline.errors import BadInput, Contradiction
from t2s_offline.store import schema
from t2s_offline.store.import_export import export_store, import_path
from t2s_offline.store.query import query
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.sweep.run import attempts

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECIPE = "old-12345678"
TABLES = Path(__file__).parents[2] / "tables"


@pytest.fixture
def old(tmp_path: Path) -> RewardStore:
    return unpacked(1, tmp_path)


def unpacked(version: int, folder: Path) -> RewardStore:
    path = folder / f"old{version}.duckdb"
    path.write_bytes(gzip.decompress((FIXTURES / f"version{version}.duckdb.gz").read_bytes()))
    return RewardStore(path, lock_wait=0.2)


def version(store: RewardStore) -> int:
    with duckdb.connect(str(store.path), read_only=True) as con:
        return int(con.execute("SELECT version FROM t2s_store").fetchall()[0][0])


def test_an_old_store_is_read_as_it_is(old: RewardStore) -> None:
    content = old.path.read_bytes()
    assert old.matrix().reward_TC[0].tolist() == [40.0 + at for at in range(8)]
    assert old.frame("tasks")["digest"].to_list() == [None, None]
    assert sorted(old.frame("backbones")["attempt"]) == ["1", "10", "2"]
    assert attempts(old) == {(RECIPE, "000", 0): (3, "done", None)}, "attempt 10 came last"
    assert query(old, "SELECT task, digest FROM tasks ORDER BY 1")[1] == [("digits", None), ("wood", None)]
    assert query(old, "SELECT attempt FROM backbones ORDER BY 1")[1] == [("1",), ("10",), ("2",)]
    for view in schema.VIEWS:
        assert query(old, f"SELECT count(*) FROM {view}")[1], view
    assert old.path.read_bytes() == content


def test_the_first_write_brings_it_up_to_date(old: RewardStore, tmp_path: Path) -> None:
    before = {name: old.frame(name) for name in schema.TABLES}
    assert old.add({}) == {}
    assert version(old) == schema.VERSION
    assert all(old.frame(name).equals(frame) for name, frame in before.items())
    assert layout(old) == layout(fresh_store(tmp_path))
    row = {
        "recipe": RECIPE,
        "configuration": "000",
        "seed": 0,
        "attempt": "20261121T000000.000000Z-0",
        "status": "failed",
    }
    assert old.add({"backbones": typed(pl.DataFrame([row]), schema.BACKBONES, "test")}) == {"backbones": 1}
    assert attempts(old)[RECIPE, "000", 0][:2] == (4, "failed")


def fresh_store(folder: Path) -> RewardStore:
    store = RewardStore(folder / "fresh.duckdb")
    store.add({})
    return store


def layout(store: RewardStore) -> list[object]:
    """Columns, keys and views of a store."""
    questions = (
        "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = current_database() ORDER BY ALL",
        "SELECT table_name, constraint_type, constraint_column_names FROM duckdb_constraints() ORDER BY ALL",
        "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal AND database_name = current_database() "
        "ORDER BY ALL",
    )
    with store.reader() as con:
        return [con.sql(question).fetchall() for question in questions]


def test_a_store_of_version_2_is_read_as_it_is_and_brought_up_to_date(tmp_path: Path) -> None:
    old = unpacked(2, tmp_path)
    content = old.path.read_bytes()
    before = {name: old.frame(name) for name in schema.TABLES}
    assert before["tasks"]["relatives"].to_list() == [None] * 3
    assert old.digests() == {"PacsC": "0" * 32, "PacsS": "1" * 32, "wood": "2" * 32}
    assert query(old, "SELECT task, relatives FROM tasks ORDER BY 1")[1][0] == ("PacsC", None)
    for view in schema.VIEWS:
        assert query(old, f"SELECT count(*) FROM {view}")[1], view
    assert old.path.read_bytes() == content
    assert old.add({}) == {}
    assert version(old) == schema.VERSION
    assert all(old.frame(name).equals(frame) for name, frame in before.items())
    assert layout(old) == layout(fresh_store(tmp_path))


def test_an_old_store_learns_who_is_related(tmp_path: Path) -> None:
    """By `import` of a table of tasks with these two columns; what the store knows of a task already stays."""
    old = unpacked(2, tmp_path)
    (tmp_path / "tasks.csv").write_text("task,relatives\nPacsC,pacs\nPacsS,pacs\nwood,\n")
    import_path(old, tmp_path / "tasks.csv")
    assert old.relatives() == {"PacsC": "pacs", "PacsS": "pacs"}
    assert old.frame("tasks")["classes"].to_list() == [7, 7, 7]


def test_a_write_that_fails_leaves_the_old_version(old: RewardStore) -> None:
    with pytest.raises(Contradiction):
        old.add({"rewards": old.frame("rewards").with_columns(accuracy=pl.lit(1.0))})
    assert version(old) == 1
    assert len(old.frame("rewards")) == 16


KILLED = """
import os, signal, sys
from pathlib import Path
from t2s_offline.store.reward_store import RewardStore
with RewardStore(Path(sys.argv[1])).writer() as con:
    assert con.execute("SELECT version FROM t2s_store").fetchall() == [(3,)]
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_in_between_leaves_the_old_version(old: RewardStore) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(old.path)], check=False, env={**os.environ})
    assert killed.returncode == -signal.SIGKILL
    assert version(old) == 1
    assert sorted(old.frame("backbones")["attempt"]) == ["1", "10", "2"]
    old.add({})
    assert version(old) == schema.VERSION


@pytest.mark.parametrize("name", ["cpu", "tiny"])
def test_table_folders_of_version_1_load_unchanged(name: str, tmp_path: Path) -> None:
    folder = RewardStore(TABLES / name)
    for table in schema.TABLES:
        file = pl.read_parquet(TABLES / name / f"{table}.parquet")
        now = folder.frame(table)
        assert (
            now.select(file.columns)
            .cast(dict(file.schema))
            .sort(schema.TABLES[table].key)
            .equals(file.sort(schema.TABLES[table].key))
        ), table
    store = RewardStore(tmp_path / "copy.duckdb")
    import_path(store, TABLES / name)
    export_store(store, tmp_path / "out")
    again = RewardStore(tmp_path / "out")
    assert all(again.frame(table).equals(folder.frame(table)) for table in schema.TABLES)


def test_an_old_store_takes_a_digest_once(old: RewardStore) -> None:
    def digits(digest: str) -> dict[str, pl.DataFrame]:
        return {"tasks": typed(pl.DataFrame([{"task": "digits", "digest": digest}]), schema.TASKS, "test")}

    old.add(digits("a" * 32))
    with pytest.raises(BadInput, match="other pictures"):
        old.add(digits("b" * 32))
