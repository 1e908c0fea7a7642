"""What a sweep will take, and which cells it is missing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2s_offline.images.task_data import load_task, memory_share
from t2s_offline.recipe import BACKBONES, METRICS, Recipe, read_spec
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.spool import write_shard
from t2s_offline.sweep.estimate import FILE_BYTES, estimate, making_seconds, measuring_seconds, tuned_pictures
from t2s_offline.sweep.missing import missing_units
from t2s_offline.sweep.task_sizes import Sizes, sizes_of
from t2s_offline.sweep.worker import Unit
from t2s_offline.tasks import PAPER_TASKS
from t2s_offline.training.networks import build
from t2s_offline.training.speed import Speed
from tests.sweep.test_references import THREE
from tests.sweep.test_run import SPEC, Sweep


@pytest.fixture(autouse=True)
def no_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_DATA", raising=False)


def rewards(sweep: Sweep, *configurations: str) -> pl.DataFrame:
    (recipe,) = sweep.spec.recipes
    row = {"recipe": recipe, "task": "digits", "accuracy": 50.0, "seconds": 0.5}
    rows = [{**row, "configuration": name} for name in configurations]
    return typed(pl.DataFrame(rows), schema.REWARDS, "x")


def test_bytes_of_a_backbone_are_those_of_its_network() -> None:
    assert set(FILE_BYTES) == set(BACKBONES)
    for name in ("resnet18", "resnet18-narrow"):
        values = build(name, seed=0).trunk.state_dict().values()
        assert FILE_BYTES[name] == sum(value.numel() * (2 if value.dim() > 1 else 4) for value in values)


def test_references_that_are_trained_are_counted(tmp_path: Path) -> None:
    """Scratch needs no training, fractals and dead leaves as much as a configuration."""
    sweep = Sweep(tmp_path, THREE)
    shop = sweep.shop("a")
    (recipe,) = sweep.spec.recipes
    row = {"recipe": recipe, "configuration": "00000000", "seed": 0, "attempt": "1", "status": "done"}
    known = pl.DataFrame([row | {"render_seconds": 1.0, "train_seconds": 9.0}])
    shop.store.add({"backbones": typed(known, schema.BACKBONES, "x")})
    timed = [row | {"task": "digits", "seconds": 0.5, "accuracy": 50.0, "seed": 9}]
    shop.store.add(
        {
            "rewards": typed(
                pl.DataFrame(timed).select("recipe", "task", "configuration", "seed", "seconds", "accuracy"),
                schema.REWARDS,
                "x",
            )
        }
    )
    found = estimate(sweep.units, shop)
    assert found.seconds - found.measuring == pytest.approx(10.0 * (3 + 2 * 3))
    assert found.measuring == pytest.approx(0.5 * len(sweep.units)), "scratch is measured, too"
    assert found.basis == "earlier attempts"
    assert found.disk == 9 * FILE_BYTES["resnet18-narrow"]
    assert estimate([], shop).seconds == 0
    scratch = estimate([unit for unit in sweep.units if unit.configuration == "scratch"], shop)
    assert scratch.seconds == scratch.measuring > 0


def test_what_is_missing_is_what_neither_the_store_nor_a_shard_has(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    units = [replace(unit, cells=(*unit.cells, ("digits", "logme"))) for unit in sweep.units]
    assert missing_units(units, RewardStore(tmp_path / "none.duckdb")) == units
    store = sweep.shop("a").store
    store.add({"rewards": rewards(sweep, "scratch")})
    write_shard(store, f"{units[1].name}-1-x", {"rewards": rewards(sweep, "00000000")})
    left = missing_units(units, store)
    assert [unit.cells for unit in left] == [*[(("digits", "logme"),)] * 2, units[2].cells, units[3].cells]
    assert [missing_units([unit], store) for unit in units] == [[unit] for unit in left], "alone as together"
    assert missing_units(sweep.units, store) == sweep.units[2:]
    assert missing_units(sweep.units[:1], store) == []


def test_status_and_a_dry_run_load_neither_torch_nor_a_renderer(tmp_path: Path) -> None:
    """With nothing to render: status of any store, and a dry run where attempts say what a configuration takes."""
    sweep = Sweep(tmp_path, SPEC)
    shop = sweep.shop("a")
    (recipe,) = sweep.spec.recipes
    row = {"recipe": recipe, "configuration": "00000000", "seed": 0, "attempt": "1", "status": "done"}
    known = pl.DataFrame([row | {"render_seconds": 1.0, "train_seconds": 9.0}])
    shop.store.add({"backbones": typed(known, schema.BACKBONES, "x"), "rewards": rewards(sweep, "00000000")})
    code = (
        "import sys\nfrom t2s_offline.cli import main\nsys.argv = ['t2s-offline', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'warp', 'tdw', 'trimesh', 'polars'} & set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else 0)"
    )
    for words in (["status"], ["sweep", "--dry-run", "--workers", "2"]):
        command = [sys.executable, "-c", code, words[0], str(sweep.path), "--store", str(shop.store.path), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert recipe in done.stdout


PAPER = Path(__file__).parents[2] / "sweeps" / "paper.toml"
SPEED = Speed(step=1e-3, feature=2e-4, head=1e-3, products=1e10)


def test_fine_tuning_of_the_paper_is_most_of_it() -> None:
    """Twenty tasks of the registry: 27 M pictures forwards and backwards a configuration, seven times its training."""
    recipe = next(iter(read_spec(PAPER).recipes.values()))
    sizes = [sizes_of(task.name, recipe, None) for task in PAPER_TASKS]
    tuned = sum(tuned_pictures(size, recipe) for size in sizes)
    trained = recipe.epochs * recipe.classes * recipe.images
    assert 27e6 < tuned < 32e6
    assert tuned > 6.5 * trained
    seconds = sum(measuring_seconds("finetune", size, recipe, SPEED) for size in sizes)
    assert seconds > 6 * making_seconds(recipe, SPEED, 0.0)
    linear = sum(measuring_seconds("linear", size, recipe, SPEED) for size in sizes)
    assert seconds / 8 < linear < seconds / 2, "forwards alone"


def test_measuring_grows_with_what_is_measured() -> None:
    small, large = Sizes(100, 20, 50, 10), Sizes(1000, 200, 500, 10)
    for recipe in (Recipe(), Recipe(val_by="folds"), Recipe(linear_solver="sgd"), Recipe(linear_solver="task2sim")):
        for metric in METRICS:
            few, many = (measuring_seconds(metric, size, recipe, SPEED) for size in (small, large))
            assert 0 < 8 * few < many


def test_pictures_of_tasks_are_counted_without_reading_them(tmp_path: Path) -> None:
    label = np.arange(40) % 4
    np.savez(tmp_path / "arrays.npz", x_train=np.zeros((40, 8, 8, 3), np.uint8), y_train=label)
    for number in range(24):
        file = tmp_path / "files" / ("train" if number < 16 else "test") / str(number % 2) / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    recipe = Recipe()
    assert sizes_of("arrays", recipe, tmp_path) == Sizes(26, 6, 8, 4)
    assert sizes_of("files", recipe, tmp_path) == Sizes(13, 3, 8, 2, files=True)
    digits = sizes_of("digits", recipe, None)
    real = load_task("digits", 8).parts
    assert (digits.train, digits.val, digits.test) == pytest.approx([len(part) for part in real.values()], abs=6)
    assert sizes_of("digits", Recipe(eval_pictures=100), None).whole == 300
    assert sizes_of("nobody's", recipe, None).whole > 0


def test_memory_is_bounded_and_said(tmp_path: Path) -> None:
    """Twenty tasks at 224 px are more than a worker keeps: the rest is read from files that all workers share."""
    sweep = Sweep(tmp_path)
    recipe = next(iter(read_spec(PAPER).recipes.values()))
    shop = replace(sweep.shop("a"), recipes={"paper": recipe}, workers=4)
    cells = tuple((task.name, "finetune") for task in PAPER_TASKS)
    shop.store.add({"rewards": typed(
        pl.DataFrame([{"recipe": "paper", "task": task, "configuration": "00000000", "metric": metric, "accuracy": 1.0,
                       "seconds": 1.0} for task, metric in cells]), schema.REWARDS, "x")})  # fmt: skip
    found = estimate([Unit("paper", "scratch", 0, cells)], shop)
    rendered = 100 * 400 * 3 * 256**2
    assert found.memory == rendered + memory_share(4)
    assert found.mapped > 50e9
