"""The reward store: one DuckDB file of recipes, tasks, embeddings, backbones and rewards.

Comes in: checked frames to add; questions. Goes out: matrices, embeddings, frames. Ignores where rows come from and
what is done with them. Connections are short (an open writer blocks every other process): open, do one thing, close,
and wait with jitter while another process holds the file. A folder of Parquet files is a store that can only be read.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from t2s_offline import schema
from t2s_offline.errors import (
    BadFile,
    BadInput,
    EmptyStore,
    StoreError,
    StoreLocked,
    UnknownName,
    check_known,
)

if TYPE_CHECKING:
    import polars as pl

    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.space import SimSpace

Connection = duckdb.DuckDBPyConnection

DUCKDB_MAGIC = b"DUCK"  # at byte 8 of every DuckDB file
LOCK_WAIT = 30.0
#: No extension is ever downloaded, whatever a file looks like.
SAFE: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_ENGINE_LOCK = threading.RLock()


@dataclass(frozen=True)
class RewardStore:
    """A store by its path. `lock_wait`: seconds to wait for another process (environment variable T2S_LOCK_WAIT)."""

    path: Path
    lock_wait: float = float(os.environ.get("T2S_LOCK_WAIT", LOCK_WAIT))

    # -- connections ------------------------------------------------------------------------------------------------

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """A read-only connection; BadFile when the store is absent, corrupt or foreign."""
        if self.path.is_dir():
            with self.guarded() as con:
                yield con
            return
        with self._attached(read_only=True) as con:
            yield con

    @contextmanager
    def writer(self) -> Iterator[Connection]:
        """A connection inside one transaction: all of it is kept, or nothing. Makes the store when it is absent."""
        if self.path.is_dir():
            raise BadInput(f"{self.path} is a table folder, which can only be read; give a DuckDB file to write to")
        if not self.path.exists():
            self._create()
        with self._attached(read_only=False) as con:
            con.execute("BEGIN")
            try:
                yield con
            except BaseException:
                con.execute("ROLLBACK")
                raise
            con.execute("COMMIT")

    @contextmanager
    def guarded(self, config: Mapping[str, Any] | None = None) -> Iterator[Connection]:
        """A connection with a DuckDB instance of its own, for SQL of strangers: read-only, and `config` set and
        locked, so that nothing but the store can be reached."""
        if self.path.is_dir():
            con = self._open_folder()
        else:
            con = self._locked_out(lambda: duckdb.connect(str(self._checked_path()), read_only=True, config=SAFE))
        with _tidy_errors(self.path), closing(con):
            self._check_schema(con)
            for key, value in (config or {}).items():
                con.execute(f"SET {key} = '{value}'")
            yield con

    @contextmanager
    def _attached(self, *, read_only: bool) -> Iterator[Connection]:
        """The file attached to this process's DuckDB instance (starting one takes 15 ms, attaching takes 1)."""
        path = str(self._checked_path()).replace("'", "''")
        with _ENGINE_LOCK, _tidy_errors(self.path), closing(_engine().cursor()) as con:
            mode = "READ_ONLY" if read_only else "READ_WRITE"
            self._locked_out(lambda: con.execute(f"ATTACH '{path}' AS store ({mode})"))
            try:
                con.execute("USE store")
                self._check_schema(con)
                yield con
            finally:
                con.execute("USE memory")
                con.execute("DETACH store")

    def _checked_path(self) -> Path:
        """The path, when a DuckDB file lies there: DuckDB would try other formats by downloading extensions."""
        try:
            with self.path.open("rb") as file:
                head = file.read(12)
        except FileNotFoundError:
            raise BadFile(
                f"no reward store at {self.path}; make one with: t2s-offline fetch task2sim --store {self.path}"
            ) from None
        except OSError as error:
            raise BadFile(f"cannot read {self.path}: {error.strerror}; expected a reward store") from error
        if head[8:] != DUCKDB_MAGIC:
            raise BadFile(f"{self.path} is not a DuckDB file; expected a reward store; name another with --store")
        return self.path.resolve()

    def _locked_out(self, connect: Callable[[], Connection]) -> Connection:
        """Call `connect` until no other process holds the file, at most `lock_wait` seconds."""
        begin = time.monotonic()
        while True:
            try:
                return connect()
            except duckdb.Error as error:
                held = re.search(r"lock is held in (\S+) \(PID (\d+)\)", str(error))
                if not held:
                    message = f"{self.path} cannot be opened: {one_line(error)}; restore it or make a new one"
                    raise BadFile(message) from error
                waited = time.monotonic() - begin
                if waited >= self.lock_wait:
                    raise StoreLocked(
                        f"{self.path} is locked by {Path(held[1]).name} (process {held[2]}); waited {waited:.0f} s; "
                        f"let it end, or wait longer with T2S_LOCK_WAIT=SECONDS"
                    ) from error
                time.sleep(random.uniform(0.01, 0.1))

    def _create(self) -> None:
        """Make an empty store beside the path and link it there, so that nobody ever sees half of one."""
        partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            with _tidy_errors(partial), closing(duckdb.connect(str(partial), config=SAFE)) as con:
                for statement in schema.ddl():
                    con.execute(statement)
            os.link(partial, self.path)
        except FileExistsError:
            pass  # another process was faster
        except OSError as error:
            raise StoreError(f"cannot make a store at {self.path}: {error.strerror}; choose another --store") from error
        finally:
            partial.unlink(missing_ok=True)

    def _open_folder(self) -> Connection:
        files = {name: self.path / f"{name}.parquet" for name in schema.TABLES}
        if not files["rewards"].exists() and not files["embeddings"].exists():
            raise BadFile(f"{self.path} is no table folder: rewards.parquet is missing; expected an exported table")
        con = duckdb.connect(":memory:", config={**SAFE, "autoload_known_extensions": "true"})
        try:
            for statement in schema.ddl():
                con.execute(statement)
            for name, file in files.items():
                if file.exists():
                    con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM read_parquet(?)", [str(file)])
        except duckdb.Error as error:
            con.close()
            raise BadFile(f"{self.path} is not a table this version can read: {one_line(error)}") from error
        return con

    def _check_schema(self, con: Connection) -> None:
        try:
            version = con.sql("SELECT version FROM t2s_store").fetchall()[0][0]
        except duckdb.CatalogException as error:
            raise BadFile(f"{self.path} is a DuckDB file but no reward store; name another with --store") from error
        if version != schema.VERSION:
            raise BadFile(f"{self.path} has schema {version}; this version reads {schema.VERSION}; upgrade t2s-offline")

    # -- writing ----------------------------------------------------------------------------------------------------

    def add(self, frames: Mapping[str, pl.DataFrame], *, replace: bool = False) -> dict[str, int]:
        """Add rows to tables in one transaction; returns how many were new, by table.

        A row that is there already is left alone; one that is there with other values is a BadInput, unless
        `replace`. Frames are keyed by table name and have the table's columns.
        """
        new = {}
        with self.writer() as con:
            for name, table in schema.TABLES.items():
                if name in frames and len(frames[name]):
                    new[name] = _merge(con, table, frames[name], replace=replace)
        return new

    # -- reading ----------------------------------------------------------------------------------------------------

    def frame(self, table: str) -> pl.DataFrame:
        """A whole table, ordered by its key."""
        found = schema.TABLES[check_known("table", table, schema.TABLES)]
        with self.reader() as con:
            return con.sql(f"SELECT * FROM {table} ORDER BY {', '.join(found.key)}").pl()

    def recipes(self) -> dict[str, SimSpace]:
        """Spaces by recipe."""
        with self.reader() as con:
            return _recipes(con)

    def recipe(self, name: str | None) -> tuple[str, SimSpace]:
        """The recipe of that name and its space, or the only one when no name is given."""
        with self.reader() as con:
            return self._recipe(con, name)

    def _recipe(self, con: Connection, name: str | None) -> tuple[str, SimSpace]:
        known = _recipes(con)
        if not known:
            raise EmptyStore(f"{self.path} is empty; fill it with: t2s-offline fetch task2sim, or import FILE")
        if name is None:
            if len(known) > 1:
                raise BadInput(f"{self.path} has {len(known)} recipes: {', '.join(known)}; choose one with --recipe")
            name = next(iter(known))
        if name not in known:
            raise UnknownName("recipe", name, known)
        return name, known[name]

    def tasks(self) -> dict[str, str | None]:
        """Split (seen, unseen or None) by task."""
        with self.reader() as con:
            return dict(con.sql("SELECT task, split FROM tasks ORDER BY task").fetchall())

    def matrix(self, recipe: str | None = None, metric: str = "knn5") -> RewardMatrix:
        """Rewards of a recipe as arrays; tasks sorted by name, NaN where a cell is missing."""
        import numpy as np
        import polars as pl

        from t2s_offline.matrix import RewardMatrix

        check_known("metric", metric, schema.METRICS)
        with self.reader() as con:
            recipe, space = self._recipe(con, recipe)
            rows = con.sql(
                "SELECT task, configuration, seed, accuracy, val_accuracy FROM rewards "
                "WHERE recipe = $1 AND metric = $2",
                params=[recipe, metric],
            ).pl()
        if rows.is_empty():
            raise EmptyStore(f"{self.path} has no {metric} rewards under recipe {recipe}; sweep or import some")
        tasks = sorted(rows["task"].unique())
        seeds, seed_at = np.unique(rows["seed"].to_numpy(), return_inverse=True)
        try:
            task_at, configuration_at = (
                rows[name].cast(pl.Enum(values)).to_physical().to_numpy()
                for name, values in (("task", tasks), ("configuration", space.configurations))
            )
        except pl.exceptions.PolarsError as error:
            raise BadFile(
                f"{self.path} has configurations that are not of the space {space}; import it again"
            ) from error
        accuracy_TCS = np.full((len(tasks), len(space), len(seeds)), np.nan)
        val_TCS = accuracy_TCS.copy()
        accuracy_TCS[task_at, configuration_at, seed_at] = rows["accuracy"].to_numpy()
        val_TCS[task_at, configuration_at, seed_at] = rows["val_accuracy"].fill_null(np.nan).to_numpy()
        has_val = not rows["val_accuracy"].null_count()
        return RewardMatrix(recipe, metric, space, tuple(tasks), accuracy_TCS, val_TCS if has_val else None)

    def embeddings(self, probe: str | None = None) -> Embeddings:
        """Task2Vec vectors under one probe (the only one when no name is given); tasks sorted by name."""
        import numpy as np

        from t2s_offline.matrix import Embeddings

        with self.reader() as con:
            probes = [row[0] for row in con.sql("SELECT DISTINCT probe FROM embeddings ORDER BY 1").fetchall()]
            if not probes:
                raise EmptyStore(f"{self.path} has no embeddings; import some, or fetch task2sim")
            if probe is None and len(probes) > 1:
                raise BadInput(f"{self.path} has embeddings of {len(probes)} probes: {', '.join(probes)}; choose one")
            probe = check_known("probe", probe or probes[0], probes)
            rows = con.execute(
                "SELECT task, embedding FROM embeddings WHERE probe = ? ORDER BY task", [probe]
            ).fetchnumpy()
        widths = {len(vector) for vector in rows["embedding"]}
        if len(widths) > 1:
            raise BadInput(f"embeddings of probe {probe} have mixed dimensions {sorted(widths)}; expected one")
        vector_TD = np.array(list(rows["embedding"]), dtype=np.float32)
        return Embeddings(probe, tuple(rows["task"]), vector_TD)


