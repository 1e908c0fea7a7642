"""SQL on a store: one statement, read-only, without access to anything but the store, bounded in memory and time.

Rows are returned while they are fetched. The views that queries can start from are in `schema.py`.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from t2s_offline.errors import QueryError, UnansweredQuery
from t2s_offline.store.engine import Connection, one_line
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    import polars as pl

MEMORY = "1GB"  # of the engine's tables and buffers
ROOM = 2 << 30  # bytes that the process may grow by: DuckDB's own limit leaves out the texts that it makes
TIMEOUT = 60.0
GRACE = 3.0  # seconds that an interrupted query has to end
ROWS = 1_000_000
CHUNK_ROWS, CHUNK_BYTES = 2048, 4 << 20
DEEPEST = 100  # levels of nested lists; DuckDB allows 1000, Python's recursion fewer
#: Statements that only read. Others could not change the store either; they get an error that says so.
READING = {"SELECT", "EXPLAIN", "RELATION"}
EXPLAIN = re.compile(r"\s*EXPLAIN\b\s*(?:ANALYZE\b|\([^()]*\))?(.*)", re.IGNORECASE | re.DOTALL)

Row = tuple[Any, ...]
Found = TypeVar("Found")


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
            frame: pl.DataFrame = _Clock(con, timeout).call(
                lambda: con.sql(_checked(con, sql).query).limit(limit + 1).pl()
            )
        except duckdb.Error as error:
            raise QueryError(f"SQL: {_said(error)}") from error
    if len(frame) > limit:
        raise QueryError(f"the query has more than {limit:,} rows; narrow it")
    return frame


def _guard(memory: str) -> dict[str, str]:
    """Settings of a connection for SQL of strangers, in the order they are made in."""
    return {
        "enable_progress_bar": "false",  # it would stand in the middle of the rows
        "memory_limit": memory,
        "temp_directory": "",
        "secret_directory": "none",  # else settings and errors show the home folder
        "extension_directory": "none",
        "enable_external_access": "false",
        "lock_configuration": "true",  # last: nothing can be set after it
    }


@contextmanager
def asked(store: RewardStore, sql: str, *, memory: str = MEMORY, timeout: float = TIMEOUT) -> Iterator[Answer]:
    """The answer to one SELECT, to be read while the context is open.

    QueryError when it is refused, fails, needs more memory than `ROOM`, or executing and fetching together take longer
    than `timeout` seconds. The time that the caller spends between two chunks does not count. UnansweredQuery when it
    took longer and DuckDB does not end it: a thread of this process goes on with it.
    """
    with store.guarded(_guard(memory)) as con, _bounded(ROOM):
        clock = _Clock(con, timeout)
        try:
            result = clock.call(lambda: con.execute(_checked(con, sql)))
            columns = [column[0] for column in result.description or []]
            yield Answer(columns, _chunks(result, clock))
        except duckdb.Error as error:
            raise QueryError(f"SQL: {_said(error)}") from error
        except MemoryError as error:
            raise QueryError(f"the query needs more than {ROOM >> 30} GB of memory; narrow it") from error


def _checked(con: Connection, sql: str) -> duckdb.Statement:
    statements = con.extract_statements(sql)
    if len(statements) != 1 or statements[0].type.name not in READING:
        raise QueryError(
            f"expected one statement that reads, such as SELECT; found {len(statements) or 'none'}"
            + "".join(f" {statement.type.name}" for statement in statements[:3])
        )
    if statements[0].type.name == "EXPLAIN":  # EXPLAIN ANALYZE runs what it explains
        explained = EXPLAIN.fullmatch(statements[0].query)
        inner = con.extract_statements(explained[1]) if explained else []
        if len(inner) != 1 or inner[0].type.name not in READING - {"EXPLAIN"}:
            raise QueryError("expected EXPLAIN of one statement that reads, such as EXPLAIN SELECT")
    return statements[0]


def _said(error: duckdb.Error) -> str:
    """What DuckDB says of an error, without a traceback: its binding wants pytz for times with a time zone."""
    if "pytz" in str(error):
        return "a value is a time with a time zone; cast it to TIMESTAMP or VARCHAR"
    return one_line(error)


def _chunks(result: Connection, clock: _Clock) -> Iterator[list[Row]]:
    """Rows in chunks: as many as fit in `CHUNK_BYTES`, taking every row as large as the largest so far."""
    wanted, largest = 1, 1
    while True:
        size = wanted
        rows = clock.call(lambda: result.fetchmany(size))  # noqa: B023  called at once
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
    """Calls functions that use a connection, `timeout` seconds in all, and interrupts the connection then.

    They run in a thread of their own: DuckDB does not look at interruptions while it computes one value, such as
    `lpad('x', 2000000000, 'y')`, which takes many seconds.
    """

    def __init__(self, con: Connection, timeout: float) -> None:
        self.con, self.timeout, self.left = con, timeout, timeout

    def call(self, function: Callable[[], Found]) -> Found:
        found: list[Found] = []
        failed: list[BaseException] = []

        def work() -> None:
            try:
                found.append(function())
            except BaseException as error:
                failed.append(error)

        begin = time.monotonic()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            thread.join(max(self.left, 0.0))
        except BaseException as error:  # a person interrupts
            if self._goes_on(thread):
                raise UnansweredQuery("interrupted while DuckDB computed a value") from error
            raise
        late = thread.is_alive()
        message = f"the query took longer than {self.timeout:g} s; narrow it or raise --timeout"
        if late and self._goes_on(thread):
            raise UnansweredQuery(message)
        self.left -= time.monotonic() - begin
        if late and (not failed or isinstance(failed[0], duckdb.Error)):
            raise QueryError(message)
        if failed:
            raise failed[0]
        return found[0]

    def _goes_on(self, thread: threading.Thread) -> bool:
        """Whether the thread works on after an interruption of its connection."""
        self.con.interrupt()
        thread.join(GRACE)
        return thread.is_alive()


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
