"""The Parquet files of a table folder as DuckDB tables in memory.

A command asks a table folder for many things. Within a process its tables are read once, each when it is first asked
for, as long as its file stays the same.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from t2s_offline.errors import BadFile, BadInput
from t2s_offline.store import schema
from t2s_offline.store.engine import ENGINE_LOCK, SAFE, Connection, one_line

#: Files of a folder by table, and their inodes, sizes and times of change.
State = dict[str, tuple[int, int, int]]
MOST_KEPT = 4  # table folders in memory: `report` and `compare` read at most three


@dataclass
class _Kept:
    """A folder's tables in memory: those in `read`, the others are empty."""

    con: Connection
    state: State
    read: set[str] = field(default_factory=set)
    views: bool = False


#: The folders that this process has read, by process (a forked child reads anew) and path, the latest last.
_KEPT: dict[tuple[int, Path], _Kept] = {}
atexit.register(_KEPT.clear)  # DuckDB's binding complains of connections that outlive the interpreter


def shared(folder: Path, tables: Collection[str] | None) -> Connection:
    """A connection to the tables of a folder, to be closed by the caller and not to be written to.

    tables: those that are asked for; all of them, and the views, by default. BadFile when the folder is no table folder
    or a table cannot be read.
    """
    with ENGINE_LOCK:
        key, state = (os.getpid(), folder.resolve()), _state(folder)
        kept = _KEPT.pop(key, None)
        if kept is None or kept.state != state:
            kept = _Kept(_empty(), state)
        _fill(kept, folder, tables)  # not kept when it fails
        _KEPT[key] = kept
        while len(_KEPT) > MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        return kept.con.cursor()


def opened(folder: Path) -> Connection:
    """A connection to a DuckDB instance of its own with all tables and views of a folder: for SQL from others."""
    kept = _Kept(_empty(), _state(folder))
    _fill(kept, folder, None)
    return kept.con


def _state(folder: Path) -> State:
    """BadFile when the folder has neither rewards nor embeddings."""
    state = {}
    for name in schema.TABLES:
        try:
            status = (folder / f"{name}.parquet").stat()
        except OSError:
            continue
        state[name] = status.st_ino, status.st_size, status.st_mtime_ns
    if "rewards" not in state and "embeddings" not in state:
        raise BadFile(f"{folder} is no table folder: rewards.parquet is missing; expected an exported table")
    return state


def _empty() -> Connection:
    con = duckdb.connect(":memory:", config={**SAFE, "autoload_known_extensions": "true"})
    con.execute(f"CREATE TABLE t2s_store AS SELECT {schema.VERSION} AS version")
    con.execute(";".join(table.keyless_ddl for table in schema.TABLES.values()))
    return con


def _fill(kept: _Kept, folder: Path, tables: Collection[str] | None) -> None:
    """Read the tables that are wanted and not there yet; closes the connection when that fails."""
    con, wanted = kept.con, schema.TABLES if tables is None else tables
    try:
        for name in kept.state:
            if name in wanted and name not in kept.read and name != "parameters":
                _read(con, schema.TABLES[name], folder)
                kept.read.add(name)
        if {"parameters", "recipes"} <= set(wanted) and "parameters" not in kept.read:
            _derive_parameters(con, folder)
            kept.read.add("parameters")
        if tables is None and not kept.views:
            con.execute(schema.views_ddl())
            kept.views = True
    except duckdb.Error as error:
        con.close()
        raise BadFile(f"{folder} is not a table this version can read: {one_line(error)}") from error
    except BaseException:
        con.close()
        raise


def _read(con: Connection, table: schema.StoreTable, folder: Path) -> None:
    """Fill a table from its file. BadFile when a key occurs twice: a search takes a fifth of an index's time."""
    plain = re.sub(r"([*?[])", r"[\1]", str(folder / f"{table.name}.parquet"))  # DuckDB takes these for a pattern
    con.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM read_parquet(?)", [plain])
    key = ", ".join(table.key)
    twice = con.execute(f"SELECT {key} FROM {table.name} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1")
    if row := twice.fetchone():
        cell = ", ".join(f"{name} {value}" for name, value in zip(table.key, row, strict=True))
        raise BadFile(f"{folder}: {table.name} has {cell} more than once; expected once; get the table again")


def _derive_parameters(con: Connection, folder: Path) -> None:
    """Fill the parameters table from the spaces of the recipes; a file parameters.parquet is not read."""
    from t2s_offline.space import SimSpace

    rows: list[object] = []
    for recipe, text in con.execute("SELECT recipe, space FROM recipes ORDER BY recipe").fetchall():
        try:
            params = SimSpace.parse(text).params
        except BadInput as error:
            raise BadFile(f"{folder}: recipe {recipe}: {error}") from error
        for at, param in enumerate(params):
            rows += [recipe, at + 1, param.name, param.levels]
    if rows:  # in one statement: each takes a millisecond
        con.execute(f"INSERT INTO parameters VALUES {', '.join(['(?, ?, ?, ?)'] * (len(rows) // 4))}", rows)