@cache
def _engine_of(process: int) -> Connection:
    return duckdb.connect(":memory:", config=SAFE)


def _engine() -> Connection:
    """This process's DuckDB instance; a forked child gets its own."""
    return _engine_of(os.getpid())


@contextmanager
def _tidy_errors(path: Path) -> Iterator[None]:
    """Turn what DuckDB says of a damaged file or a full disk into one line."""
    try:
        yield
    except (
        duckdb.IOException,
        duckdb.InternalException,
        duckdb.SerializationException,
        duckdb.FatalException,
    ) as error:
        raise StoreError(f"{path}: {one_line(error)}; nothing of this was written") from error


def _recipes(con: Connection) -> dict[str, SimSpace]:
    from t2s_offline.space import SimSpace

    rows = con.sql("SELECT recipe, space FROM recipes ORDER BY recipe").fetchall()
    return {recipe: SimSpace.parse(space) for recipe, space in rows}


def one_line(error: Exception) -> str:
    return " ".join(str(error).split("\n\n")[0].split())


def _merge(con: Connection, table: schema.Table, frame: pl.DataFrame, *, replace: bool) -> int:
    """Insert the rows of `frame` that are not there yet; returns how many."""
    con.register("incoming", frame.select(table.names).to_arrow())
    on = " AND ".join(f"old.{key} = new.{key}" for key in table.key)
    differ = " OR ".join(f"old.{value} IS DISTINCT FROM new.{value}" for value in table.values) or "false"
    if replace:
        con.execute(f"DELETE FROM {table.name} old USING incoming new WHERE {on} AND ({differ})")
    else:
        clash = con.execute(
            f"SELECT {', '.join(f'new.{key}' for key in table.key)} FROM {table.name} old "
            f"JOIN incoming new ON {on} WHERE {differ} LIMIT 1"
        ).fetchone()
        if clash:
            cell = ", ".join(f"{key} {value}" for key, value in zip(table.key, clash, strict=True))
            raise BadInput(f"{table.name}: {cell} is stored with other values; pass --replace to overwrite")
    before = con.sql(f"SELECT count(*) FROM {table.name}").fetchall()[0][0]
    con.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM incoming ON CONFLICT DO NOTHING")
    con.unregister("incoming")
    return int(con.sql(f"SELECT count(*) FROM {table.name}").fetchall()[0][0] - before)
