"""Connections to a reward store: short, patient, and never to anything that is no store.

Comes in: a path. Goes out: DuckDB connections, to read, to write in one transaction, or guarded for SQL of strangers.
Ignores what is asked. An open writer blocks every other process, so a connection does one thing and closes, and waits
with jitter while another process holds the file. A folder of Parquet files is a store that can only be read.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from t2s_offline import schema
from t2s_offline.errors import BadFile, BadInput, StoreError, StoreLocked

Connection = duckdb.DuckDBPyConnection

DUCKDB_MAGIC = b"DUCK"  # at byte 8 of every DuckDB file
LOCK_WAIT = 30.0
#: No extension is ever downloaded, whatever a file looks like.
SAFE: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_ENGINE_LOCK = threading.RLock()


@dataclass(frozen=True)
class StoreFile:
    """A store by its path. `lock_wait`: seconds to wait for another process (environment variable T2S_LOCK_WAIT)."""

    path: Path
    lock_wait: float = float(os.environ.get("T2S_LOCK_WAIT", LOCK_WAIT))

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
            with suppress(FileExistsError):  # another process was faster: its store is as good
                os.link(partial, self.path)
        except OSError as error:
            raise StoreError(f"cannot make a store at {self.path}: {error.strerror}; choose another --store") from error
        finally:
            with suppress(OSError):
                partial.unlink()

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


def one_line(error: Exception) -> str:
    return " ".join(str(error).split("\n\n")[0].split())
