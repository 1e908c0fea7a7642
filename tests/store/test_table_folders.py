"""A table folder has the rows of its store; any change in it is found."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from t2s_offline.errors import BadFile, BadInput, UnknownName
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema, table_folders
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import task_rows, typed
from t2s_offline.sweep.live_cells import live_path
from t2s_offline.sweep.one_backbone import embedding_frames
from t2s_offline.training import networks, task2vec

RECIPE = "toy-12345678"
#: Rows that are compared with others, or that stand beside those of tables/cpu, which has the embeddings.
WITHOUT_EMBEDDINGS = ("figures", "agreement", "cpu-rest")


def backbone_file(path: Path, seed: int) -> Path:
    networks.save_backbone(path, networks.build("resnet18-narrow", seed=seed), None, {"size": 32})
    return path


@pytest.fixture
def store(tmp_path: Path) -> RewardStore:
    """Two tasks, every configuration, and the embedding of one under a probe that lies beside it."""
    store = RewardStore(tmp_path / "toy.duckdb")
    rewards = pl.DataFrame(
        [
            {"recipe": RECIPE, "task": task, "configuration": configuration, "seed": 0, "metric": "knn5",
             "accuracy": 20.0 + at % 7}
            for task in ("a", "b")
            for at, configuration in enumerate(TASK2SIM)
        ]
    )  # fmt: skip
    backbone = {"recipe": RECIPE, "configuration": "00000000", "seed": 0, "attempt": 1, "status": "done", "host": "me"}
    recipe = {"recipe": RECIPE, "space": str(TASK2SIM)}
    store.add(
        {
            "recipes": typed(pl.DataFrame([recipe]), schema.RECIPES, "test"),
            "rewards": typed(rewards, schema.REWARDS, "test"),
            "backbones": typed(pl.DataFrame([backbone]), schema.BACKBONES, "test"),
            "tasks": task_rows(["a", "b"], "test"),
        }
    )
    probe = task2vec.open_probe(str(backbone_file(tmp_path / "probe.safetensors", 1)))
    store.add(embedding_frames("a", task2vec.probe_name(probe, 32), [0.5, 1.5], "test"))
    return store


@pytest.fixture
def folder(store: RewardStore, tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "toy"
    table_folders.ship(store, folder, tmp_path / "probe.safetensors")
    return folder


def test_a_shipped_table_reads_as_the_store_without_hosts(store: RewardStore, folder: Path) -> None:
    shipped = RewardStore(folder)
    for name in ("rewards", "embeddings", "recipes", "tasks"):
        assert shipped.frame(name).equals(store.frame(name))
    assert store.frame("backbones")["host"].to_list() == ["me"]
    assert shipped.frame("backbones")["host"].to_list() == [None]
    found = table_folders.describe(folder)
    assert (found.name, found.tasks, found.configurations, found.rewards, found.embeddings) == ("toy", 2, 256, 512, 1)
    assert not found.problem


def test_sha256sum_agrees(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", table_folders.SUMS], cwd=folder, check=True)


def test_the_probe_must_be_that_of_the_embeddings(store: RewardStore, tmp_path: Path) -> None:
    other = backbone_file(tmp_path / "other.safetensors", 2)
    with pytest.raises(BadInput, match="give that probe"):
        table_folders.ship(store, tmp_path / "out", other)
    assert not (tmp_path / "out").exists()


def test_every_kind_of_damage_is_found(folder: Path) -> None:
    card = folder / table_folders.CARD
    card.write_text("# a card\n")
    assert "card.md has no checksum" in table_folders.describe(folder).problem
    table_folders.seal(folder)
    assert not table_folders.describe(folder).problem
    card.write_text("# another card\n")
    assert "card.md differs" in table_folders.describe(folder).problem
    card.unlink()
    assert "card.md is missing" in table_folders.describe(folder).problem
    (folder / table_folders.SUMS).write_text("../../etc/passwd\n")
    assert "no checksum" in table_folders.describe(folder).problem
    (folder / table_folders.SUMS).unlink()
    assert "SHA256SUMS is missing" in table_folders.describe(folder).problem


def test_rows_that_cannot_be_are_found_behind_good_checksums(folder: Path) -> None:
    frame = pl.read_parquet(folder / "rewards.parquet")
    frame.with_columns(pl.lit(130.0).alias("accuracy")).write_parquet(folder / "rewards.parquet")
    table_folders.seal(folder)
    assert "expected percent" in table_folders.describe(folder).problem
    (folder / "rewards.parquet").write_bytes(b"no parquet")
    table_folders.seal(folder)
    assert "rewards" in table_folders.describe(folder).problem


def test_nothing_is_measured_live_for_a_folder_that_cannot_keep_it(folder: Path) -> None:
    with pytest.raises(BadInput, match="t2s-offline import"):
        live_path(RewardStore(folder), RECIPE, "knn5", validated=())


def test_tables_are_found_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_TABLES", str(folder.parent))
    assert [table.name for table in table_folders.find_tables()] == ["toy"]
    assert table_folders.folder_of("toy") == folder
    with pytest.raises(UnknownName, match="toy"):
        table_folders.folder_of("tyo")


def test_the_command_says_what_is_wrong_with_exit_code_1(folder: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, "-c", "from t2s_offline.cli import main; main()", "tables", *arguments]
        return subprocess.run(call, capture_output=True, text=True, check=False)

    good = run(str(folder))
    assert good.returncode == 0
    assert "whole" in good.stdout
    (folder / "tasks.parquet").unlink()
    bad = run(str(folder), "--format", "json")
    assert bad.returncode == 1
    assert "tasks.parquet is missing" in bad.stdout


def test_shipping_again_leaves_nothing_of_the_first_time(store: RewardStore, folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    (folder / "rewards.csv").write_text("of an older version")
    with store.writer() as con:
        con.execute("DELETE FROM backbones")
    table_folders.ship(store, folder)
    assert not table_folders.describe(folder).problem
    assert {path.name for path in folder.iterdir()} == {
        "SHA256SUMS", "embeddings.parquet", "notes.txt", "recipes.parquet", "rewards.parquet", "tasks.parquet"
    }  # fmt: skip
    assert "notes.txt" not in (folder / table_folders.SUMS).read_text()


def test_a_probe_that_lies_in_the_folder_can_be_shipped_again(store: RewardStore, folder: Path) -> None:
    content = (folder / table_folders.PROBE).read_bytes()
    table_folders.ship(store, folder, folder / table_folders.PROBE)
    assert (folder / table_folders.PROBE).read_bytes() == content
    assert not table_folders.describe(folder).problem


@pytest.mark.parametrize("steps", range(1, 8))
def test_a_kill_while_shipping_leaves_a_folder_that_is_called_wrong(
    store: RewardStore, folder: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The second time, with other rows: after any number of files a kill leaves no folder that passes for whole."""
    store.add({"rewards": store.frame("rewards").with_columns(seed=pl.lit(1, pl.Int32))})
    replaced, done = os.replace, 0

    def killed(*paths: Path) -> None:
        nonlocal done
        done += 1
        if done == steps:
            raise KeyboardInterrupt
        replaced(*paths)

    with monkeypatch.context() as patch:
        patch.setattr("t2s_offline.files.os.replace", killed)
        with suppress(KeyboardInterrupt):
            table_folders.ship(store, folder)
    if done == steps:
        assert table_folders.describe(folder).problem
    else:
        assert not table_folders.describe(folder).problem
        assert steps > 5


