"""Attempts to leave the store by SQL: each ends in one line, in time and memory, with nothing written and nothing told.

What is refused or bounded here is a list of what SQL offers, not of what our code looks for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from t2s_offline.errors import QueryError
from t2s_offline.store.import_export import export_store
from t2s_offline.store.query import asked, query
from t2s_offline.store.reward_store import RewardStore
from tests.hostile.make import SECRET

#: Tried on a store of both kinds. {file}: a file with a secret in it. {out}: a file that must not come to be.
REFUSED = """
FROM read_csv('{file}')
FROM read_text('{file}')
FROM read_blob('{file}')
FROM read_json('{file}')
FROM read_ndjson_objects('{file}')
FROM read_parquet('{file}')
FROM parquet_metadata('{file}')
FROM sniff_csv('{file}')
FROM '{file}'
FROM "{file}"
SELECT (SELECT content FROM read_text('{file}'))
FROM glob('/etc/*')
FROM query('FROM read_text(''{file}'')')
FROM query_table('{file}')
FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{file}'')'))
COPY rewards TO '{out}'
COPY (SELECT 1) TO '/dev/stdout'
COPY rewards FROM '{file}'
EXPLAIN ANALYZE COPY rewards TO '{out}'
EXPORT DATABASE '{out}'
IMPORT DATABASE '{file}'
ATTACH '{out}' AS other
ATTACH ':memory:' AS other
DETACH memory
INSTALL httpfs
FORCE INSTALL httpfs FROM 'http://127.0.0.1:9'
LOAD httpfs
LOAD '{file}'
SET enable_external_access = true
SET VARIABLE x = 1
RESET memory_limit
PRAGMA memory_limit = '100GB'
PRAGMA database_list
CALL pragma_version()
EXPLAIN ANALYZE SET threads = 1
SELECT getenv('T2S_ESCAPE')
SELECT '$T2S_ESCAPE' FROM read_text('$T2S_ESCAPE')
FROM 'http://127.0.0.1:9/x.parquet'
FROM read_csv('https://127.0.0.1:9/x.csv')
FROM 's3://bucket/x.parquet'
FROM 'hf://datasets/x/y.csv'
FROM sqlite_scan('{file}', 'a')
FROM postgres_scan('host=127.0.0.1', 'a', 'b')
FROM read_xlsx('{file}')
FROM st_read('{file}')
FROM delta_scan('file:///etc')
FROM iceberg_scan('/etc')
CREATE SECRET s (TYPE s3)
FROM which_secret('s3://a', 's3')
FROM duckdb_secrets()
FROM duckdb_extensions()
SELECT 1; DELETE FROM rewards
SELECT 1; COPY rewards TO '{out}'
DELETE FROM rewards
INSERT INTO rewards SELECT * FROM rewards
UPDATE rewards SET accuracy = 0
TRUNCATE rewards
MERGE INTO rewards USING rewards r ON true WHEN MATCHED THEN DELETE
WITH x AS (DELETE FROM rewards RETURNING *) FROM x
EXPLAIN ANALYZE DELETE FROM rewards
EXPLAIN ANALYZE CREATE TEMP TABLE x AS SELECT 1
EXPLAIN/**/ANALYZE CREATE TEMP TABLE x AS SELECT 1
EXPLAIN ANALYZE COMMIT
ALTER TABLE rewards ADD COLUMN x INTEGER
DROP TABLE rewards
CREATE TEMP TABLE x AS SELECT 1
CREATE TEMP VIEW rewards AS SELECT 1
CREATE MACRO count(x) AS 0
PREPARE x AS SELECT 1
EXECUTE x
BEGIN
VACUUM
CHECKPOINT
FROM enable_logging()
FROM enable_profiling()
SELECT ?
FROM store
FROM sql
FROM arrow_scan(1, 2, 3)
"""
#: These read nothing but the engine; they end in time and room, whether with rows or with a line.
BOUNDED = """
WITH RECURSIVE r(n, t) AS (SELECT 1, 'x' UNION ALL SELECT n + 1, t || t FROM r) SELECT max(n) FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r
SELECT length(repeat(repeat('x', 1000000), 1000000))
SELECT len(range(100000000000))
SELECT list_sort(range(300000000))
SELECT list_resize([1], 10000000000)
SELECT count(*) FROM range(10000000) a JOIN range(10000000) b ON a.range <> b.range
SELECT count(DISTINCT md5(range::VARCHAR)) FROM range(10000000000)
SELECT row_number() OVER (ORDER BY hash(range)) FROM range(10000000000)
SELECT string_agg(range, ',') FROM range(10000000000)
SELECT hex(repeat('x', 1500000000))
SELECT sleep_ms(60000)
SELECT pg_sleep(60)
FROM repeat_row(1, num_rows = 1000000000000) SELECT count(*)
SELECT json(repeat('[', 100000) || repeat(']', 100000))
SELECT repeat('[', 100000)::INTEGER[]
"""
#: One value that takes minutes, and DuckDB looks at no interruption while it computes it.
UNINTERRUPTED = (
    "SELECT length(regexp_replace(repeat('a', 100000000), '(a?){1000}', 'bbbbbbbbbb', 'g'))",
    "SELECT levenshtein(repeat('a', 300000), repeat('b', 300000))",
)
#: What shows settings of the machine.
SHOWING = """
FROM duckdb_settings()
FROM duckdb_databases()
FROM duckdb_temporary_files()
FROM duckdb_logs()
FROM duckdb_variables()
FROM pragma_version()
FROM pragma_platform()
FROM pragma_database_size()
SELECT current_setting('secret_directory'), current_setting('extension_directory'), current_setting('home_directory')
SELECT current_setting('temp_directory'), current_setting('http_proxy'), current_setting('user')
SELECT current_user, current_database(), current_query()
SELECT getvariable('T2S_ESCAPE')
SELECT now()
FROM test_all_types()
FROM query('FROM duckdb_settings()')
"""


def attempts(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.fixture(params=["file", "folder"])
def store(request: pytest.FixtureRequest, tiny_store: RewardStore, tmp_path: Path) -> RewardStore:
    if request.param == "file":
        return tiny_store
    export_store(tiny_store, tmp_path / "table")
    return RewardStore(tmp_path / "table")


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_the_list_is_long() -> None:
    assert len(attempts(REFUSED)) + len(attempts(BOUNDED)) + len(UNINTERRUPTED) >= 60


def test_what_leaves_the_store_is_refused(store: RewardStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_ESCAPE", SECRET)
    file = tmp_path / "secret.csv"
    file.write_text(f"{SECRET}\n")
    monkeypatch.chdir(tmp_path)
    before = listing(tmp_path)
    answered, told = [], []
    for sql in attempts(REFUSED):
        try:
            answered.append((sql, query(store, sql.format(file=file, out=tmp_path / "out"), timeout=10)))
        except QueryError as error:
            line = str(error)
            if "\n" in line or SECRET in line or "Traceback" in line or str(Path.home() / ".") in line:
                told.append((sql, line))
    assert not answered
    assert not told
    assert listing(tmp_path) == before


def test_what_shows_settings_shows_none_of_this_machine(tiny_store: RewardStore, tmp_path: Path) -> None:
    export_store(tiny_store, tmp_path / "table")
    home = str(Path.home())
    for path in (tiny_store.path, tmp_path / "table"):
        for sql in attempts(SHOWING):
            try:
                shown = str(query(RewardStore(path), sql, timeout=10)[1])
            except QueryError as error:
                shown = str(error)
            shown = shown.replace(str(tiny_store.path), "")  # the person who asks gave it
            assert not [value for value in (home + "/", os.getcwd(), str(tmp_path)) if value in shown], (sql, shown)


def test_nothing_is_changed_for_the_next(store: RewardStore) -> None:
    with asked(store, "FROM rewards") as answer:
        rows = sum(map(len, answer.chunks))
    for sql in ("WITH x AS (DELETE FROM rewards RETURNING *) FROM x", "EXPLAIN ANALYZE DELETE FROM rewards"):
        with pytest.raises(QueryError):
            query(store, sql)
    assert query(store, "SELECT count(*) FROM rewards")[1] == [(rows,)]


def test_explanations_are_given_of_what_reads(store: RewardStore) -> None:
    for start in ("EXPLAIN", "explain analyze", "EXPLAIN (ANALYZE, FORMAT json)", " EXPLAIN\n"):
        assert query(store, f"{start} SELECT count(*) FROM rewards")[1]


def memory_kb(name: str) -> int:
    """A figure of this process's memory."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


