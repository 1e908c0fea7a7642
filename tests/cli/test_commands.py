"""The commands as a user runs them: output, exit codes, and one line for everything that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import click
import pytest

from t2s_offline.cli import COMMANDS, cli
from t2s_offline.learners.policy import load_policy
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.store.reward_store import RewardStore

SMALL = [
    "--epochs",
    "600",
    "--hidden",
    "40",
    "--warmup-epochs",
    "20",
    "--imitation-start",
    "30",
    "--learning-rate",
    "3e-3",
]


TABLE = Path(__file__).parents[2] / "tables" / "cpu"


def run(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from t2s_offline.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env, timeout=300)


def failed(*arguments: str | Path, cwd: Path | None = None) -> str:
    """Run what must fail; returns its one line."""
    done = run(*arguments, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def test_every_command_has_help_with_an_example() -> None:
    import click

    with click.Context(cli) as ctx:
        for name, (_, summary) in COMMANDS.items():
            command = cli.get_command(ctx, name)
            assert command is not None
            assert command.help
            assert command.name == name
            assert f"t2s-offline {name}" in command.help, f"{name} --help has no example"
            assert summary.endswith(".")
            assert len(summary) <= 60


def test_the_defaults_are_the_learners() -> None:
    """The options of Algorithm 1 are the dataclass's fields: names, defaults and help are written there alone."""
    command = cli.get_command(click.Context(cli), "learn")
    assert command is not None
    options = {option.name: option for option in command.params if isinstance(option, click.Option)}
    described = {field.name: field for field in fields(Reinforce) if "help" in field.metadata}
    assert {field.name for field in fields(Reinforce)} - set(described) == {"published_indexing"}
    for name, field in described.items():
        assert options[name].default == field.default == getattr(Reinforce(), name)
        assert options[name].help == field.metadata["help"]
    assert Reinforce().centre is False


def test_learn_predict_compare(tiny_store: RewardStore, tmp_path: Path) -> None:
    store = ["--store", tiny_store.path]
    learned = run("learn", *store, "--out", tmp_path / "policy", "--seeds", "2", *SMALL)
    assert learned.returncode == 0, learned.stderr
    assert "0 misses" in learned.stderr
    assert "80.00" in learned.stdout

    about = run("learn", *store, "--out", tmp_path / "about", "--centre", *SMALL)
    assert about.returncode == 0, about.stderr
    assert load_policy(tmp_path / "about").policy.centre_D is not None
    asked = run("predict", "birds", "--policy", tmp_path / "about", *store, "--format", "json")
    assert json.loads(asked.stdout)["configuration"] == "101"

    predicted = run("predict", "--task", "birds", "--policy", tmp_path / "policy", *store, "--format", "json")
    result = json.loads(predicted.stdout)
    assert result["configuration"] == "101"
    assert list(result)[:5] == ["task", "configuration", "probabilities", "top", "nearest"]
    assert list(result["probabilities"]) == ["rotation", "light", "blur"]
    assert [list(row) for row in result["top"]] == [["configuration", "probability", "reward"]] * 5
    assert [list(row) for row in result["nearest"]] == [["task", "similarity"]] * 3
    measured = run("predict", "birds", "--policy", tmp_path / "policy", *store, "--measure", "8", "--format", "json")
    result = json.loads(measured.stdout)
    assert (result["configuration"], result["regret"]) == ("101", 0)
    assert len({step["configuration"] for step in result["measured"]}) == 8
    table = run("predict", "birds", "--policy", tmp_path / "policy", *store)
    assert "configuration  101" in table.stdout
    assert max(map(len, table.stdout.splitlines())) <= 80

    compared = run("compare", *store, "--leave-one-out", "--format", "json", "--jobs", "1",
                   "--learners", "random,best_fixed,nearest", "--measure", "0,2")  # fmt: skip
    rows = json.loads(compared.stdout)
    assert [row["learner"] for row in rows[:4]] == ["oracle", "random", "best_fixed", "nearest"]
    assert {(row["learner"], row["measured"]) for row in rows[4:]} == {
        (name, count)
        for name in ("surrogate_shortlist", "prior_top", "fixed_top", "portfolio", "random_search")
        for count in (0, 2)
    }
    assert {row["split"] for row in rows} == {"leave_one_out"}


