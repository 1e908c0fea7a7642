"""A table folder is read once in a process, anew when a file changes, and never with a cell twice."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from t2s_offline.errors import BadFile
from t2s_offline.space import TASK2SIM
from t2s_offline.store import folder_tables, schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed

REWARD = {"recipe": "toy", "task": "a", "seed": 0, "metric": "knn5"}


def write(folder: Path, accuracy: list[float], repeated: int = 0) -> None:
    """A folder with one accuracy a configuration, the first `repeated` of them twice."""
    rows = [
        REWARD | {"configuration": TASK2SIM.configurations[at], "accuracy": value} for at, value in enumerate(accuracy)
    ]
    rewards = typed(pl.DataFrame(rows + rows[:repeated]), schema.REWARDS, "test")
    rewards.write_parquet(folder / "rewards.parquet")
    recipes = pl.DataFrame([{"recipe": "toy", "space": str(TASK2SIM)}])
    typed(recipes, schema.RECIPES, "test").write_parquet(folder / "recipes.parquet")


def test_a_cell_that_occurs_twice_is_named(tmp_path: Path) -> None:
    write(tmp_path, [20.0, 30.0], repeated=1)
    line = "rewards has recipe toy, task a, configuration 00000000, seed 0, metric knn5 more than once"
    for read in (RewardStore(tmp_path).matrix, lambda: RewardStore(tmp_path).frame("rewards")):
        with pytest.raises(BadFile, match=line):
            read()
    with pytest.raises(BadFile, match=line), RewardStore(tmp_path).guarded():
        pass
    write(tmp_path, [20.0, 30.0])  # what was refused is not remembered
    assert RewardStore(tmp_path).matrix().reward_TC[0, 1] == 30


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, [20.0, 30.0])
    assert RewardStore(tmp_path).matrix().reward_TC[0, :2].tolist() == [20, 30]
    write(tmp_path, [20.0, 35.0])
    assert RewardStore(tmp_path).matrix().reward_TC[0, :2].tolist() == [20, 35]


def test_a_table_is_read_when_it_is_first_asked_for_and_then_kept(tmp_path: Path) -> None:
    write(tmp_path, [20.0])
    store = RewardStore(tmp_path)
    (tmp_path / "tasks.parquet").write_bytes(b"no Parquet")
    with store.reader(("recipes", "rewards")) as con:
        assert con.sql("SELECT count(*) FROM rewards").fetchall() == [(1,)]
        con.execute("CREATE TEMP TABLE mark AS SELECT 1")
    with store.reader(("recipes", "rewards")) as con:
        assert con.sql("SELECT count(*) FROM rewards").fetchall() == [(1,)], "not filled twice"
        assert "mark" not in {row[0] for row in con.sql("SHOW TABLES").fetchall()}, "another connection"
    with pytest.raises(BadFile, match="not a table this version can read"), store.reader():
        pass
    assert store.path.resolve() not in {path for _, path in folder_tables._KEPT}


def test_an_inner_reader_and_many_folders(tmp_path: Path) -> None:
    for at in range(folder_tables.MOST_KEPT + 2):
        (folder := tmp_path / str(at)).mkdir()
        write(folder, [float(at)])
    first = RewardStore(tmp_path / "0")
    with first.reader() as outer:
        for at in range(folder_tables.MOST_KEPT + 2):
            assert RewardStore(tmp_path / str(at)).matrix().reward_TC[0, 0] == at
        assert outer.sql("SELECT accuracy FROM cells").fetchall() == [(0.0,)], "open readers keep what they read"
    assert len(folder_tables._KEPT) <= folder_tables.MOST_KEPT
