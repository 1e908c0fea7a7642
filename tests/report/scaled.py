"""A store of several recipes for tests of scaling: two configurations with known slopes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log2
from pathlib import Path

import numpy as np
import polars as pl

from t2s_offline.recipe import Recipe
from t2s_offline.space import TASK2SIM
from t2s_offline.store import import_export as exchange
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed

CHOSEN, EVERYTHING = "11000000", "11111111"
BASE = Recipe(classes=32, objects=20, images=192)
STEPS = {
    "images48": {"images": 48},
    "images96": {"images": 96},
    "images192": {},
    "images384": {"images": 384},
    "objects2": {"objects": 2, "images": 19},
    "objects5": {"objects": 5, "images": 48},
    "objects10": {"objects": 10, "images": 96},
    "classes8": {"classes": 8},
    "classes16": {"classes": 16},
    "classes64": {"classes": 64},
}
RECIPES = {name: Recipe(**({"classes": 32, "objects": 20, "images": 192} | step)) for name, step in STEPS.items()}  # type: ignore[arg-type]
IDS = {name: recipe.recipe_id(name) for name, recipe in RECIPES.items()}


def planted_rewards(
    *, rise: float, gap: float, closing: float, noise: float = 0.3, tasks: int = 24, seeds: int = 2
) -> list[dict[str, object]]:
    """Rows of every step: the chosen configuration gains `rise` points a doubling of the pictures; everything varied is
    `gap` points behind where there are 1,536 pictures and comes `closing` points nearer a doubling."""
    rng = np.random.default_rng(1)
    level_T = rng.uniform(20, 70, tasks)
    rows: list[dict[str, object]] = []
    for name, recipe in RECIPES.items():
        doublings = log2(recipe.classes * recipe.images / 1536)
        for task, level in enumerate(level_T):
            for seed in range(seeds):
                cell = {"recipe": IDS[name], "task": f"task{task:02}", "seed": seed, "metric": "knn5"}
                chosen = level + rise * doublings
                value = {CHOSEN: chosen, EVERYTHING: chosen - gap + closing * doublings}
                rows += [
                    {**cell, "configuration": configuration, "accuracy": accuracy + rng.normal(0, noise)}
                    for configuration, accuracy in value.items()
                ]
    return rows


def scaled_store(
    path: Path,
    rows: Iterable[Mapping[str, object]],
    recipes: Mapping[str, Recipe] = RECIPES,
    *,
    backbones: bool = False,
) -> RewardStore:
    """A store of these recipes, declared whether they have rows or not, as a sweep does."""
    declared = [
        {"recipe": IDS.get(name, name), "space": str(TASK2SIM), "contents": recipe.contents()}
        for name, recipe in recipes.items()
    ]
    frames = {
        "recipes": typed(pl.DataFrame(declared), schema.RECIPES, "planted"),
        "rewards": typed(pl.DataFrame([dict(row) for row in rows]), schema.REWARDS, "planted"),
    }
    if backbones:
        trained = [
            {"recipe": IDS[name], "configuration": configuration, "seed": seed, "attempt": "1", "status": "done",
             "train_accuracy": 90.0 + seed, "val_accuracy": 40.0 + seed, "render_seconds": 1.0, "train_seconds": 2.0}
            for name in recipes for configuration in (CHOSEN, EVERYTHING) for seed in range(2)
        ]  # fmt: skip
        frames["backbones"] = typed(pl.DataFrame(trained), schema.BACKBONES, "planted")
    store = RewardStore(path, lock_wait=0.2)
    store.add(exchange.complete(frames, {}, "planted"))
    return store
