"""An export imports again to an identical store; bad files change nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.space import TASK2SIM, SimSpace
from t2s_offline.store import schema
from t2s_offline.store.import_export import _read, export_store, import_path
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed


def rewards_csv(path: Path, *, header: str = "recipe,task,configuration,accuracy", rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_an_export_imports_to_an_identical_store(tiny_store: RewardStore, tmp_path: Path, file_format: str) -> None:
    odd = (
        tiny_store.frame("rewards")
        .head(1)
        .with_columns(
            task=pl.lit('a "quoted", name\nof two lines'),
            val_accuracy=pl.lit(1 / 3),
            seconds=pl.lit(0.1),
            n_eval=pl.lit(7),
        )
    )
    tiny_store.add({"rewards": odd.with_columns(pl.col("n_eval").cast(pl.Int32))})
    written = export_store(tiny_store, tmp_path / "out", file_format)
    assert written["rewards"] == 33
    copy = RewardStore(tmp_path / "copy.duckdb")
    import_path(copy, tmp_path / "out")
    for name in schema.TABLES:
        assert copy.frame(name).equals(tiny_store.frame(name)), name
    assert set(import_path(copy, tmp_path / "out").values()) == {0}


def test_defaults_of_a_plain_csv(tmp_path: Path) -> None:
    file = rewards_csv(tmp_path / "mine.csv", header="task,configuration,accuracy", rows=["CUB,00000001,12.5"])
    store = RewardStore(tmp_path / "s.duckdb")
    assert import_path(store, file, recipe="mine")["rewards"] == 1
    row = store.frame("rewards").row(0, named=True)
    assert (row["configuration"], row["seed"], row["metric"], row["source"]) == ("00000001", 0, "knn5", "mine.csv")
    assert store.recipes() == {"mine": TASK2SIM}
    assert store.tasks() == {"CUB": "unseen"}


def test_a_space_of_more_levels(tmp_path: Path) -> None:
    space = SimSpace.parse("a:3,b:2")
    file = rewards_csv(tmp_path / "m.csv", rows=["r,t,21,1", "r,t,00,2"])
    store = RewardStore(tmp_path / "s.duckdb")
    import_path(store, file, space=space)
    assert store.matrix().reward_TC[0, space.index("21")] == 1


def test_references_are_kept_apart_from_configurations(tmp_path: Path) -> None:
    file = rewards_csv(tmp_path / "m.csv", rows=["r,t,00000000,1", "r,t,scratch,2", "r,t,real:pets,3"])
    store = RewardStore(tmp_path / "s.duckdb")
    import_path(store, file)
    assert store.matrix().accuracy_TCS[0].tolist().count([1.0]) == 1
    with store.reader() as con:
        assert con.execute("SELECT accuracy FROM reference_backbones ORDER BY 1").fetchall() == [(2.0,), (3.0,)]
        assert con.execute("SELECT cells FROM coverage").fetchall() == [(1,)]


HEAD = "recipe,task,configuration,accuracy"


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (HEAD, ["r,t,00000000,101"], "expected percent"),
        (HEAD, ["r,t,00000000,-0.1"], "expected percent"),
        (HEAD, ["r,t,00000000,NaN"], "expected percent"),
        (HEAD, ["r,t,00000000,inf"], "expected percent"),
        (HEAD, ["r,t,0000000,1"], "has 7 digits"),
        (HEAD, ["r,t,00000002,1"], "materials"),
        (HEAD, ["r,t,00000000,abc"], "expected the types"),
        (HEAD, ["r,t,00000000,"], "empty values"),
        (HEAD, ["r,t,00000000,1", "r,t,00000000,2"], "more than once"),
        ("recipe,task,configuration,acuracy", ["r,t,00000000,1"], "match no table"),
        (HEAD + ",metrik", ["r,t,00000000,1,knn5"], "metric"),
        (HEAD + ",metric", ["r,t,00000000,1,knn"], "knn5"),
        ("task,configuration,accuracy", ["t,00000000,1"], "--recipe"),
    ],
)
def test_bad_rewards_change_nothing(tmp_path: Path, header: str, rows: list[str], message: str) -> None:
    file = rewards_csv(tmp_path / "bad.csv", header=header, rows=rows)
    with pytest.raises(BadInput, match=message) as caught:
        import_path(RewardStore(tmp_path / "s.duckdb"), file)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "s.duckdb").exists()


def test_an_unknown_recipe_names_the_nearest(tiny_store: RewardStore, tmp_path: Path) -> None:
    file = rewards_csv(tmp_path / "m.csv", rows=["tinny,apples,000,1"])
    with pytest.raises(UnknownName, match="tiny"):
        import_path(tiny_store, file)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 2.0], [1.0]], "mixed dimensions"),
        ([[1.0, 2.0], []], "mixed dimensions"),
        ([[1.0, float("nan")], [1.0, 2.0]], "not finite"),
    ],
)
def test_bad_embeddings_change_nothing(tmp_path: Path, vectors: list[list[float]], message: str) -> None:
    frame = pl.DataFrame({"task": ["a", "b"], "probe": ["p", "p"], "embedding": vectors})
    frame.write_parquet(tmp_path / "embeddings.parquet")
    with pytest.raises(BadInput, match=message):
        import_path(RewardStore(tmp_path / "s.duckdb"), tmp_path / "embeddings.parquet")
    assert not (tmp_path / "s.duckdb").exists()


def test_embeddings_of_another_width_do_not_mix(tiny_store: RewardStore, tmp_path: Path) -> None:
    frame = pl.DataFrame({"task": ["new"], "probe": ["probe"], "embedding": [json.dumps([1.0, 2.0])]})
    frame.write_csv(tmp_path / "embeddings.csv")
    with pytest.raises(BadInput, match="mixed dimensions"):
        import_path(tiny_store, tmp_path / "embeddings.csv")
    assert "new" not in tiny_store.tasks()


@pytest.mark.parametrize("name", ["rewards.parquet", "rewards.csv", "rewards.txt", "none.parquet"])
def test_unreadable_files(tmp_path: Path, name: str) -> None:
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"\x00\xff\xfe broken \x80")
    with pytest.raises(BadInput) as caught:
        import_path(RewardStore(tmp_path / "s.duckdb"), tmp_path / name)
    assert name in str(caught.value)
    with pytest.raises(BadFile, match="no table"):
        import_path(RewardStore(tmp_path / "s.duckdb"), tmp_path.parent)


def test_an_export_that_cannot_be_written_leaves_no_half(tiny_store: RewardStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadFile, match="cannot write"):
        export_store(tiny_store, tmp_path / "file" / "out")
    with pytest.raises(UnknownName, match="parquet"):
        export_store(tiny_store, tmp_path, "parket")


WRITE = """
import sys
from pathlib import Path
import polars as pl
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
store = RewardStore(Path(sys.argv[1]))
print("go", flush=True)
for seed in range(1, 1000):
    task = {"task": f"t{seed}"}
    reward = {**task, "recipe": "tiny", "configuration": "000", "seed": seed, "accuracy": 1.0}
    store.add({
        "tasks": typed(pl.DataFrame([task]), schema.TASKS, "x"),
        "rewards": typed(pl.DataFrame([reward]), schema.REWARDS, "x"),
    })