@pytest.mark.parametrize("sql", attempts(BOUNDED))
def test_what_has_no_end_ends(tiny_store: RewardStore, sql: str) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory counts from here
    before, said = memory_kb("VmRSS"), ""
    try:
        query(tiny_store, sql, timeout=0.3, memory="200MB", limit=1)
    except QueryError as error:
        said = str(error)
    assert "\n" not in said
    assert memory_kb("VmHWM") - before < 1 << 20, "1 GiB"


@pytest.mark.parametrize("sql", UNINTERRUPTED)
def test_a_value_that_takes_minutes_does_not_hold_the_command(tiny_store: RewardStore, sql: str) -> None:
    done = command(sql, tiny_store, "--timeout", "0.3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the query took longer than 0.3 s; narrow it or raise --timeout\n"


@pytest.mark.parametrize("sql", ["FROM read_text('{file}')", "SELECT getenv('T2S_ESCAPE')", "COPY rewards TO '{out}'"])
def test_the_command_refuses(tiny_store: RewardStore, tmp_path: Path, sql: str) -> None:
    file, out = tmp_path / "secret.csv", tmp_path / "out"
    file.write_text(SECRET)
    done = command(sql.format(file=file, out=out), tiny_store)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith("error: ")
    assert SECRET not in done.stderr
    assert not out.exists()


def command(sql: str, store: RewardStore, *options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "t2s_offline", "query", sql, "--store", str(store.path), *options]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, env={**os.environ, "T2S_ESCAPE": SECRET})