def test_another_format_beside_the_tables_is_called_wrong(folder: Path) -> None:
    (folder / "rewards.csv").write_text("task\n")
    assert "rewards.csv does not belong here" in table_folders.describe(folder).problem


def test_a_folder_without_parameters_takes_them_from_its_recipes(folder: Path) -> None:
    whole = RewardStore(folder).frame("parameters")
    assert whole["parameter"].to_list() == list(TASK2SIM.names)
    (folder / "parameters.parquet").unlink(missing_ok=True)
    table_folders.seal(folder)
    assert not table_folders.describe(folder).problem
    assert RewardStore(folder).frame("parameters").equals(whole)
    with RewardStore(folder).reader() as con:
        assert con.sql("SELECT count(DISTINCT parameter) FROM main_effects").fetchall() == [(8,)]


def test_a_folder_without_recipes_says_so_where_they_are_needed(folder: Path, tmp_path: Path) -> None:
    (folder / "recipes.parquet").unlink()
    table_folders.seal(folder)
    assert "recipes" in table_folders.describe(folder).problem
    with pytest.raises(BadFile, match="has rewards but no recipes"):
        RewardStore(folder).matrix()
    with pytest.raises(BadFile, match="has rewards but no recipes"):
        RewardStore(folder).recipe(RECIPE)
    for arguments in (["compare"], ["effects"], ["learn", "--out", str(tmp_path / "p")], ["report", "--out", "r.html"],
                      ["tables", str(folder)]):  # fmt: skip
        call = [sys.executable, "-c", "from t2s_offline.cli import main; main()", *arguments]
        environment = {**os.environ, "T2S_STORE": str(folder)}
        done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert "Traceback" not in done.stderr, arguments
        assert done.returncode == (1 if arguments[0] == "tables" else 2), arguments
    assert len(RewardStore(folder).embeddings().tasks) == 1, "what needs no recipe works"


def test_a_recipe_whose_space_cannot_be_is_one_line(folder: Path) -> None:
    frame = pl.read_parquet(folder / "recipes.parquet")
    frame.with_columns(space=pl.lit("a:99")).write_parquet(folder / "recipes.parquet")
    table_folders.seal(folder)
    assert f"recipe {RECIPE}: parameter a: 99 levels" in table_folders.describe(folder).problem


