"""DuckDB connections to a reward store: to read, to write in one transaction, or restricted for SQL from others.

An open writer blocks every other process, so each connection is short, and opening waits, with random pauses, while
another process holds the file. A folder of Parquet files is a store that can only be read. A store of an older version
is read without changing it; the first write converts it in its transaction. Files that are no reward store are refused.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from t2s_offline import shipped
from t2s_offline.errors import BadFile, BadInput, StoreError, StoreLocked, UnansweredQuery
from t2s_offline.files import write_with
from t2s_offline.store import folder_tables, schema
from t2s_offline.store.engine import ENGINE_LOCK, SAFE, Connection, engine, one_line, tidy_errors

DUCKDB_MAGIC = b"DUCK"  # at byte 8 of every DuckDB file
LOCK_WAIT = 30.0


def lock_wait() -> float:
    """Seconds to wait for another process: T2S_LOCK_WAIT, else LOCK_WAIT; BadInput when it is no number of seconds."""
    given = os.environ.get("T2S_LOCK_WAIT", "")
    try:
        seconds = float(given or LOCK_WAIT)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise BadInput(f"T2S_LOCK_WAIT={given}; expected seconds to wait for a locked store, 0 or more")
    return seconds


@dataclass(frozen=True)
class StoreFile:
    """A store by its path. `lock_wait`: seconds to wait for another process (environment variable T2S_LOCK_WAIT)."""

    path: Path
    lock_wait: float = field(default_factory=lock_wait)

    @contextmanager
    def reader(self, tables: Collection[str] | None = None) -> Iterator[Connection]:
        """A read-only connection; BadFile when there is no reward store, or it is damaged.

        tables: those that are asked for, all by default; of a table folder only these are read, the others are empty.
        """
        if self.path.is_dir():
            with tidy_errors(self.path), closing(folder_tables.shared(self.path, tables)) as con:
                yield con
            return
        with self._attached(read_only=True) as con:
            yield con

    @contextmanager
    def writer(self) -> Iterator[Connection]:
        """A connection inside one transaction, which is rolled back on any error. Makes the store if needed."""
        if self.path.is_dir():
            raise BadInput(f"{self.path} is a table folder, which can only be read; give a DuckDB file to write to")
        if not self.path.exists():
            self._create()
        with self._attached(read_only=False) as con:
            con.execute("BEGIN")
            try:
                if (version := self._version(con)) in schema.EARLIER:
                    _migrate(con, version)
                _renew_views(con)
                yield con
            except BaseException:
                con.execute("ROLLBACK")
                raise
            con.execute("COMMIT")

    @contextmanager
    def guarded(self, config: Mapping[str, Any] | None = None) -> Iterator[Connection]:
        """A read-only connection to a DuckDB instance of its own, with the settings of `config` in their order: for SQL
        from others, see `query.asked`."""
        if self.path.is_dir():
            con = folder_tables.opened(self.path)
        else:
            con = self._locked_out(lambda: duckdb.connect(str(self._checked_path()), read_only=True, config=SAFE))
        with tidy_errors(self.path), _closed(con):
            for key, value in (config or {}).items():
                con.execute(f"SET {key} = '{value}'")
            self._present(con)  # after the settings: it evaluates what the file defines
            con.execute("BEGIN TRANSACTION READ ONLY")  # a SELECT may delete: WITH x AS (DELETE ... RETURNING *)
            yield con

    @contextmanager
    def _attached(self, *, read_only: bool) -> Iterator[Connection]:
        """A connection to the file, attached to this process's DuckDB instance: 1 ms; a new instance takes 15."""
        path = self._checked_path()
        with ENGINE_LOCK, tidy_errors(self.path), closing(engine().cursor()) as con:
            # the lock lets one thread in, possibly twice. DuckDB attaches a file once: an inner reader shares the alias
            users = _USERS.setdefault((os.getpid(), path), [])
            if users and not read_only:
                raise StoreError(f"{self.path} is open in this thread already; end that before writing to it")
            alias = users[0] if users else f"store{next(_NUMBER)}"
            if not users:
                quoted, mode = str(path).replace("'", "''"), "READ_ONLY" if read_only else "READ_WRITE"
                self._locked_out(lambda: con.execute(f"ATTACH '{quoted}' AS {alias} ({mode})"))
            users.append(alias)
            try:
                con.execute(f"USE {alias}")
                if not users[1:]:
                    self._check_plain(con, path)
                if read_only:
                    self._present(con)
                yield con
            finally:
                con.execute("USE memory")
                users.pop()
                if not users:
                    con.execute(f"DETACH {alias}")

    def _check_plain(self, con: Connection, path: Path) -> None:
        """BadFile when SQL in the file would run in our queries: a view in place of a table could read any file, and a
        macro may have the name of a function of DuckDB. Checked once for each file and process."""
        status = path.stat()
        known = os.getpid(), path, status.st_ino, status.st_dev
        if known in _PLAIN:
            return
        of_file = "WHERE NOT internal AND database_name = current_database()"
        views = {name for (name,) in con.execute(f"SELECT view_name FROM duckdb_views() {of_file}").fetchall()}
        if taken := sorted(views & {"t2s_store", *schema.TABLES}):
            raise BadFile(f"{self.path}: {taken[0]} is a view; expected a table of a reward store; get the store again")
        macros = con.execute(f"SELECT function_name FROM duckdb_functions() {of_file} ORDER BY 1 LIMIT 1").fetchone()
        if macros:
            raise BadFile(
                f"{self.path} defines the macro {macros[0]!r}, and SQL of others is run by `query` alone; "
                f"drop it with a DuckDB client, or import an export of this store"
            )
        _PLAIN.add(known)

    def _checked_path(self) -> Path:
        """The absolute path of a DuckDB file; BadFile for others: DuckDB would download extensions to read them."""
        try:
            with self.path.open("rb") as file:
                head = file.read(12)
        except FileNotFoundError:
            raise BadFile(self._missing()) from None
        except OSError as error:
            raise BadFile(f"cannot read {self.path}: {error.strerror}; expected a reward store") from error
        if head[8:] != DUCKDB_MAGIC:
            raise BadFile(f"{self.path} is not a DuckDB file; expected a reward store; name another with --store")
        return self.path.resolve()

    def _missing(self) -> str:
        """What to say when nothing is at the path, which may be meant as the name of a table that ships."""
        if self.path.suffix:
            return f"no reward store at {self.path}; make one with: t2s-offline fetch task2sim --store {self.path}"
        known = ", ".join(sorted(shipped.tables())) or "missing here"
        return f"no reward store at {self.path}; a table that ships is {known}; a store of your own ends in .duckdb"

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
        """Make an empty store; one that another process made in the meantime stays."""

        def fill(path: Path) -> None:
            with tidy_errors(path), closing(duckdb.connect(str(path), config=SAFE)) as con:
                con.execute(schema.ddl())

        try:
            write_with(self.path, fill, replace=False)
        except OSError as error:
            if not self.path.exists():
                message = f"cannot make a store at {self.path}: {error.strerror}; choose another --store"
                raise StoreError(message) from error

    def _version(self, con: Connection) -> int:
        """The version of the store's tables; BadFile when there is none, or one that is newer than ours."""
        try:
            rows = con.execute("SELECT version FROM t2s_store").fetchall()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise BadFile(f"{self.path} is a DuckDB file but no reward store; name another with --store") from error
        if len(rows) != 1 or not isinstance(rows[0][0], int) or rows[0][0] < 1:
            raise BadFile(f"{self.path} has no valid version of its tables; restore it or make a new one")
        version: int = rows[0][0]
        if version > schema.VERSION:
            raise BadFile(
                f"{self.path} has tables of version {version}; this program reads up to {schema.VERSION}; "
                f"upgrade t2s-offline"
            )
        return version

    def _present(self, con: Connection) -> None:
        """Let this connection see an older store's tables with the columns of this version; the file stays as it is."""
        version = self._version(con)
        if changed := schema.EARLIER.get(version):
            catalog = con.execute("SELECT current_database()").fetchall()[0][0].replace('"', '""')
            for name, select in changed.items():
                con.execute(f"CREATE TEMP VIEW {name} AS " + select.format(table=f'"{catalog}".main.{name}'))
            for name in schema.ADDED_SINCE[version]:
                con.execute(f"CREATE TEMP VIEW {name} AS {schema.VIEWS[name]}")


