"""predict without a policy: backbones that a table ships are measured on pictures; the one that suits is found."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

import t2s_offline as t2s
from t2s_offline.api.portfolio import PORTFOLIO
from t2s_offline.recipe import Recipe
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.backbone_files import backbone_name
from t2s_offline.store.import_export import export_store
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.sweep.worker import pinned
from t2s_offline.training import task2vec
from t2s_offline.training.networks import build, save_backbone
from tests.cli.test_commands import failed, run

RECIPE = pinned(
    Recipe(classes=2, objects=2, images=4, size=16, backbone="resnet18-narrow", epochs=1, batch=4, val_by="folds")
)
NAME = RECIPE.recipe_id("toy")
CONFIGURATIONS = TASK2SIM.configurations[:: len(TASK2SIM) // 10][:10]
GOOD = CONFIGURATIONS[6]
TASKS = tuple(f"task{number}" for number in range(6))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table folder whose tasks prefer nothing, with ten backbones: nine see nothing, one is a random network."""
    home = tmp_path_factory.mktemp("portfolio")
    folder, rng, metrics = home / "toy", np.random.default_rng(0), ("knn5", "linear", "logme")
    (folder / "backbones").mkdir(parents=True)
    backbones = []
    for configuration in CONFIGURATIONS:
        network = build("resnet18-narrow", seed=1)
        if configuration != GOOD:
            with torch.no_grad():
                next(network.trunk.parameters()).mul_(1e-4)  # the stem: the picture is lost in rounding
                for module in network.trunk.modules():
                    if isinstance(module, torch.nn.BatchNorm2d):
                        module.weight.mul_(1e-3)
        path = folder / "backbones" / f"{backbone_name(NAME, configuration, 0)}.safetensors"
        save_backbone(path, network, None, {"size": 16})
        file = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        row = {"recipe": NAME, "configuration": configuration, "seed": 0, "attempt": "a", "status": "done"}
        backbones.append({**row, **file, "render_seconds": 1.0, "train_seconds": 2.0})
    probe_file = home / "probe.safetensors"
    save_backbone(probe_file, build("resnet18-narrow", seed=0), None, {"size": 16})
    width = len(_embedding(probe_file))
    rewards, vectors = [], []
    for task in TASKS:
        vectors.append({
            "task": task, "probe": task2vec.probe_name(task2vec.open_probe(str(probe_file)), 16),
            "embedding": rng.uniform(0, 1, width).tolist(),
        })  # fmt: skip
        for configuration in CONFIGURATIONS:
            for metric in metrics:
                value = float(rng.uniform(40, 60)) / (100 if metric == "logme" else 1)
                if (task, configuration) == ("task0", GOOD):  # so that it is in the portfolio
                    value *= 1.5
                rewards.append({
                    "recipe": NAME, "task": task, "configuration": configuration, "metric": metric, "seed": 0,
                    "accuracy": value, "val_accuracy": value, "n_eval": 100, "n_val": 100,
                })  # fmt: skip
    recipe = {"recipe": NAME, "space": str(TASK2SIM), "contents": RECIPE.contents(), "source": "sweep"}
    store = RewardStore(home / "toy.duckdb")
    store.add({
        "recipes": typed(pl.DataFrame([recipe]), schema.RECIPES, "sweep"),
        "tasks": typed(pl.DataFrame([{"task": task} for task in TASKS]), schema.TASKS, "sweep"),
        "rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "sweep"),
        "backbones": typed(pl.DataFrame(backbones), schema.BACKBONES, "sweep"),
        "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "sweep"),
    })  # fmt: skip
    export_store(store, folder)
    (folder / "probe.safetensors").write_bytes(probe_file.read_bytes())
    return folder


def _embedding(probe_file: Path) -> np.ndarray:
    from t2s_offline.images.task_data import load_task

    bank = load_task("digits", 16).limited(20).bank
    return task2vec.embed(bank, task2vec.open_probe(str(probe_file)), "digits", samples=8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits as class folders, thirty a class."""
    from sklearn.datasets import load_digits

    folder, digits = tmp_path_factory.mktemp("pictures") / "photos", load_digits()
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        for number in np.flatnonzero(digits.target == label)[:30]:
            grey = np.rint(digits.images[number] * (255 / 16)).astype(np.uint8)
            Image.fromarray(grey).resize((16, 16)).save(folder / str(label) / f"{number}.png")
    return folder


def test_the_default_finds_the_backbone_that_suits_the_pictures(table: Path, photos: Path) -> None:
    done = run("predict", photos, "--store", table, "--samples", "40", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert f"measuring knn5, linear, logme of {PORTFOLIO} of {len(CONFIGURATIONS)} backbones at hand" in done.stderr
    assert len(found["measured"]) == PORTFOLIO
    assert GOOD in {row["configuration"] for row in found["measured"]}
    assert found["configuration"] == GOOD
    best = max(found["measured"], key=lambda row: row["knn5"])
    assert best["configuration"] == GOOD
    worth = found["worth"]
    assert worth["low"] < worth["expected"] < worth["high"]
    assert {gain["over"].split()[0] for gain in worth["gains"]} == {"best", "domain", "untrained"}
    assert "no task of the table is near" in done.stderr, "their embeddings are random"
    python = t2s.predict(None, t2s.open_table(table), photos, samples=40, told=lambda line: None)
    assert python.configuration == GOOD
    assert python.worth is not None
    assert python.worth["expected"] == pytest.approx(worth["expected"])


def test_for_people(table: Path, photos: Path) -> None:
    done = run("predict", photos, "--store", table, "--samples", "40")
    assert done.returncode == 0, done.stderr
    for word in ("expected", "gain", "tied", "nearest task", "untrained"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_guess_where_nothing_is_measured(table: Path, photos: Path, tmp_path: Path) -> None:
    done = run("predict", photos, "--store", table, "--samples", "40", "--measure", "0", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["measured"] == []
    assert "nothing was measured" in done.stderr


def test_the_answer_is_handed_over(table: Path, photos: Path, tmp_path: Path) -> None:
    done = run("predict", photos, "--store", table, "--samples", "40", "--pretrain", "--out", tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    assert t2s.load_backbone(tmp_path / "mine" / "backbone.safetensors").features == 256


def test_a_backbone_that_is_another_is_refused(table: Path, photos: Path, tmp_path: Path) -> None:
    import shutil

    other = tmp_path / "table"
    shutil.copytree(table, other)
    path = other / "backbones" / f"{backbone_name(NAME, GOOD, 0)}.safetensors"
    save_backbone(path, build("resnet18-narrow", seed=9), None, {"size": 16})
    done = run("predict", photos, "--store", other, "--samples", "40")
    assert "get the file again" in failed(done)


def test_a_metric_that_only_another_recipe_has_is_left_out(table: Path, tmp_path: Path) -> None:
    """A table of two recipes: the linear probe was measured under the second alone."""
    frames = RewardStore(table).frames()
    linear = pl.col("metric") == "linear"
    second = frames["rewards"].filter(linear).with_columns(recipe=pl.lit("second"))
    frames["rewards"] = pl.concat([frames["rewards"].filter(~linear), second])
    frames["recipes"] = pl.concat([frames["recipes"], frames["recipes"].with_columns(recipe=pl.lit("second"))])
    store = RewardStore(tmp_path / "two.duckdb")
    store.add({name: frames[name] for name in ("recipes", "tasks", "rewards", "embeddings")})
    found = t2s.predict(None, t2s.open_table(store.path), TASKS[0], recipe=NAME, told=lambda line: None)
    assert set(found.measured[0]) == {"configuration", "knn5", "logme", "expected", "sd"}
