"""Shards: whole or absent, taken in once."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from t2s_offline.errors import BadFile, StoreError
from t2s_offline.spool import absorb, shards, spool_folder, write_shard
from t2s_offline.store import RewardStore


@pytest.fixture
def rows(tiny_store: RewardStore) -> pl.DataFrame:
    return tiny_store.frame("rewards").with_columns(metric=pl.lit("linear"))


def test_shards_are_taken_in_once(tiny_store: RewardStore, rows: pl.DataFrame) -> None:
    write_shard(tiny_store, "a", {"rewards": rows.head(10)})
    write_shard(tiny_store, "b", {"rewards": rows.tail(22)})
    assert len(shards(tiny_store)) == 2
    assert absorb(tiny_store) == {"rewards": 32}
    assert absorb(tiny_store) == {}
    assert tiny_store.matrix(metric="linear").measured_C.all()


def test_a_kill_between_adding_and_removing_doubles_nothing(tiny_store: RewardStore, rows: pl.DataFrame) -> None:
    write_shard(tiny_store, "a", {"rewards": rows})
    absorb(tiny_store)
    write_shard(tiny_store, "a", {"rewards": rows})  # as if it had not been removed
    assert absorb(tiny_store) == {"rewards": 0}


def test_half_a_shard_is_no_shard(tiny_store: RewardStore, rows: pl.DataFrame) -> None:
    (spool_folder(tiny_store) / ".a.99.tmp").mkdir(parents=True)
    rows.write_parquet(spool_folder(tiny_store) / ".a.99.tmp" / "rewards.parquet")
    assert shards(tiny_store) == []
    assert absorb(tiny_store) == {}


def test_a_damaged_shard_is_named_and_kept(tiny_store: RewardStore, rows: pl.DataFrame) -> None:
    path = write_shard(tiny_store, "a", {"rewards": rows})
    (path / "rewards.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(BadFile, match="shard"):
        absorb(tiny_store)
    assert path.exists()


def test_a_spool_that_cannot_be_written(tiny_store: RewardStore, rows: pl.DataFrame, tmp_path: Path) -> None:
    spool_folder(tiny_store).write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="free space"):
        write_shard(tiny_store, "a", {"rewards": rows})
