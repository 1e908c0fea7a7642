"""Rows that wait beside a store: what workers write, and whoever opens the store next takes in.

Comes in: rows of one finished configuration. Goes out: the same rows in the store. Workers, on this machine or others,
never open the DuckDB file: each writes one immutable Parquet shard (temporary file, fsync, rename), so none waits for
another. Taking in is idempotent: a shard whose rows are there already changes nothing, so a kill between adding and
removing loses nothing and doubles nothing.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline import schema
from t2s_offline.errors import BadFile, StoreError
from t2s_offline.store import RewardStore

if TYPE_CHECKING:
    import polars as pl


def spool_folder(store: RewardStore) -> Path:
    """Where shards wait: ``rewards.duckdb.spool`` beside the store."""
    return store.path.with_name(store.path.name + ".spool")


def write_shard(store: RewardStore, name: str, frames: Mapping[str, pl.DataFrame]) -> Path:
    """Write frames, keyed by table, as one shard: a folder of Parquet files that appears whole."""
    folder = spool_folder(store)
    target, partial = folder / name, folder / f".{name}.{os.getpid()}.tmp"
    try:
        partial.mkdir(parents=True)
        for table, frame in frames.items():
            path = partial / f"{table}.parquet"
            frame.write_parquet(path)
            with path.open("rb") as file:
                os.fsync(file.fileno())
        os.rename(partial, target)
    except OSError as error:
        _remove(partial)
        raise StoreError(f"cannot write {target}: {error.strerror or error}; free space and sweep again") from error
    return target


def shards(store: RewardStore) -> list[Path]:
    """Finished shards, by name; what a killed writer left is not one."""
    folder = spool_folder(store)
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []


def read_shards(paths: list[Path]) -> dict[str, pl.DataFrame]:
    """The rows of several shards, keyed by table. One that is gone by now has been taken in: the store has its rows."""
    import polars as pl

    parts: dict[str, list[pl.DataFrame]] = {}
    for path in paths:
        for file in sorted(path.glob("*.parquet")):
            try:
                parts.setdefault(file.stem, []).append(pl.read_parquet(file))
            except FileNotFoundError:
                continue
            except (OSError, pl.exceptions.PolarsError) as error:
                raise BadFile(f"cannot read the shard {path}: {error}; remove it and sweep again") from error
    return {name: pl.concat(frames) for name, frames in parts.items() if name in schema.TABLES}


def absorb(store: RewardStore) -> dict[str, int]:
    """Take every waiting shard into the store, in one transaction; returns new rows by table."""
    if not shards(store):
        return {}
    with (spool_folder(store) / ".absorb.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go of when the file is closed, or its holder dies
        waiting = shards(store)
        new = store.add(read_shards(waiting))
        for path in waiting:
            _remove(path)
    return new


def _remove(folder: Path) -> None:
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        file.unlink(missing_ok=True)
    folder.rmdir()
