"""SQL on a store for people: read-only, nothing but the store in reach, bounded in memory and time.

Comes in: one statement. Goes out: columns and rows. Ignores what is asked. The views that people start from are
documented in `schema.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from t2s_offline.connection import Connection, one_line
from t2s_offline.errors import QueryError
from t2s_offline.store import RewardStore

MEMORY = "2GB"
TIMEOUT = 60.0
#: Statements that only read. Others could not change the store either, but deserve a clear answer.
READING = {"SELECT", "EXPLAIN", "RELATION"}


def query(
    store: RewardStore, sql: str, *, memory: str = MEMORY, timeout: float = TIMEOUT
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one SELECT; QueryError when it is refused, fails or takes longer than `timeout` s."""
    config = {
        "memory_limit": memory,
        "temp_directory": "",
        "enable_external_access": "false",
        "lock_configuration": "true",  # last: nothing can be set after it
    }
    with store.guarded(config) as con:
        try:
            statements = con.extract_statements(sql)
            if len(statements) != 1 or statements[0].type.name not in READING:
                raise QueryError(
                    f"expected one statement that reads, such as SELECT; found {len(statements) or 'none'}"
                    + "".join(f" {statement.type.name}" for statement in statements[:3])
                )
            with _interrupted_after(con, timeout) as expired:
                result = con.execute(statements[0])
                return [column[0] for column in result.description or []], result.fetchall()
        except duckdb.Error as error:
            if isinstance(error, duckdb.InterruptException) and expired.is_set():
                raise QueryError(f"the query took longer than {timeout:g} s; narrow it or raise --timeout") from error
            raise QueryError(f"SQL: {one_line(error)}") from error


@contextmanager
def _interrupted_after(con: Connection, timeout: float) -> Iterator[threading.Event]:
    expired = threading.Event()

    def stop() -> None:
        expired.set()
        con.interrupt()

    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
