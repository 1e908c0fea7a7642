"""Shards: complete or absent, added once; one that cannot be added does not stop the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from t2s_offline.errors import BadFile, StoreError
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.spool import absorb, refused, shards, spool_folder, write_shard


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


def damaged(shard: Path, outside: Path) -> None:
    (shard / "rewards.parquet").write_bytes(b"PAR1 nonsense")


def link_to_a_table(shard: Path, outside: Path) -> None:
    os.replace(shard / "rewards.parquet", outside)
    (shard / "rewards.parquet").symlink_to(outside)


def pipe(shard: Path, outside: Path) -> None:
    (shard / "rewards.parquet").unlink()
    os.mkfifo(shard / "rewards.parquet")


def link_to_a_shard(shard: Path, outside: Path) -> None:
    os.replace(shard, outside)
    shard.symlink_to(outside)


def plain_file(shard: Path, outside: Path) -> None:
    os.replace(shard, outside)
    shard.write_text("no shard")


def unknown_table(shard: Path, outside: Path) -> None:
    os.replace(shard / "rewards.parquet", shard / "recipes.parquet")


def changed(**columns: pl.Expr) -> Callable[[Path, Path], None]:
    def change(shard: Path, outside: Path) -> None:
        path = shard / "rewards.parquet"
        pl.read_parquet(path).with_columns(**columns).write_parquet(path)

    return change


def unnamed(shard: Path, outside: Path) -> None:
    path = shard / "rewards.parquet"
    pl.read_parquet(path).drop("seed").write_parquet(path)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (damaged, "cannot be read"),
        (link_to_a_table, "is a link"),
        (pipe, "is a link or no file"),
        (link_to_a_shard, "a file or a link"),
        (plain_file, "a file or a link"),
        (unknown_table, "it holds recipes.parquet"),
        (changed(command=pl.lit("rm")), "unknown column in rewards.parquet 'command'"),
        (unnamed, "column seed is missing"),
        (changed(accuracy=pl.lit(130.0)), "expected percent"),
        (changed(configuration=pl.lit("2")), "has 1 digits"),
        (changed(recipe=pl.lit("strange")), "recipe strange has no row in recipes"),
        (changed(metric=pl.lit("knn5")), "stored with other values"),
        (changed(task=pl.lit("\x1b[31mred\n"), accuracy=pl.lit(-1.0)), "task ?[31mred"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_shard_that_cannot_be_taken_is_set_aside_and_the_others_are_taken(
    tiny_store: RewardStore, rows: pl.DataFrame, tmp_path: Path, harm: Callable[[Path, Path], None], reason: str
) -> None:
    other = rows.with_columns(accuracy=pl.lit(1.0))
    write_shard(tiny_store, "a", {"rewards": rows.head(10)})
    bad = write_shard(tiny_store, "b", {"rewards": other.tail(12)})
    write_shard(tiny_store, "c", {"rewards": rows[10:20]})
    harm(bad, tmp_path / "outside")
    before = (tmp_path / "outside").read_bytes() if (tmp_path / "outside").is_file() else b""
    assert absorb(tiny_store) == {"rewards": 20}
    assert shards(tiny_store) == []
    assert reason in refused(tiny_store)["b"]
    aside = spool_folder(tiny_store) / "refused" / "b"
    assert {path.name for path in aside.iterdir()} == {"reason.txt", "shard"}
    assert refused(tiny_store)["b"].isprintable()
    write_shard(tiny_store, "d", {"rewards": rows[20:]})
    assert absorb(tiny_store) == {"rewards": 12}, "nothing later is blocked"
    if before:
        assert (tmp_path / "outside").read_bytes() == before


def test_a_refused_shard_is_never_overwritten_and_can_be_tried_again(
    tiny_store: RewardStore, rows: pl.DataFrame
) -> None:
    for accuracy in (130.0, 140.0):
        write_shard(tiny_store, "a", {"rewards": rows.with_columns(accuracy=pl.lit(accuracy))})
        assert absorb(tiny_store) == {}
    found = refused(tiny_store)
    assert list(found) == ["a", "a-2"]
    assert ("130" in found["a"], "140" in found["a-2"]) == (True, True)
    shard = spool_folder(tiny_store) / "refused" / "a" / "shard"
    rows.write_parquet(shard / "rewards.parquet")
    os.rename(shard, spool_folder(tiny_store) / "again")
    assert absorb(tiny_store) == {"rewards": 32}


def test_a_kill_while_a_shard_is_set_aside_loses_nothing(
    tiny_store: RewardStore, rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shard(tiny_store, "a", {"rewards": rows.with_columns(accuracy=pl.lit(130.0))})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("t2s_offline.store.spool.os.rename", killed)
        with pytest.raises(KeyboardInterrupt):
            absorb(tiny_store)
    assert path.is_dir()
    assert "expected percent" in refused(tiny_store)["a"], "the reason is there first"
    absorb(tiny_store)
    assert list(refused(tiny_store)) == ["a"]
    assert not path.exists()


def test_a_store_that_cannot_be_written_refuses_no_shard(tiny_store: RewardStore, rows: pl.DataFrame) -> None:
    write_shard(tiny_store, "a", {"rewards": rows})
    whole = tiny_store.path.read_bytes()
    tiny_store.path.write_bytes(b"nonsense" * 100)
    with pytest.raises(BadFile, match="not a DuckDB file"):
        absorb(tiny_store)
    assert len(shards(tiny_store)) == 1
    tiny_store.path.write_bytes(whole)
    assert absorb(tiny_store) == {"rewards": 32}


def test_a_shard_of_other_pictures_is_refused(tiny_store: RewardStore, rows: pl.DataFrame) -> None:
    for name, digest, at in (("a", "a" * 32, 0), ("b", "b" * 32, 8), ("c", "a" * 32, 16)):
        task = typed(pl.DataFrame([{"task": "digits", "digest": digest}]), schema.TASKS, "test")
        write_shard(tiny_store, name, {"tasks": task, "rewards": rows[at : at + 8]})
    assert absorb(tiny_store) == {"tasks": 0, "rewards": 16}
    assert "task digits here has other pictures" in refused(tiny_store)["b"]


def test_many_shards_are_one_transaction(
    tiny_store: RewardStore, rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(len(rows)):
        write_shard(tiny_store, f"s{at}", {"rewards": rows[at : at + 1]})
    opened, writer = [], RewardStore.writer

    def counted(store: RewardStore) -> object:
        opened.append(store)
        return writer(store)

    monkeypatch.setattr(RewardStore, "writer", counted)
    assert absorb(tiny_store) == {"rewards": 32}
    assert len(opened) == 1


def test_a_spool_that_cannot_be_written(tiny_store: RewardStore, rows: pl.DataFrame, tmp_path: Path) -> None:
    spool_folder(tiny_store).write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="free space"):
        write_shard(tiny_store, "a", {"rewards": rows})