@contextmanager
def _closed(con: Connection) -> Iterator[None]:
    """Close a connection at the end, unless a query goes on in it: closing would wait for that."""
    try:
        yield
    except UnansweredQuery:
        _BUSY.append(con)
        raise
    except BaseException:
        con.close()
        raise
    con.close()


def _migrate(con: Connection, version: int) -> None:
    """Turn the tables of an earlier version into those of this one, inside the caller's transaction."""
    for name, select in schema.EARLIER[version].items():
        con.execute(f"CREATE TEMP TABLE migrated AS {select.format(table=name)}")
        con.execute(f"DROP TABLE {name}")  # DuckDB cannot change the type of a key
        con.execute(schema.TABLES[name].ddl)
        con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM migrated")
        con.execute("DROP TABLE migrated")
    for name in schema.ADDED_SINCE[version]:
        con.execute(f"CREATE VIEW {name} AS {schema.VIEWS[name].strip()}")
    con.execute(f"UPDATE t2s_store SET version = {schema.VERSION}")


def _renew_views(con: Connection) -> None:
    """Replace views of an earlier release, which count rows of newer reference backbones among the configurations."""
    (sql,) = con.execute(
        "SELECT any_value(sql) FROM duckdb_views() WHERE database_name = current_database() AND view_name = 'cells'"
    ).fetchall()[0]
    if sql is None or "dead_leaves" not in sql:
        for name, body in schema.VIEWS.items():
            con.execute(f"CREATE OR REPLACE VIEW {name} AS {body.strip()}")


#: Aliases of attached files by process and path, one for each connection that uses the file; under ENGINE_LOCK.
_USERS: dict[tuple[int, Path], list[str]] = {}
#: Files, by process, path, inode and device, that passed `_check_plain`.
_PLAIN: set[tuple[int, Path, int, int]] = set()
_NUMBER = itertools.count()
#: Connections with a query that goes on.
_BUSY: list[Connection] = []