def test_a_folder_whose_name_looks_like_a_pattern(folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "run[1]*?"
    folder.rename(odd)
    assert not table_folders.describe(odd).problem


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "tables").glob("*/")), ids=lambda path: path.name)
def test_the_tables_of_this_project_are_whole(path: Path) -> None:
    found = table_folders.describe(path)
    assert not found.problem
    assert (path / table_folders.CARD).is_file()
    assert found.embeddings == (0 if path.name in WITHOUT_EMBEDDINGS else found.tasks)
    assert not RewardStore(path).frame("backbones")["host"].drop_nulls().len()


def kept_backbones(store: RewardStore, *configurations: str) -> Path:
    """Files where a sweep of the store would have kept them, each with other bytes."""
    work = store.path.with_name(f"{store.path.name}.work")
    (work / "backbones").mkdir(parents=True)
    for name in configurations:
        (work / "backbones" / f"{RECIPE}-{name}-0.safetensors").write_bytes(name.encode() * 100)
    return work


def test_checksums_of_kept_backbones_are_filled_in(store: RewardStore, tmp_path: Path) -> None:
    work = kept_backbones(store, "00000000")
    table_folders.ship(store, tmp_path / "out", work=work / "backbones")
    (row,) = RewardStore(tmp_path / "out").frame("backbones").to_dicts()
    assert row["bytes"] == 800
    assert row["sha256"] == hashlib.sha256(b"00000000" * 100).hexdigest()
    assert store.frame("backbones")["sha256"].to_list() == [None], "the store stays as it was"


def test_a_unit_that_is_being_measured_does_not_ship(store: RewardStore, tmp_path: Path) -> None:
    """Seed 1 of 00000000 has one of two tasks; fine-tuning of one configuration alone is no gap."""
    row = {"recipe": RECIPE, "task": "a", "configuration": "00000000", "accuracy": 50.0}
    more = [{**row, "seed": 1, "metric": "knn5"}]
    more += [{**row, "task": task, "seed": 0, "metric": "finetune"} for task in ("a", "b")]
    backbone = {"recipe": RECIPE, "configuration": "00000000", "seed": 1, "attempt": "1", "status": "done"}
    store.add({"rewards": typed(pl.DataFrame(more), schema.REWARDS, "test"),
               "backbones": typed(pl.DataFrame([backbone]), schema.BACKBONES, "test")})  # fmt: skip
    table_folders.ship(store, tmp_path / "out", whole=True)
    shipped = RewardStore(tmp_path / "out").frames()
    assert shipped["rewards"].equals(store.frame("rewards").filter(pl.col("seed") == 0))
    assert len(shipped["rewards"]) == 514
    assert shipped["backbones"]["seed"].to_list() == [0]


def test_the_backbones_of_a_portfolio_lie_in_the_folder(store: RewardStore, tmp_path: Path) -> None:
    """Accuracies repeat every seven configurations, so 00000110 is the best of both tasks."""
    kept_backbones(store, "00000110", "11111111")
    folder = tmp_path / "out"
    call = [sys.executable, "-c", "from t2s_offline.cli import main; main()", "tables"]
    call += ["--ship", str(folder), "--store", str(store.path)]
    done = subprocess.run([*call, "--portfolio", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    file = folder / "backbones" / f"{RECIPE}-00000110-0.safetensors"
    assert [path.name for path in (folder / "backbones").iterdir()] == [file.name]
    subprocess.run(["sha256sum", "--check", "--quiet", table_folders.SUMS], cwd=folder, check=True)
    assert table_folders.describe(folder).bytes > 800
    file.write_bytes(b"other")
    assert f"backbones/{file.name} differs" in table_folders.describe(folder).problem
    file.unlink()
    assert f"backbones/{file.name} is missing" in table_folders.describe(folder).problem
    (folder / "backbones" / "more.safetensors").write_bytes(b"")
    few = subprocess.run([*call, "--portfolio", "257"], capture_output=True, text=True, check=False)
    assert few.returncode == 2
    assert "256 configurations are measured on every task" in few.stderr
    again = subprocess.run(call, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert not (folder / "backbones").exists(), "what is not asked for again goes"


def test_a_portfolio_without_its_file_is_one_line(store: RewardStore, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=f"{RECIPE}-00000110-0.safetensors is not in"):
        table_folders.ship(store, tmp_path / "out", portfolio=lambda matrix: ["00000110"])
    assert table_folders.describe(tmp_path / "out").problem


def test_options_of_shipping_need_a_folder(store: RewardStore, tmp_path: Path) -> None:
    for option in (["--whole"], ["--portfolio", "2"], ["--work", str(tmp_path)]):
        call = [sys.executable, "-c", "from t2s_offline.cli import main; main()", "tables", *option]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "go with --ship" in done.stderr
