"""predict: which pictures a target means, what is measured, and what is refused before anything is computed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import t2s_offline as t2s
from t2s_offline.errors import BadInput
from t2s_offline.images.task_data import load_task, task_digest
from t2s_offline.space import SimParam, SimSpace
from t2s_offline.store import schema
from t2s_offline.store.import_export import complete
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.table_folders import ship
from t2s_offline.training import task2vec
from t2s_offline.training.networks import build, save_backbone
from tests.cli.test_commands import failed, run
from tests.images.test_asked_task import noise, write_digits

Predict = Callable[..., subprocess.CompletedProcess[str]]
TASKS = ("birds", "cars", "digits", "usps")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table folder with a small probe: four tasks, eight configurations, percent and scores. It knows which pictures
    its digits and usps are; of digits 101 is best with 96.94."""
    home = tmp_path_factory.mktemp("table")
    store, probe_file = RewardStore(home / "t.duckdb"), home / "probe.safetensors"
    save_backbone(probe_file, build("resnet18-narrow", seed=0), None, {"size": 16})
    probe = task2vec.open_probe(str(probe_file))
    name = task2vec.probe_name(probe, 16)
    width = len(task2vec.embed(load_task("digits", 16).limited(30).bank, probe, "digits", samples=16))
    rng = np.random.default_rng(0)
    space = SimSpace((SimParam("rotation"), SimParam("light"), SimParam("blur")))
    rewards = []
    for task in TASKS:
        for configuration in space:
            percent = 96.94 if (task, configuration) == ("digits", "101") else float(rng.uniform(20, 80))
            cell = {"recipe": "tiny", "task": task, "configuration": configuration}
            rewards.append({**cell, "metric": "knn5", "accuracy": percent})
            rewards.append({**cell, "metric": "logme", "accuracy": percent / 200})
    vectors = [{"task": task, "probe": name, "embedding": rng.uniform(0, 1, width).tolist()} for task in TASKS]
    frames = {
        "rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "toy"),
        "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "toy"),
    }
    whole = complete(frames, {}, "toy", space)
    known = {"digits": task_digest("digits"), "usps": "0" * 32}
    whole["tasks"] = whole["tasks"].with_columns(digest=pl.col("task").replace_strict(known, default=None))
    store.add(whole)
    ship(store, home / "toy", probe_file)
    return home / "toy"


@pytest.fixture(scope="module")
def policy(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy of the table that has hardly learned."""
    out = tmp_path_factory.mktemp("policy") / "p"
    done = run("learn", "--store", table, "--out", out, "--epochs", "1", "--hidden", "4")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def predict(table: Path, policy: Path, tmp_path: Path) -> Predict:
    """predict as JSON in an empty folder."""

    def call(*arguments: str | Path, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        done = run("predict", *arguments, "--policy", policy, "--store", table, "--format", "json", cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done

    return call


def test_noise_in_a_folder_called_digits_gets_no_reward_of_digits(predict: Predict, tmp_path: Path) -> None:
    noise(tmp_path / "digits")
    done = predict("digits/")
    answer = json.loads(done.stdout)
    assert answer["reward"] is answer["best"] is None
    assert answer["task"].startswith("digits (pictures ")
    assert "holds other pictures than the store's digits" in done.stderr
    # the bare name is the store's, whatever lies here
    done = predict("digits")
    assert json.loads(done.stdout)["task"] == "digits"
    assert json.loads(done.stdout)["best"] == pytest.approx(96.94, abs=0.01)
    assert "./digits" in done.stderr


def test_the_same_pictures_get_the_stores_rewards(predict: Predict, tmp_path: Path) -> None:
    write_digits(tmp_path / "digits.npz")
    done = predict("./digits.npz")
    answer = json.loads(done.stdout)
    assert (answer["task"], answer["best"]) == ("digits", pytest.approx(96.94, abs=0.01))
    assert "holds the same pictures as the store's digits" in done.stderr


def test_nothing_is_dropped_without_a_word(table: Path, policy: Path, tmp_path: Path) -> None:
    """A policy of another recipe than the store's: what needs a recipe is refused before anything is computed."""
    card = json.loads((policy / "policy.json").read_text())
    other = tmp_path / "other"
    shutil.copytree(policy, other)
    (other / "policy.json").write_text(json.dumps({**card, "recipe": "of-somebody"}))
    asking = ["predict", "digits", "--policy", other, "--store", table]
    for more in (["--render", "2", "--out", "o"], ["--pretrain", "--out", "o"], ["--measure", "2"]):
        line = failed(*asking, *more, cwd=tmp_path)
        assert f"{more[0]} cannot be done" in line
        assert "has no recipe of-somebody" in line
    assert not (tmp_path / "o").exists()
    done = run(*asking, cwd=tmp_path)
    assert (done.returncode, "reward" in done.stdout.split("top")[0].splitlines()[2]) == (0, False)


def test_backbones_that_are_not_kept_are_missed_before_pictures_are_read(
    table: Path, policy: Path, tmp_path: Path
) -> None:
    line = failed("predict", "photos/", "--policy", policy, "--store", table, "--measure", "2", cwd=tmp_path)
    assert "photos is not there" in line
    noise(tmp_path / "photos")
    line = failed("predict", "photos/", "--policy", policy, "--store", table, "--measure", "2", cwd=tmp_path)
    assert "was not made by a sweep" in line


def test_logme_is_shown_as_a_score(table: Path, policy: Path, tmp_path: Path) -> None:
    asking = ["predict", "digits", "--policy", policy, "--store", table]
    done = run(*asking, "--metric", "logme", "--measure", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "logme score    0." in done.stdout
    assert "reward" not in done.stdout
    assert "replaying the store's logme of digits" in done.stderr


def test_python_gives_the_answers_of_the_command_line(
    predict: Predict, table: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, saved = t2s.open_table(table), t2s.load_policy(policy)
    noise(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for target, options in (("digits", {}), ("digits", {"measure": 3}), ("photos/", {"top": 2, "samples": 16})):
        told: list[str] = []
        answer = t2s.predict(saved, opened, target, told=told.append, **options)
        done = predict(target, *(word for name, value in options.items() for word in (f"--{name}", str(value))))
        assert answer.as_dict() == json.loads(done.stdout)
        assert told == done.stderr.splitlines()


def test_in_python_a_path_is_pictures_and_other_pictures_are_a_warning(
    table: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, saved = t2s.open_table(table), t2s.load_policy(policy)
    noise(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    assert t2s.predict(saved, opened, "digits").best == pytest.approx(96.94, abs=0.01)
    with pytest.warns(UserWarning, match="holds other pictures than the store's digits"):
        answer = t2s.predict(saved, opened, Path("digits"), samples=16)
    assert answer.best is None
    with pytest.raises(BadInput, match="add --out DIR"):
        t2s.predict(saved, opened, "digits", render=2)
    with pytest.raises(BadInput, match="was not made by a sweep"):
        t2s.predict(saved, opened, "digits", pretrain=True, out="o")
