"""A cell of a shipped table is made again from its recipe: rendered, pre-trained and measured here."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2s_offline.analysis import seed_noise
from t2s_offline.recipe import Recipe
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.sweep.run_unit import run_unit
from t2s_offline.sweep.worker import SweepContext, Unit, processor

TINY = Path(__file__).parents[1] / "tables" / "tiny"
TASK = "digits"  # its pictures are embedded


def test_a_tiny_cell_is_made_again(tmp_path: Path) -> None:
    table = RewardStore(TINY)
    name, space = table.recipe(None)
    frame = table.frame("rewards").filter(pl.col("task") == TASK, pl.col("metric") == "knn5", pl.col("seed") == 0)
    cell = frame.filter(~pl.col("configuration").is_in(["scratch"])).sort("configuration").row(0, named=True)
    recipe = Recipe.from_contents(table.frame("recipes")["contents"][0])
    store = RewardStore(tmp_path / "again.duckdb")
    store.add({"recipes": table.frame("recipes")})
    shop = SweepContext(store, {name: recipe}, space, "cpu")
    outcome = run_unit(Unit(name, cell["configuration"], 0, ((TASK, "knn5"),)), shop)
    assert outcome.status == "done", outcome.error
    shard = next((tmp_path / "again.duckdb.spool").glob("*/rewards.parquet"))
    again = pl.read_parquet(shard).row(0, named=True)

    made = table.frame("backbones").filter(pl.col("configuration") == cell["configuration"], pl.col("seed") == 0)
    versions = json.loads(made["versions"][0])
    same = made["device"][0] == f"cpu ({processor()})" and versions["torch"] == version("torch")
    if same:
        assert (again["accuracy"], again["val_accuracy"]) == (cell["accuracy"], cell["val_accuracy"])
    # another processor rounds differently: the difference of two seeds then bounds it
    found = seed_noise.components(table.matrix().select([TASK]), permutations=1, rng=np.random.default_rng(0))
    assert again["accuracy"] == pytest.approx(cell["accuracy"], abs=4 * np.sqrt(2) * found[0].noise_sd)
