"""SQL on a store: one statement, read-only, without access to anything but the store, bounded in memory and time.

Rows are returned while they are fetched. The views that queries can start from are in `schema.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from t2s_offline.errors import QueryError
from t2s_offline.store.engine import Connection, one_line
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    import polars as pl

MEMORY = "1GB"  # of the engine's tables and buffers
ROOM = 2 << 30  # bytes that the process may grow by: DuckDB's own limit leaves out the texts that it makes
TIMEOUT = 60.0
ROWS = 1_000_000
CHUNK_ROWS, CHUNK_BYTES = 2048, 4 << 20
DEEPEST = 100  # levels of nested lists; DuckDB allows 1000, Python's recursion fewer
#: Statements that only read. Others could not change the store either; they get an error that says so.
READING = {"SELECT", "EXPLAIN", "RELATION"}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Answer:
    """Column names, and rows in chunks of a few megabytes. Reading any chunk may raise QueryError."""

    columns: list[str]
    chunks: Iterator[list[Row]]


def query(
    store: RewardStore, sql: str, *, memory: str = MEMORY, timeout: float = TIMEOUT, limit: int = ROWS
) -> tuple[list[str], list[Row]]:
    """Column names and all rows of one SELECT; QueryError as for `asked`, and for more than `limit` rows."""
    rows: list[Row] = []
    with asked(store, sql, memory=memory, timeout=timeout) as answer:
        for chunk in answer.chunks:
            rows += chunk
            if len(rows) > limit:
                raise QueryError(f"the query has more than {limit:,} rows; narrow it")
    return answer.columns, rows


def query_frame(
    store: RewardStore, sql: str, *, memory: str = MEMORY, timeout: float = TIMEOUT, limit: int = ROWS
) -> pl.DataFrame:
    """All rows of one SELECT with the types of the database; QueryError as for `query`.

    Memory is bounded in DuckDB alone: the process is the caller's, who may have other work in it.
    """
    with store.guarded(_guard(memory)) as con:
        try:
            with _Clock(con, timeout):
                relation = con.sql(_checked(con, sql).query)
                frame: pl.DataFrame = relation.limit(limit + 1).pl()
        except duckdb.Error as error:
            raise QueryError(f"SQL: {one_line(error)}") from error
    if len(frame) > limit:
        raise QueryError(f"the query has more than {limit:,} rows; narrow it")
    return frame


def _guard(memory: str) -> dict[str, str]:
    """Settings of a connection for SQL of strangers, in the order they are made in."""
    return {
        "enable_progress_bar": "false",  # it would stand in the middle of the rows
        "memory_limit": memory,
        "temp_directory": "",
        "enable_external_access": "false",
        "lock_configuration": "true",  # last: nothing can be set after it
    }


@contextmanager
def asked(store: RewardStore, sql: str, *, memory: str = MEMORY, timeout: float = TIMEOUT) -> Iterator[Answer]:
    """The answer to one SELECT, to be read while the context is open.

    QueryError when it is refused, fails, needs more memory than `ROOM`, or executing and fetching together take longer
    than `timeout` seconds. The time that the caller spends between two chunks does not count.
    """
    with store.guarded(_guard(memory)) as con, _bounded(ROOM):
        clock = _Clock(con, timeout)
        try:
            with clock:
                result = con.execute(_checked(con, sql))
                columns = [column[0] for column in result.description or []]
            yield Answer(columns, _chunks(result, clock))
        except duckdb.Error as error:
            raise QueryError(f"SQL: {one_line(error)}") from error
        except MemoryError as error:
            raise QueryError(f"the query needs more than {ROOM >> 30} GB of memory; narrow it") from error


def _checked(con: Connection, sql: str) -> duckdb.Statement:
    statements = con.extract_statements(sql)
    if len(statements) != 1 or statements[0].type.name not in READING:
        raise QueryError(
            f"expected one statement that reads, such as SELECT; found {len(statements) or 'none'}"
            + "".join(f" {statement.type.name}" for statement in statements[:3])
        )
    return statements[0]


def _chunks(result: Connection, clock: _Clock) -> Iterator[list[Row]]:
    """Rows in chunks: as many as fit in `CHUNK_BYTES`, taking every row as large as the largest so far."""
    wanted, largest = 1, 1
    while True:
        with clock:
            rows = result.fetchmany(wanted)
        if not rows:
            return
        largest = max(largest, *map(_size, rows))
        wanted = max(1, min(2 * wanted, CHUNK_ROWS, CHUNK_BYTES // largest))
        yield rows


def _size(row: Row) -> int:
    """Approximate bytes of a row; QueryError for a value that is nested deeper than `DEEPEST`."""
    total, depth, level = 0, 0, list(row)
    while level:
        total += sum(len(value) if isinstance(value, str | bytes) else 32 for value in level)
        within = [value.values() if isinstance(value, dict) else value for value in level
                  if isinstance(value, list | tuple | dict)]  # fmt: skip
        level, depth = list(chain.from_iterable(within)), depth + 1
        if depth > DEEPEST:
            raise QueryError(f"a value is nested deeper than {DEEPEST} levels; unnest it")
    return total


class _Clock:
    """Interrupts a connection when the body of its `with` statements has taken `timeout` seconds in all."""

    def __init__(self, con: Connection, timeout: float) -> None:
        self.con, self.timeout, self.left = con, timeout, timeout
        self.expired = threading.Event()

    def __enter__(self) -> None:
        self.begin = time.monotonic()
        self.timer = threading.Timer(max(self.left, 0.0), self._stop)
        self.timer.daemon = True
        self.timer.start()

    def _stop(self) -> None:
        self.expired.set()
        self.con.interrupt()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.timer.cancel()
        self.left -= time.monotonic() - self.begin
        if self.expired.is_set() and (error is None or isinstance(error, duckdb.Error)):
            raise QueryError(f"the query took longer than {self.timeout:g} s; narrow it or raise --timeout")


@contextmanager
def _bounded(room: int) -> Iterator[None]:
    """Limit how much the process may grow while the body runs to `room` bytes; on Linux only."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
    except (ImportError, OSError, IndexError, ValueError):
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = pages * resource.getpagesize() + room
    limits = [limit for limit in (wanted, before, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))
