"""The reward store: writes are complete or nothing, and other files at its path are refused."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from t2s_offline.errors import BadFile, BadInput, Contradiction, EmptyStore, StoreError, StoreLocked, UnknownName
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.store import schema
from t2s_offline.store.import_export import export_store
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed

Frames = dict[str, pl.DataFrame]


def test_what_goes_in_comes_out(tiny_store: RewardStore, planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    matrix = tiny_store.matrix()
    assert (matrix.recipe, matrix.tasks, matrix.space) == ("tiny", planted.tasks, planted.space)
    assert np.array_equal(matrix.reward_TC, planted.reward_TC)
    assert matrix.val_TCS is None
    assert np.array_equal(tiny_store.embeddings().vector_TD, planted_embeddings.vector_TD)


def test_seeds_missing_cells_and_val_accuracy(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    again = tiny_frames["rewards"].filter(pl.col("task") != "cars")
    again = again.with_columns(seed=pl.lit(1, pl.Int32), accuracy=pl.col("accuracy") + 2, val_accuracy=pl.lit(50.0))
    tiny_store.add({"rewards": again})
    matrix = tiny_store.matrix()
    assert matrix.accuracy_TCS.shape == (4, 8, 2)
    assert np.isnan(matrix.accuracy_TCS[2, :, 1]).all()
    assert matrix.reward_TC[0, 0] == matrix.accuracy_TCS[0, 0, 0] + 1
    assert matrix.val_TCS is None, "val accuracy counts only when every cell of a task has it"
    cells = again.with_columns(metric=pl.lit("linear"))
    tiny_store.add({"rewards": cells})
    assert tiny_store.matrix(metric="linear").signal_TC[0, 0] == 50


def test_one_row_without_val_accuracy_moves_its_task_alone(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    gap = (pl.col("task") == "birds") & (pl.col("configuration") == "010")
    rewards = tiny_frames["rewards"].with_columns(
        metric=pl.lit("linear"), val_accuracy=pl.when(gap).then(None).otherwise(pl.lit(50.0))
    )
    tiny_store.add({"rewards": rewards})
    matrix = tiny_store.matrix(metric="linear")
    assert matrix.unvalidated == ("birds",)
    assert (matrix.signal_TC[[0, 2, 3]] == 50).all()
    assert np.array_equal(matrix.signal_TC[1], matrix.reward_TC[1])


@pytest.mark.parametrize("value", [float("inf"), -1.0, 100.5])
def test_a_folder_with_rewards_that_are_no_percent_is_refused(
    tiny_store: RewardStore, tmp_path: Path, value: float
) -> None:
    export_store(tiny_store, tmp_path / "t")
    frame = pl.read_parquet(tmp_path / "t" / "rewards.parquet")
    frame = frame.with_columns(accuracy=pl.when(pl.col("task") == "cars").then(value).otherwise(pl.col("accuracy")))
    frame.write_parquet(tmp_path / "t" / "rewards.parquet")
    with pytest.raises(BadFile, match=r"task cars.*0 to 100"):
        RewardStore(tmp_path / "t").matrix()


def test_a_table_made_before_a_column_loads_with_that_column_empty(tmp_path: Path, tiny_frames: Frames) -> None:
    for name, frame in tiny_frames.items():
        frame.drop("n_val", strict=False).write_parquet(tmp_path / f"{name}.parquet")
    store = RewardStore(tmp_path)
    assert store.frame("rewards")["n_val"].null_count() == 32
    assert store.matrix().reward_TC.shape == (4, 8)


def test_a_matrix_knows_how_many_pictures_its_accuracies_rest_on(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    assert np.isnan(tiny_store.matrix().pictures_T).all()
    counts = {"n_eval": pl.lit(90, pl.Int32), "n_val": pl.lit(70, pl.Int32), "val_accuracy": pl.lit(1.0)}
    tiny_store.add({"rewards": tiny_frames["rewards"].with_columns(**counts)})
    matrix = tiny_store.matrix()
    assert (matrix.n_eval_T.tolist(), matrix.pictures_T.tolist()) == ([90] * 4, [70] * 4)
    logme = tiny_frames["rewards"].with_columns(metric=pl.lit("logme"), **counts)
    tiny_store.add({"rewards": logme})
    assert np.isnan(tiny_store.matrix(metric="logme").pictures_T).all(), "a score is no share of pictures"


def test_a_table_without_counts_of_val_pictures_takes_the_tasks_own(tiny_store: RewardStore) -> None:
    with tiny_store.writer() as con:
        con.execute("UPDATE tasks SET n_val = 60 + length(task), n_test = 300")
        con.execute("UPDATE rewards SET n_eval = 300, n_val = NULL")
    matrix = tiny_store.matrix()
    assert matrix.n_val_T is not None
    assert matrix.n_val_T.tolist() == [60 + len(task) for task in matrix.tasks]
    with tiny_store.writer() as con:  # a recipe that looks at 50 pictures of each part at most
        con.execute("UPDATE rewards SET n_eval = 50")
    matrix = tiny_store.matrix()
    assert matrix.n_val_T is not None
    assert matrix.n_val_T.tolist() == [50] * len(matrix.tasks)


def test_adding_twice_changes_nothing(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    before = {name: tiny_store.frame(name) for name in schema.TABLES}
    assert set(tiny_store.add(tiny_frames).values()) == {0}
    assert all(tiny_store.frame(name).equals(frame) for name, frame in before.items())


def test_another_value_for_a_cell_is_refused_unless_replaced(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    changed = tiny_frames["rewards"].head(2).with_columns(accuracy=pl.lit(1.0))
    with pytest.raises(Contradiction, match=r"task apples, configuration 000.*\(accuracy 70.0, not 1.0\)"):
        tiny_store.add({"rewards": changed})
    assert tiny_store.matrix().reward_TC[0, 0] != 1
    tiny_store.add({"rewards": changed}, replace=True)
    assert tiny_store.matrix().reward_TC[0, :2].tolist() == [1, 1]


def test_what_a_row_leaves_empty_it_says_nothing_about(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    counted = tiny_frames["tasks"].with_columns(classes=pl.lit(7, pl.Int32), split=pl.lit("seen"))
    tiny_store.add({"tasks": counted}, replace=True)
    assert tiny_store.add(tiny_frames)["tasks"] == 0
    assert set(tiny_store.frame("tasks")["classes"]) == {7}
    with pytest.raises(BadInput, match="task apples is stored"):
        tiny_store.add({"tasks": counted.with_columns(classes=pl.lit(8, pl.Int32))})


def test_what_was_left_empty_is_filled_in_later(tiny_store: RewardStore) -> None:
    def rows(**counts: int) -> Frames:
        return {"tasks": typed(pl.DataFrame([{"task": "apples", **counts}]), schema.TASKS, "test")}

    assert tiny_store.add(rows(classes=4)) == {"tasks": 0}
    assert tiny_store.add(rows(n_test=90)) == {"tasks": 0}
    apples = tiny_store.frame("tasks").row(by_predicate=pl.col("task") == "apples", named=True)
    assert (apples["classes"], apples["n_test"], apples["n_train"]) == (4, 90, None)
    with pytest.raises(BadInput, match="other values"):
        tiny_store.add(rows(classes=5))


def test_a_failed_write_leaves_nothing(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    new_task = tiny_frames["tasks"].head(1).with_columns(task=pl.lit("new"))
    clash = tiny_frames["rewards"].head(1).with_columns(accuracy=pl.lit(1.0))
    with pytest.raises(BadInput):
        tiny_store.add({"tasks": new_task, "rewards": clash})
    assert "new" not in tiny_store.tasks()


def test_views(tiny_store: RewardStore) -> None:
    with tiny_store.reader() as con:
        best = con.sql("SELECT task, configuration, accuracy FROM best_configuration ORDER BY task").fetchall()
        effect = con.sql(
            "SELECT accuracy FROM main_effects WHERE task = 'digits' AND parameter = 'blur' ORDER BY level"
        )
        assert best[0] == ("apples", "001", 80.0)
        assert [row[0] for row in effect.fetchall()] == [60.0, 70.0]
        assert con.sql("SELECT DISTINCT cells, total, percent FROM coverage").fetchall() == [(8, 8, 100.0)]
        assert con.execute("SELECT * FROM cross_fitted").fetchall() == [], "one seed"
        board = con.execute("SELECT configuration, regret FROM leaderboard ORDER BY 2, 1 LIMIT 1").fetchone()
    # the digits nearest to all four best ones: 001, 101, 011, 111 differ from them by 5 or 6 digits in all
    assert board == ("001", 12.5)


def test_every_column_and_view_is_documented() -> None:
    assert all(column.meaning for table in schema.TABLES.values() for column in table.columns)


def test_names_are_only_text(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    name = "Robert'); DROP TABLE rewards;--<b>🙂"
    tiny_store.add({"rewards": tiny_frames["rewards"].head(8).with_columns(task=pl.lit(name))})
    assert name in tiny_store.matrix().tasks


def test_unknown_names_say_the_nearest(tiny_store: RewardStore) -> None:
    with pytest.raises(UnknownName, match="tiny"):
        tiny_store.matrix("tinny")
    with pytest.raises(UnknownName, match="knn5"):
        tiny_store.matrix(metric="knn")
    with pytest.raises(EmptyStore, match="linear"):
        tiny_store.matrix(metric="linear")
    with pytest.raises(UnknownName, match="probe"):
        tiny_store.embeddings("prob")


def test_two_recipes_must_be_told_apart(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    tiny_store.add(
        {
            "recipes": tiny_frames["recipes"].with_columns(recipe=pl.lit("other")),
            "rewards": tiny_frames["rewards"].with_columns(recipe=pl.lit("other"), accuracy=pl.lit(7.0)),
        }
    )
    with pytest.raises(BadInput, match="--recipe"):
        tiny_store.matrix()
    assert tiny_store.matrix("other").reward_TC[0, 0] == 7


def test_an_empty_store(tmp_path: Path) -> None:
    store = RewardStore(tmp_path / "new.duckdb")
    store.add({})
    with pytest.raises(EmptyStore, match="fetch task2sim"):
        store.matrix()
    with pytest.raises(EmptyStore):
        store.embeddings()


def _foreign(path: Path) -> None:
    path.write_bytes(b"hello world " * 1000)


def _nothing(path: Path) -> None:
    path.touch()


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE a (b)")
    con.close()


def _other_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE a AS SELECT 1 AS b")


def _future(path: Path) -> None:
    RewardStore(path).add({})
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE t2s_store SET version = 99")


def _no_version(path: Path) -> None:
    RewardStore(path).add({})
    with duckdb.connect(str(path)) as con:
        con.execute("DELETE FROM t2s_store")


@pytest.mark.parametrize("make", [_foreign, _nothing, _sqlite, _other_duckdb, _future, _no_version])
def test_a_file_that_is_no_store(tmp_path: Path, tiny_frames: Frames, make) -> None:
    path = tmp_path / "foreign.duckdb"
    make(path)
    content = path.read_bytes()
    with pytest.raises(BadFile, match=r"foreign\.duckdb"):
        RewardStore(path).matrix()
    with pytest.raises(BadFile):
        RewardStore(path).add(tiny_frames)
    assert path.read_bytes() == content


def test_a_damaged_store(tiny_store: RewardStore) -> None:
    whole = tiny_store.path.read_bytes()
    tiny_store.path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises((BadFile, StoreError)) as caught:
        tiny_store.matrix()
    assert "\n" not in str(caught.value)


def test_a_newer_store_says_so(tmp_path: Path) -> None:
    _future(tmp_path / "new.duckdb")
    with pytest.raises(BadFile, match=f"tables of version 99; this program reads up to {schema.VERSION}; upgrade"):
        RewardStore(tmp_path / "new.duckdb").matrix()


def test_circumstances_do_not_contradict(tiny_store: RewardStore, tiny_frames: Frames) -> None:
    first = tiny_frames["rewards"].head(1)
    tiny_store.add({"rewards": first.with_columns(seconds=pl.lit(1.0))})
    assert tiny_store.add({"rewards": first.with_columns(seconds=pl.lit(2.0), source=pl.lit("later"))}) == {
        "rewards": 0
    }
    kept = tiny_store.frame("rewards").row(0, named=True)
    assert (kept["seconds"], kept["source"]) == (1.0, "planted"), "the first stays"
    row = {"recipe": "tiny", "configuration": "000", "seed": 0, "attempt": "1", "status": "done"}
    for seconds, host in ((1.0, "one"), (2.0, "two")):
        backbones = typed(pl.DataFrame([{**row, "train_seconds": seconds, "host": host}]), schema.BACKBONES, "test")
        tiny_store.add({"backbones": backbones})
    with pytest.raises(Contradiction, match="status done, not failed"):
        tiny_store.add({"backbones": backbones.with_columns(status=pl.lit("failed"))})


def test_every_column_says_what_it_is_to_a_second_row() -> None:
    assert schema.REWARDS.settled == ("accuracy", "val_accuracy", "n_eval", "n_val")
    assert schema.RECIPES.settled == ("space", "contents")
    assert schema.TASKS.of_role("fixed") == ("digest",)
    assert "seconds" in schema.REWARDS.of_role("circumstance")


def tasks(**values: object) -> Frames:
    return {"tasks": typed(pl.DataFrame([{"task": "digits", **values}]), schema.TASKS, "test")}


def test_a_task_has_one_digest_in_a_store(tiny_store: RewardStore) -> None:
    tiny_store.add(tasks(digest="a" * 32, split="seen"))
    for replace in (False, True):
        with pytest.raises(BadInput, match="task digits here has other pictures than the store's digits; rename yours"):
            tiny_store.add(tasks(digest="b" * 32), replace=replace)
    tiny_store.add(tasks(split="unseen"), replace=True)
    digits = tiny_store.frame("tasks").row(by_predicate=pl.col("task") == "digits", named=True)
    assert (digits["digest"], digits["split"]) == ("a" * 32, "unseen"), "replacing a row forgets no digest"


def test_rows_of_one_write_must_agree(tmp_path: Path) -> None:
    store = RewardStore(tmp_path / "new.duckdb")
    both = [tasks(digest=digest)["tasks"] for digest in ("a" * 32, "b" * 32)]
    with pytest.raises(BadInput, match="other pictures"):
        store.add({"tasks": pl.concat(both)})
    store.add({"tasks": pl.concat([tasks(classes=3)["tasks"], tasks(digest="a" * 32)["tasks"]])})
    assert store.frame("tasks").select("classes", "digest").rows() == [(3, "a" * 32)]


def test_a_reader_inside_a_reader(tiny_store: RewardStore, tmp_path: Path, tiny_frames: Frames) -> None:
    other = RewardStore(tmp_path / "other.duckdb")
    other.add(tiny_frames)
    with tiny_store.reader() as outer:
        assert len(tiny_store.frame("rewards")) == 32
        assert len(other.frame("rewards")) == 32
        with pytest.raises(StoreError, match="open in this thread already"):
            tiny_store.add(tiny_frames)
        assert outer.sql("SELECT count(*) FROM rewards").fetchall() == [(32,)]
    with tiny_store.writer(), pytest.raises(StoreError, match="open in this thread already"):
        tiny_store.add(tiny_frames)
    assert set(tiny_store.add(tiny_frames).values()) == {0}


@pytest.mark.parametrize("given", ["abc", "-1", "nan", "inf"])
def test_a_wait_that_is_no_time_is_one_line(given: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("T2S_LOCK_WAIT", given)
    command = [sys.executable, "-c", "from t2s_offline.cli import main; main()", "query", "SELECT 1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr == f"error: T2S_LOCK_WAIT={given}; expected seconds to wait for a locked store, 0 or more\n"


def test_an_absent_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="fetch task2sim"):
        RewardStore(tmp_path / "none.duckdb").matrix()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make a store"):
        RewardStore(tmp_path / "file" / "x.duckdb").add({})


HOLD = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def _hold(path: Path, seconds: float) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path), str(seconds)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_locked_store_says_who_holds_it_and_how_long(tiny_store: RewardStore) -> None:
    with _hold(tiny_store.path, 60) as holder:
        begin = time.monotonic()
        with pytest.raises(StoreLocked, match=rf"process {holder.pid}\); waited"):
            tiny_store.matrix()
        assert time.monotonic() - begin >= tiny_store.lock_wait
        holder.kill()


def test_a_lock_that_goes_away_is_waited_for(tiny_store: RewardStore) -> None:
    with _hold(tiny_store.path, 0.3):
        assert RewardStore(tiny_store.path, lock_wait=30).matrix().tasks[0] == "apples"


ADD = """
import sys
from pathlib import Path
import polars as pl
from t2s_offline.store import schema
from t2s_offline.store.import_export import complete
from t2s_offline.store.rows import typed
from t2s_offline.store.reward_store import RewardStore
frame = typed(pl.read_parquet(sys.argv[2]), schema.REWARDS, "x")
print("go", flush=True)
RewardStore(Path(sys.argv[1])).add(complete({"rewards": frame}, {}, "x"))
"""


def test_kill_at_any_moment_leaves_nothing_or_everything(tmp_path: Path) -> None:
    rows = [
        {"recipe": "r", "task": f"t{task}", "configuration": format(index, "08b"), "accuracy": 1.0}
        for task in range(20)
        for index in range(256)
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "rows.parquet")
    outcomes = set()
    for number, delay in enumerate([0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 5.0]):
        path = tmp_path / f"{number}.duckdb"
        worker = subprocess.Popen(
            [sys.executable, "-c", ADD, str(path), str(tmp_path / "rows.parquet")], stdout=subprocess.PIPE, text=True
        )
        assert worker.stdout is not None
        worker.stdout.readline()
        try:
            worker.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(worker.pid, signal.SIGKILL)
        worker.communicate()
        if path.exists():
            with RewardStore(path).reader() as con:
                count = con.execute("SELECT count(*), (SELECT count(*) FROM tasks) FROM rewards").fetchone()
            assert count in [(0, 0), (5120, 20)]
            outcomes.add(count)
        else:
            outcomes.add(None)
    assert (5120, 20) in outcomes


def test_a_table_folder_is_a_store_that_can_be_read(tiny_store: RewardStore, tmp_path: Path) -> None:
    from t2s_offline.store.import_export import export_store

    export_store(tiny_store, tmp_path / "table")
    folder = RewardStore(tmp_path / "table")
    assert np.array_equal(folder.matrix().reward_TC, tiny_store.matrix().reward_TC)
    assert folder.tasks() == tiny_store.tasks()
    with pytest.raises(BadInput, match="only be read"):
        folder.add({})
    (tmp_path / "table" / "rewards.parquet").write_bytes(b"no parquet")
    with pytest.raises(BadFile, match="not a table"):
        folder.matrix()
    with pytest.raises(BadFile, match=r"rewards\.parquet"):
        RewardStore(tmp_path).matrix()


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE embeddings; CREATE VIEW embeddings AS SELECT content AS task FROM read_text('{secret}')",
        "DROP TABLE t2s_store; CREATE VIEW t2s_store AS SELECT 2 AS version, content FROM read_text('{secret}')",
        "CREATE MACRO avg(x) AS (SELECT content FROM read_text('{secret}'))",
        "CREATE MACRO anything() AS TABLE SELECT * FROM read_text('{secret}')",
    ],
)
def test_sql_that_a_file_brings_is_not_run(tiny_store: RewardStore, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret").write_text("secret")
    with duckdb.connect(str(tiny_store.path)) as con:
        con.execute(sql.format(secret=tmp_path / "secret"))
    os.replace(tiny_store.path, tmp_path / "theirs.duckdb")  # another file than this process has looked at
    theirs = RewardStore(tmp_path / "theirs.duckdb")
    with pytest.raises(BadFile, match=r"is a view|the macro"):
        theirs.frame("embeddings")
    with pytest.raises(BadFile, match=r"is a view|the macro"), theirs.writer():
        pass


def test_a_commit_that_fails_is_an_error_of_the_store(tmp_path: Path) -> None:
    """DuckDB says so of a full disk; `make soak` fills one."""
    from t2s_offline.store.engine import tidy_errors

    with (
        pytest.raises(StoreError, match="No space left on device; nothing of this was written"),
        tidy_errors(tmp_path),
    ):
        raise duckdb.TransactionException("Failed to commit: No space left on device")
