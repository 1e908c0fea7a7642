"""SQL on a store: read-only and bounded."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from t2s_offline.errors import QueryError
from t2s_offline.store.import_export import export_store
from t2s_offline.store.query import asked, query
from t2s_offline.store.reward_store import RewardStore


@pytest.fixture(params=["file", "folder"])
def store(request: pytest.FixtureRequest, tiny_store: RewardStore, tmp_path: Path) -> RewardStore:
    if request.param == "file":
        return tiny_store
    export_store(tiny_store, tmp_path / "table")
    return RewardStore(tmp_path / "table")


def test_rows_and_names(store: RewardStore) -> None:
    columns, rows = query(store, "SELECT task, max(accuracy) AS best FROM rewards GROUP BY task ORDER BY task")
    assert columns == ["task", "best"]
    assert rows == [("apples", 80.0), ("birds", 80.0), ("cars", 80.0), ("digits", 80.0)]


@pytest.mark.parametrize(
    "sql", ["EXPLAIN SELECT 1", "DESCRIBE rewards", "SUMMARIZE tasks", "FROM coverage", "SHOW TABLES"]
)
def test_all_that_reads_is_allowed(store: RewardStore, sql: str) -> None:
    assert query(store, sql)[1]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM rewards",
        "DROP TABLE rewards",
        "CREATE TABLE x AS SELECT 1",
        "COPY rewards TO '/tmp/t2s-should-not-be.csv'",
        "ATTACH '/tmp/t2s-should-not-be.duckdb'",
        "SET enable_external_access = true",
        "PRAGMA memory_limit='100GB'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT 1; DELETE FROM rewards",
        "",
        ";",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        "SELECT * FROM glob('/*')",
        "SELECT nothing FROM rewards",
        "SELEC 1",
    ],
)
def test_what_does_not_read_the_store_is_refused(store: RewardStore, sql: str) -> None:
    before = store.frame("rewards")
    with pytest.raises(QueryError) as caught:
        query(store, sql)
    assert "\n" not in str(caught.value)
    assert not list(Path("/tmp").glob("t2s-should-not-be*"))
    assert store.frame("rewards").equals(before)


def test_a_long_query_ends(tiny_store: RewardStore) -> None:
    begin = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than 0\.3 s"):
        query(
            tiny_store,
            "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7",
            timeout=0.3,
        )
    assert time.monotonic() - begin < 30


def test_a_query_that_needs_too_much_memory_ends(tiny_store: RewardStore) -> None:
    with pytest.raises(QueryError, match=r"[Mm]emory"):
        query(tiny_store, "SELECT list(range) FROM range(100000000)", memory="100MB")


BOUNDED = """
import json, re, sys
from pathlib import Path
from t2s_offline.cli import main, options
options.MOST_BYTES = 32 << 20  # 256 MB take their time
try:
    main()
finally:
    # of this program alone: getrusage also counts what the process was before it became this program
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
    print(json.dumps({"kilobytes": int(peak)}), file=sys.stderr)
"""


def bounded(store: RewardStore, sql: str, *options: str) -> tuple[int, str, list[str], float]:
    """Exit code, stdout, lines of stderr and gigabytes of a query in a process of its own."""
    command = [sys.executable, "-c", BOUNDED, "query", sql, "--store", str(store.path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    *lines, memory = done.stderr.splitlines()
    return done.returncode, done.stdout, lines, json.loads(memory)["kilobytes"] / 1e6


ENDLESS = "SELECT range a, repeat('x', 1000) b FROM range(50000000)"


def test_memory_stays_bounded_whatever_is_asked(tiny_store: RewardStore) -> None:
    code, out, lines, memory = bounded(tiny_store, ENDLESS, "--format", "csv")
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("error: stopped after 32 MB; there is more")
    assert 32e6 < len(out) <= (32 << 20) + 10
    assert out.endswith("x\n")
    assert memory < 1
    code, out, lines, memory = bounded(tiny_store, ENDLESS)
    assert (code, len(out.splitlines())) == (2, 10_002)
    assert "stopped after 10,000 rows" in lines[0]
    assert memory < 1


@pytest.mark.parametrize("form", ["json", "table"])
@pytest.mark.parametrize(
    "sql",
    ["SELECT repeat('x', 2000000000) a", "SELECT repeat('x', 9000000) a FROM range(5000)", "SELECT range(400000000) a"],
)
def test_giant_values_end_in_one_line(tiny_store: RewardStore, form: str, sql: str) -> None:
    code, out, lines, memory = bounded(tiny_store, sql, "--format", form)
    assert (code, len(lines)) == (2, 1), lines
    assert lines[0].startswith("error: ")
    assert memory < 3
    if form == "json" and out:
        json.loads(out)


def test_json_is_whole_when_it_stops(tiny_store: RewardStore) -> None:
    code, out, lines, _ = bounded(tiny_store, "SELECT range a FROM range(10)", "--format", "json", "--limit", "3")
    assert json.loads(out) == [{"a": 0}, {"a": 1}, {"a": 2}]
    assert (code, lines) == (0, ["stopped at --limit 3; there are more rows"])
    code, out, lines, _ = bounded(tiny_store, "SELECT range a FROM range(3)", "--format", "json", "--limit", "3")
    assert (len(json.loads(out)), code, lines) == (3, 0, [])
    code, out, lines, _ = bounded(tiny_store, "SELECT range a FROM range(3)", "--format", "json", "--limit", "0")
    assert (json.loads(out), code) == ([], 0)
    late = "SELECT CASE WHEN range < 20000 THEN repeat('x', 1000) ELSE error('late' || range) END a FROM range(30000)"
    code, out, lines, _ = bounded(tiny_store, late, "--format", "json")
    assert code == 2
    assert len(json.loads(out)) > 0
    assert "late" in lines[0]


def test_the_timeout_covers_fetching_but_not_reading(tiny_store: RewardStore) -> None:
    begin = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than 0\.5 s"):
        query(tiny_store, "SELECT range a, md5(range::VARCHAR) b FROM range(500000000)", timeout=0.5, limit=10**9)
    assert time.monotonic() - begin < 20
    with asked(tiny_store, "SELECT range FROM range(5000)", timeout=1) as answer:
        next(answer.chunks)
        time.sleep(1.2)
        assert sum(map(len, answer.chunks)) == 4999


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ("{'a': ", "}")])
def test_values_nested_without_end(tiny_store: RewardStore, left: str, right: str) -> None:
    assert query(tiny_store, f"SELECT {left * 50}1{right * 50} AS a")[0] == ["a"]
    with pytest.raises(QueryError, match="nested deeper than 100 levels"):
        query(tiny_store, f"SELECT {left * 400}1{right * 400} AS a")


def test_names_command_no_terminal(tiny_store: RewardStore) -> None:
    sql = "SELECT 'a' || chr(27) || '[2Jb' || chr(155) || chr(8238) || chr(10) || 'c' AS x"
    for form in ("table", "json", "csv"):
        code, out, _, _ = bounded(tiny_store, sql, "--format", form)
        assert code == 0
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)
    assert json.loads(bounded(tiny_store, sql, "--format", "json")[1])[0]["x"] == "a\x1b[2Jb\x9b\u202e\nc"
    code, _, lines, _ = bounded(tiny_store, 'SELECT * FROM "a\x1b[2J"')
    assert (code, len(lines)) == (2, 1)
    assert "\x1b" not in lines[0]


def test_limits_of_the_process_are_put_back(tiny_store: RewardStore) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(QueryError):
        query(tiny_store, "SELECT range(400000000)")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
