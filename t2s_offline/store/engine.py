"""DuckDB as this package runs it: one instance a process, no downloaded extensions, errors of our family."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from t2s_offline.errors import BadFile, Contradiction, StoreError

Connection = duckdb.DuckDBPyConnection

#: No extension of DuckDB is ever downloaded.
SAFE: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
#: Held by the one thread that uses the files attached to `engine`.
ENGINE_LOCK = threading.RLock()


@cache
def _engine_of(process: int) -> Connection:
    return duckdb.connect(":memory:", config=SAFE)


atexit.register(_engine_of.cache_clear)  # DuckDB's binding complains of connections that outlive the interpreter


def engine() -> Connection:
    """This process's DuckDB instance; a forked child gets its own."""
    return _engine_of(os.getpid())


@contextmanager
def tidy_errors(path: Path) -> Iterator[None]:
    """Raise errors of this package for DuckDB's: a damaged file, a full disk, values that a column cannot hold."""
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as error:  # the file lacks what our SQL names
        raise BadFile(
            f"{path} lacks a table or a column of a reward store: {one_line(error)}; get the store again"
        ) from error
    except (duckdb.DataError, duckdb.IntegrityError) as error:
        raise Contradiction(f"{path} cannot hold these rows: {one_line(error)}") from error
    except (
        duckdb.IOException,
        duckdb.InternalException,
        duckdb.SerializationException,
        duckdb.FatalException,
        duckdb.TransactionException,  # a full disk at the commit
    ) as error:
        raise StoreError(f"{path}: {one_line(error)}; nothing of this was written") from error


def one_line(error: Exception) -> str:
    """What DuckDB says of an error, without its hints and line breaks."""
    return " ".join(str(error).split("\n\n")[0].split())
