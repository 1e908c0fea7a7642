"""Shards: rows that the workers of a sweep write beside a store, to be added to it later.

Workers, on this machine or others, never open the DuckDB file. Each writes the rows of a finished configuration as one
folder of Parquet files, which never changes, so that none waits for another. `absorb` adds the shards to the store and
removes them. Adding a shard again changes nothing, so a kill between adding and removing loses and doubles no row. A
shard that is damaged or contradicts the store is moved to the folder "refused" with the reason, and the others are
added.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from t2s_offline.errors import BadFile, BadInput, Contradiction, StoreError
from t2s_offline.files import is_plain, write_whole, write_with
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    import polars as pl

    from t2s_offline.space import SimSpace

#: The tables that a shard may have. Workers write no recipes and no embeddings.
SHARD_TABLES = ("tasks", "backbones", "rewards")
REFUSED, REASON = "refused", "reason.txt"


def spool_folder(store: RewardStore) -> Path:
    """The folder of shards: ``rewards.duckdb.spool`` beside the store."""
    return store.path.with_name(store.path.name + ".spool")


def write_shard(store: RewardStore, name: str, frames: Mapping[str, pl.DataFrame]) -> Path:
    """Write frames, keyed by table, as one shard: a folder of Parquet files, complete or not there."""
    target = spool_folder(store) / name

    def fill(folder: Path) -> None:
        folder.mkdir()
        for table, frame in frames.items():
            write_with(folder / f"{table}.parquet", frame.write_parquet)

    try:
        write_with(target, fill)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror or error}; free space and sweep again") from error
    return target


def write_received(store: RewardStore, name: str, tables: Mapping[str, bytes]) -> Path:
    """Write a shard that another machine sent: Parquet by table. BadInput for names that no worker gives."""
    if not is_plain(name) or name == REFUSED or set(tables) - set(SHARD_TABLES):
        raise BadInput(f"a worker sent the shard {_plain(name)!r} of {_plain(', '.join(tables))}; expected its rows")
    target = spool_folder(store) / name

    def fill(folder: Path) -> None:
        folder.mkdir()
        for table, content in tables.items():
            write_whole(folder / f"{table}.parquet", content)

    if target.exists():  # it came twice
        return target
    try:
        write_with(target, fill)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror or error}; free space and sweep again") from error
    return target


def shards(store: RewardStore) -> list[Path]:
    """Complete shards, by name; hidden names are those of writers that have not finished."""
    folder = spool_folder(store)
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name != REFUSED)


def read_shard(path: Path) -> dict[str, pl.DataFrame]:
    """A shard's tables, with the columns and types of this version; BadInput when it is not what a worker writes.

    A shard may come from another machine: links, which could lead to any file of this one, are refused, and so is
    anything but tables. The result is empty when the shard is gone: another process has added it to the store.
    """
    import polars as pl

    from t2s_offline.store.rows import typed

    frames = {}
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise BadFile("it is a file or a link; expected a folder of tables")
        for file in sorted(path.iterdir()):
            if file.name.startswith("."):  # network file systems make such files
                continue
            if file.stem not in SHARD_TABLES or file.suffix != ".parquet":
                raise BadFile(f"it holds {_plain(file.name)}; expected {', '.join(SHARD_TABLES)} as Parquet")
            if not stat.S_ISREG(file.lstat().st_mode):
                raise BadFile(f"{file.name} is a link or no file; expected the table itself")
            frame = pl.read_parquet(file, glob=False)
            table = schema.TABLES[file.stem]
            missing = [key for key in table.key if key not in frame.columns]
            if missing:
                raise BadFile(f"{file.name}: column {missing[0]} is missing; a shard names every key")
            frames[file.stem] = typed(frame, table, file.name)
    except FileNotFoundError:
        return {}
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise BadFile(f"cannot be read: {_plain(str(error))}") from error
    return frames


def waiting_cells(paths: Iterable[Path]) -> set[tuple[str, str, int, str, str]]:
    """(recipe, configuration, seed, task, metric) of the rewards in these shards, without those that cannot be read."""
    cells: set[tuple[str, str, int, str, str]] = set()
    for path in paths:
        with suppress(BadInput):
            if (rewards := read_shard(path).get("rewards")) is not None:
                cells |= set(rewards.select("recipe", "configuration", "seed", "task", "metric").iter_rows())
    return cells


def absorb(store: RewardStore) -> dict[str, int]:
    """Add every shard to the store; returns new rows by table.

    They are added in one transaction. When one contradicts the store or another shard, each is added by itself, and one
    that is damaged or contradicts the store is set aside, see `refused`. An error of the store itself is raised, and
    then every shard stays.
    """
    if not shards(store):
        return {}
    with _lock_file(store) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed or the process ends
        known = store.recipes() if store.path.exists() else {}
        found: dict[Path, dict[str, pl.DataFrame]] = {}
        for path in shards(store):
            try:
                found[path] = read_shard(path)
            except BadInput as error:
                _set_aside(store, path, error)
        try:
            return _take(store, found, known)
        except Contradiction:
            new: dict[str, int] = {}
            for path, frames in found.items():
                try:
                    for name, count in _take(store, {path: frames}, known).items():
                        new[name] = new.get(name, 0) + count
                except Contradiction as error:
                    _set_aside(store, path, error)
            return new


def _lock_file(store: RewardStore) -> IO[str]:
    path = spool_folder(store) / ".absorb.lock"
    try:
        return path.open("a")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; make that folder writable") from error


def _take(
    store: RewardStore, found: Mapping[Path, Mapping[str, pl.DataFrame]], known: Mapping[str, SimSpace]
) -> dict[str, int]:
    """Add shards to the store and remove them; Contradiction when one of them cannot be added."""
    import polars as pl

    from t2s_offline.store.import_export import check
    from t2s_offline.store.rows import once

    parts: dict[str, list[pl.DataFrame]] = {}
    for frames in found.values():
        for name, frame in frames.items():
            parts.setdefault(name, []).append(frame)
    joined = {name: once(pl.concat(several), schema.TABLES[name]) for name, several in parts.items()}
    try:
        check(joined, known, "shard")
    except BadInput as error:
        raise Contradiction(str(error)) from error
    new = store.add(joined) if joined else {}
    for path in found:
        _remove(path)
    return new


def refused(store: RewardStore) -> dict[str, str]:
    """Shards that were set aside, by name, each with the reason as one line."""
    folder = spool_folder(store) / REFUSED
    found = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        reason = f"{REASON} is missing"
        with suppress(OSError):
            if (path / REASON).is_file():
                reason = (path / REASON).read_text("utf-8", "replace").partition("\n")[0]
        found[_plain(path.name)] = _plain(reason)
    return found


def _set_aside(store: RewardStore, path: Path, error: Exception) -> None:
    """Move a shard, whatever it is, to refused/NAME/shard. The reason is written beside it first."""
    folder = spool_folder(store) / REFUSED
    name, number = path.name, 1
    while os.path.lexists(folder / name / "shard"):
        number += 1
        name = f"{path.name}-{number}"
    try:
        if folder.is_symlink():
            raise BadFile(f"{folder} is a link; expected a folder: remove the link")
        (folder / name).mkdir(parents=True, exist_ok=True)
        again = "To try again, move what is called 'shard' here back to the spool, under a name of its own.\n"
        write_whole(folder / name / REASON, f"{_plain(str(error))}\n{again}".encode())
        os.rename(path, folder / name / "shard")
    except OSError as problem:
        raise StoreError(
            f"cannot set the shard {path} aside: {problem.strerror or problem}; remove it by hand"
        ) from problem


def _plain(text: str) -> str:
    """Text from others as one line of printable characters."""
    text = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in text)[:300]


def _remove(folder: Path) -> None:
    """Remove a shard's files and its folder. A folder that still has hidden files is left: an empty shard."""
    if not folder.is_dir():
        return
    with suppress(OSError):
        for file in folder.iterdir():
            file.unlink(missing_ok=True)
        folder.rmdir()
