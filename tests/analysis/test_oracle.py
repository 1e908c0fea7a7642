"""Oracles against planted tables whose true means are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2s_offline.analysis.oracle import cross_fitted_T, floor_of, floors, seeds_of_all
from t2s_offline.matrix import RewardMatrix
from t2s_offline.store import schema
from t2s_offline.store.import_export import complete
from t2s_offline.store.query import query
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from tests.planted import Planted, space_of

SPACE = space_of(2, 2, 2, 2, 2, 2)


def tables(noise_sd: float, *, tasks: int = 60, seeds: int = 2) -> tuple[np.ndarray, RewardMatrix]:
    """True means (T, C) and a table of them with noise and an effect of each seed on all cells of a task."""
    matrix, _ = Planted(SPACE, tasks=tasks, shared=0.0, group=0.0).draw(np.random.default_rng(7))
    rng = np.random.default_rng(8)
    shape = (tasks, len(SPACE), seeds)
    noisy_TCS = matrix.reward_TC[..., None] + rng.normal(0, noise_sd, shape) + rng.normal(0, 2, (tasks, 1, seeds))
    return matrix.reward_TC, replace(matrix, accuracy_TCS=noisy_TCS)


@pytest.mark.parametrize("noise_sd", [1.0, 3.0])
def test_the_cross_fitted_oracle_is_worth_what_its_choice_is_worth(noise_sd: float) -> None:
    true_TC, table = tables(noise_sd)
    found_T = cross_fitted_T(table)
    assert found_T is not None
    chosen_TS = table.accuracy_TCS.argmax(axis=1)
    added_T = table.accuracy_TCS.mean(axis=(1, 2)) - true_TC.mean(axis=1)  # what the seeds add to every cell
    worth_T = np.take_along_axis(true_TC, chosen_TS, axis=1).mean(axis=1) + added_T
    error = np.std(found_T - worth_T, ddof=1) / np.sqrt(len(found_T))
    assert abs(np.mean(found_T - worth_T)) < 4 * error, "no bias"
    assert found_T.mean() < (true_TC.max(axis=1) + added_T).mean(), "below the best true mean"
    plain_T = table.reward_TC.max(axis=1) - added_T - true_TC.max(axis=1)
    if noise_sd > 2:
        assert plain_T.mean() > 4 * plain_T.std() / np.sqrt(len(plain_T)), "which the plain oracle is above"


@pytest.mark.parametrize("noise_sd", [0.5, 1.0, 3.0])
def test_the_floor_is_the_regret_of_whoever_knows_the_truth(noise_sd: float) -> None:
    true_TC, table = tables(noise_sd)
    best_T = table.reward_TC.max(axis=1)
    obtained_T = np.take_along_axis(table.reward_TC, true_TC.argmax(axis=1)[:, None], axis=1)[:, 0]
    regret_T = best_T - obtained_T
    normalised_T = regret_T / (best_T - table.reward_TC.mean(axis=1))
    found = floors(table)
    assert found is not None
    told_T, told_normalised_T = np.array([(floor.regret, floor.normalised) for floor in found]).T
    for told, real in ((told_T, regret_T), (told_normalised_T, normalised_T)):
        error = np.std(told - real, ddof=1) / np.sqrt(len(real))
        assert abs(np.mean(told - real)) < 3.5 * error
        assert told.mean() == pytest.approx(real.mean(), rel=0.25)
    assert [floor.task for floor in found] == list(table.tasks)


def test_without_signal_the_floor_is_what_luck_adds() -> None:
    flat = Planted(SPACE, tasks=1).draw(np.random.default_rng(1))[0]
    noise = np.random.default_rng(2).normal(50, 1, (1, 64, 2))
    floor = floor_of(replace(flat, accuracy_TCS=noise), "task00")
    luck = np.random.default_rng(3).normal(0, 1 / np.sqrt(2), (4000, 64)).max(axis=1).mean()
    assert floor.regret == pytest.approx(luck, rel=0.15)
    assert floor.normalised == pytest.approx(1.0, abs=0.1), "knowing the truth is no better than chance"


def test_without_noise_there_is_no_floor() -> None:
    _, table = tables(0.0, tasks=3)
    found = floors(table)
    assert found is not None
    assert [floor.regret for floor in found] == pytest.approx([0, 0, 0], abs=1e-6)


def test_what_cannot_be_computed_is_not() -> None:
    _, table = tables(1.0, tasks=2)
    one = replace(table, accuracy_TCS=table.accuracy_TCS[:, :, :1])
    assert cross_fitted_T(one) is None
    gap = table.accuracy_TCS.copy()
    gap[0, 3, 1] = np.nan
    assert cross_fitted_T(replace(table, accuracy_TCS=gap)) is None, "an oracle over fewer configurations would flatter"
    gap[1, 3, 0] = gap[0, 3, 0] = np.nan
    assert cross_fitted_T(replace(table, accuracy_TCS=gap)) is not None, (
        "one that not all tasks have counts for nothing"
    )
    assert seeds_of_all(replace(table, accuracy_TCS=gap)).tolist() == [0, 1]
    fraction = one.accuracy_TCS.copy()
    fraction[:, 40:] = np.nan
    assert floors(replace(table, accuracy_TCS=fraction)) is None
    assert floors(one) is not None, "one seed, every configuration: interactions of high degree bound the noise"


def test_the_view_says_the_same(tmp_path: Path) -> None:
    _, table = tables(2.0, tasks=4)
    table.accuracy_TCS[3, 5, 1] = np.nan
    rows = [
        {"recipe": "r", "task": task, "configuration": configuration, "seed": seed, "accuracy": float(accuracy)}
        for task, accuracy_CS in zip(table.tasks, table.accuracy_TCS, strict=True)
        for configuration, accuracy_S in zip(SPACE, accuracy_CS, strict=True)
        for seed, accuracy in enumerate(accuracy_S)
        if np.isfinite(accuracy)
    ]
    store = RewardStore(tmp_path / "r.duckdb")
    rewards = typed(pl.DataFrame(rows), schema.REWARDS, "planted")
    store.add(complete({"rewards": rewards}, {}, "planted", SPACE))
    found = query(store, "SELECT task, accuracy, luck, seeds FROM cross_fitted ORDER BY task")[1]
    whole = replace(table, tasks=table.tasks[:3], accuracy_TCS=table.accuracy_TCS[:3])
    assert [row[0] for row in found] == list(whole.tasks), "not where a cell lacks a seed"
    assert [row[1] for row in found] == pytest.approx(cross_fitted_T(whole))
    assert [row[2] for row in found] == pytest.approx(whole.reward_TC.max(axis=1) - cross_fitted_T(whole))