def test_relatives_are_left_out_together(
    tiny_store: RewardStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ["--store", tiny_store.path]
    compare = ["compare", *store, "--leave-one-out", "--learners", "best_fixed,nearest", "--measure", "0,2"]
    alone = run(*compare, "--format", "json")
    assert "relatives" not in alone.stderr
    (tmp_path / "tasks.csv").write_text("task,group,relatives\napples,natural,fruit\ncars,natural,fruit\nelse,,fruit\n")
    monkeypatch.setenv("T2S_DATA", str(tmp_path))
    told = run("tasks", "--relate", tiny_store.path)
    assert told.returncode == 0, told.stderr
    assert "3 tasks" in told.stdout  # digits, by the registry
    assert tiny_store.relatives() == {"apples": "fruit", "cars": "fruit", "digits": "digits"}
    assert "else" not in tiny_store.tasks()
    related = run(*compare)
    assert "2 of 4 tasks are left out with their relatives, 1 each (--alone: without): fruit 2" in related.stderr
    assert max(map(len, related.stdout.splitlines())) <= 80
    again = run(*compare, "--alone", "--format", "json")
    assert again.stdout == alone.stdout
    assert run(*compare, "--format", "json").stdout != alone.stdout
    (tmp_path / "tasks.csv").write_text("task,relatives\napples,\ncars,vehicles\n")
    assert run("tasks", "--relate", tiny_store.path).returncode == 0
    assert tiny_store.relatives() == {"apples": "fruit", "cars": "vehicles", "digits": "digits"}


def test_ranks_of_configurations() -> None:
    """A row a task, then the places of one; on the table that ships, at 80 columns."""
    told = run("effects", "--store", TABLE, "--ranks")
    assert told.returncode == 0, told.stderr
    assert max(map(len, told.stdout.splitlines())) <= 80
    assert "without correction" in told.stderr
    rows = json.loads(run("effects", "--store", TABLE, "--ranks", "--task", "isic", "--format", "json").stdout)
    assert list(rows[0]) == ["configuration", "percent", "low", "high", "group", "p_best"]
    assert rows[0]["low"] == rows[0]["group"] == 1


def test_tasks_without_val_accuracy_are_named(tiny_store: RewardStore, tmp_path: Path) -> None:
    import polars as pl

    store = ["--store", tiny_store.path]
    compared = run("compare", *store, "--leave-one-out", "--learners", "random")
    assert "no val accuracy in this table: chosen and reported on the same test part" in compared.stderr
    gap = (pl.col("task") == "birds") & (pl.col("configuration") == "010")
    value = pl.when(gap).then(None).otherwise(pl.col("accuracy"))
    tiny_store.add({"rewards": tiny_store.frame("rewards").with_columns(val_accuracy=value)}, replace=True)
    line = "no val accuracy for birds: chosen and reported on the same test part"
    learned = run("learn", *store, "--out", tmp_path / "p", *SMALL)
    compared = run("compare", *store, "--leave-one-out", "--learners", "random")
    predicted = run("predict", "cars", "--policy", tmp_path / "p", *store, "--measure", "2")
    for done in (learned, compared, predicted):
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines().count(line) == 1
    without = run("learn", *store, "--out", tmp_path / "p", "--leave-out", "birds", *SMALL)
    assert "no val accuracy" not in without.stderr


def test_fractions_and_what_they_cost(tiny_store: RewardStore) -> None:
    import polars as pl

    from t2s_offline.store import schema
    from t2s_offline.store.rows import typed

    row = {"recipe": "tiny", "configuration": "000", "seed": 0, "attempt": 1, "status": "done"}
    spent = pl.DataFrame([row | {"render_seconds": 300.0, "train_seconds": 600.0}])
    tiny_store.add({"backbones": typed(spent, schema.BACKBONES, "planted")})
    tiny_store.add({"tasks": tiny_store.frame("tasks").with_columns(split=pl.lit("seen"))}, replace=True)
    compared = run("compare", "--store", tiny_store.path, "--learners", "nearest",
                   "--runs", "4,8", "--format", "json")  # fmt: skip
    rows = json.loads(compared.stdout)
    assert [(row["learner"], row["runs"], row["hours"]) for row in rows] == [
        ("oracle", 4, 1.0), ("nearest", 4, 1.0), ("oracle", 8, 2.0), ("nearest", 8, 2.0),
    ]  # fmt: skip
    # of the fraction 000 011 101 110 one is the best of a task, and the other three tasks have one a digit off
    assert [row["reward"] for row in rows] == [80, (80 + 3 * 70) / 4, 80, 80]


def test_import_export_query(tiny_store: RewardStore, tmp_path: Path) -> None:
    assert run("export", tmp_path / "out", "--store", tiny_store.path, "--format", "csv").returncode == 0
    copied = run("import", tmp_path / "out", "--store", tmp_path / "copy.duckdb")
    assert "32 rewards" in copied.stdout
    assert "nothing new" in run("import", tmp_path / "out", "--store", tmp_path / "copy.duckdb").stdout
    asked = run("query", "SELECT task, configuration FROM best_configuration ORDER BY task", "--store",
                tmp_path / "copy.duckdb", "--format", "csv")  # fmt: skip
    assert asked.stdout.splitlines() == ["task,configuration", "apples,001", "birds,101", "cars,010", "digits,111"]


def test_the_store_may_be_named_by_the_environment(
    tiny_store: RewardStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T2S_STORE", str(tiny_store.path))
    assert json.loads(run("query", "SELECT count(*) AS n FROM rewards", "--format", "json").stdout) == [{"n": 32}]


def test_wrong_words_name_the_nearest(tiny_store: RewardStore, tmp_path: Path) -> None:
    store = ["--store", tiny_store.path]
    assert "did you mean learn?" in failed("lern")
    assert "tiny" in failed("compare", *store, "--recipe", "tinny")
    assert "knn5" in failed("compare", *store, "--metric", "knn")
    assert "birds" in failed("learn", *store, "--out", tmp_path / "p", "--train-tasks", "apples,bird")
    assert "fetch task2sim" in failed("query", "SELECT 1", "--store", tmp_path / "none.duckdb")
    assert "t2s-offline learn" in failed("predict", "birds", "--policy", tmp_path / "none", *store)
    run("learn", *store, "--out", tmp_path / "q", "--epochs", "1", "--hidden", "4")
    assert "embed the tasks again" in failed("predict", tmp_path, "--policy", tmp_path / "q", *store)
    assert "birds" in failed("predict", "bird", "--policy", tmp_path / "q", *store)
    assert "name one task" in failed("predict", "--policy", tmp_path, *store)
    assert "reads" in failed("query", "DROP TABLE rewards", *store)
    assert "--leave-one-out" in failed("compare", *store)
    assert "surrogate" in failed("compare", *store, "--leave-one-out", "--learners", "surogate")
    assert "whole numbers" in failed("compare", *store, "--leave-one-out", "--measure", "1,x")
    assert "--on-miss" in failed("learn", *store, "--out", tmp_path / "p", "--on-miss", "live").replace(
        "on-miss live", "--on-miss live"
    )
    assert not (tmp_path / "p").exists()


def test_a_missing_cell_is_named(tiny_store: RewardStore, tmp_path: Path) -> None:
    cells = tiny_store.frame("rewards").filter(__import__("polars").col("configuration") != "101")
    cells.write_csv(tmp_path / "rewards.csv")
    store = tmp_path / "holed.duckdb"
    tiny_store.frame("recipes").write_parquet(tmp_path / "recipes.parquet")
    tiny_store.frame("embeddings").write_parquet(tmp_path / "embeddings.parquet")
    assert run("import", tmp_path, "--store", store).returncode == 0
    line = failed("learn", "--store", store, "--out", tmp_path / "p", *SMALL)
    assert "configuration 101 under recipe tiny" in line
    assert not (tmp_path / "p").exists()
    skipped = run("learn", "--store", store, "--out", tmp_path / "p", "--on-miss", "skip", *SMALL)
    assert skipped.returncode == 0, skipped.stderr
    assert " 0 misses" not in skipped.stderr
    modelled = run("learn", "--store", store, "--out", tmp_path / "m", "--on-miss", "model", *SMALL)
    assert modelled.returncode == 0, modelled.stderr
    assert "4 of 32 cells are missing" in modelled.stderr
    assert json.loads((tmp_path / "m" / "policy.json").read_text())["modelled"] == 4
    left = run("learn", "--store", store, "--out", tmp_path / "l", "--on-miss", "skip", "--leave-out", "cars", *SMALL)
    assert json.loads((tmp_path / "l" / "policy.json").read_text())["tasks"] == ["apples", "birds", "digits"]
    assert left.returncode == 0
    assert "cars" in failed("learn", "--store", store, "--out", tmp_path / "x", "--leave-out", "carz", *SMALL)


def test_a_reader_that_leaves_is_no_error(tiny_store: RewardStore) -> None:
    code = "from t2s_offline.cli import main; main()"
    query = "SELECT * FROM range(200000)"
    first = subprocess.Popen(
        [sys.executable, "-c", code, "query", query, "--store", str(tiny_store.path), "--format", "csv"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert first.stdout is not None
    assert first.stderr is not None
    first.stdout.readline()
    first.stdout.close()
    assert first.stderr.read() == ""
    first.stderr.close()
    assert first.wait() == 0


def test_a_plan_for_programs(tmp_path: Path) -> None:
    spec = tmp_path / "s.toml"
    spec.write_text(
        'tasks = ["digits"]\n[design]\nkind = "list"\nconfigurations = ["00000000", "00000001"]\n'
        "[recipe]\nclasses = 2\nobjects = 2\nimages = 4\nsize = 16\nepochs = 1\nbatch = 4\n"
    )
    planned = run("sweep", spec, "--store", tmp_path / "s.duckdb", "--dry-run", "--format", "json", "--workers", "1")
    assert planned.returncode == 0, planned.stderr
    assert [(unit["configuration"], unit["cells"]) for unit in json.loads(planned.stdout)] == [
        ("00000000", 1),
        ("00000001", 1),
    ]
    assert "2 of 2 configurations" in planned.stderr
    assert not (tmp_path / "s.duckdb").exists()