"""


def test_an_export_is_of_one_moment(tiny_store: RewardStore, tmp_path: Path) -> None:
    store = RewardStore(tiny_store.path, lock_wait=30)
    known = {"digits", *store.tasks()}
    with subprocess.Popen([sys.executable, "-c", WRITE, str(store.path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        grown = set()
        for number in range(20):
            export_store(store, tmp_path / str(number))
            tasks, rewards = (
                set(pl.read_parquet(tmp_path / str(number) / f"{name}.parquet")["task"]) - known
                for name in ("tasks", "rewards")
            )
            assert tasks == rewards
            grown.add(len(tasks))
        writer.kill()
    assert len(grown) > 1, "the store grew meanwhile"


def test_an_export_leaves_no_table_of_an_earlier_one(tiny_store: RewardStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    row = {"recipe": "tiny", "configuration": "000", "seed": 0, "attempt": "1", "status": "done"}
    tiny_store.add({"backbones": typed(pl.DataFrame([row]), schema.BACKBONES, "test")})
    export_store(tiny_store, out)
    kept = {"card.md": b"a card", "notes.csv": b"mine", "probe.safetensors": b"a network", "rewards.txt": b"mine"}
    for name, content in {**kept, "SHA256SUMS": b"sums of then"}.items():
        (out / name).write_bytes(content)
    with tiny_store.writer() as con:
        con.execute("DELETE FROM backbones")
    export_store(tiny_store, out, "csv")
    tables = {f"{name}.csv" for name in schema.TABLES if name != "backbones"}
    assert {path.name for path in out.iterdir()} == tables | set(kept)
    assert all((out / name).read_bytes() == content for name, content in kept.items())
    copy = RewardStore(tmp_path / "copy.duckdb")
    import_path(copy, out)
    assert copy.frame("rewards").equals(tiny_store.frame("rewards"))


def test_an_import_of_other_pictures_is_refused(tiny_store: RewardStore, tmp_path: Path) -> None:
    def digits(digest: str) -> pl.DataFrame:
        return typed(pl.DataFrame([{"task": "digits", "digest": digest}]), schema.TASKS, "test")

    tiny_store.add({"tasks": digits("a" * 32)})
    export_store(tiny_store, tmp_path / "out")
    digits("b" * 32).write_parquet(tmp_path / "out" / "tasks.parquet")
    for replace in (False, True):
        with pytest.raises(BadInput, match="task digits here has other pictures than the store's digits; rename yours"):
            import_path(tiny_store, tmp_path / "out", replace=replace)


def test_what_replace_can_mend_is_said(tiny_store: RewardStore, tmp_path: Path) -> None:
    changed = tiny_store.frame("rewards").head(1).with_columns(accuracy=pl.lit(1.0))
    changed.write_parquet(tmp_path / "rewards.parquet")
    with pytest.raises(BadInput, match=r"stored with other values.*; pass --replace to overwrite"):
        import_path(tiny_store, tmp_path / "rewards.parquet")
    import_path(tiny_store, tmp_path / "rewards.parquet", replace=True)
    assert tiny_store.matrix().reward_TC[0, 0] == 1


@pytest.mark.parametrize(
    ("columns", "said"), [({"status": "strange"}, "'strange'"), ({"configuration": "002"}, "expected a digit from 0")]
)
def test_backbones_that_cannot_be(tiny_store: RewardStore, tmp_path: Path, columns: dict[str, str], said: str) -> None:
    row = {"recipe": "tiny", "configuration": "000", "seed": 0, "attempt": "1", "status": "done"} | columns
    pl.DataFrame([row]).write_parquet(tmp_path / "backbones.parquet")
    with pytest.raises(BadInput, match=said):
        import_path(tiny_store, tmp_path / "backbones.parquet")


def test_parquet_on_which_polars_panics_is_one_line(tmp_path: Path) -> None:
    """A panic is no Exception in Python; found by fuzzing."""
    file = tmp_path / "rewards.parquet"
    frame = pl.DataFrame({"task": ["a"] * 40, "accuracy": [float(at) for at in range(40)]})
    frame.write_parquet(file, compression="uncompressed", statistics=False)
    whole = file.read_bytes()
    file.write_bytes(whole[:86] + bytes([95]) + whole[87:])
    with pytest.raises(BadFile, match="cannot read"):
        _read(file, None)
