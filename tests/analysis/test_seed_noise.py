"""Variance components on planted tables, the permutation test's false alarms, Holm by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.analysis import seed_noise as noise
from t2s_offline.errors import BadInput
from t2s_offline.matrix import RewardMatrix
from t2s_offline.space import TASK2SIM, SimSpace


def planted(signal: float, sd: float, configurations: int, seeds: int, rng: np.random.Generator, tasks: int = 1):
    """accuracy (T, 256, S) = 40 + configuration + a large seed effect + noise; the second half lacks the last seed."""
    accuracy_TCS = np.full((tasks, len(TASK2SIM), seeds), np.nan)
    for row in range(tasks):
        own_C1 = rng.normal(0, signal, (configurations, 1))
        shared_S = rng.normal(0, 5, seeds)
        accuracy_TCS[row, :configurations] = 40 + own_C1 + shared_S + rng.normal(0, sd, (configurations, seeds))
    accuracy_TCS[:, configurations // 2 : configurations, -1] = np.nan
    return RewardMatrix("r", "knn5", TASK2SIM, tuple(f"t{row}" for row in range(tasks)), accuracy_TCS)


def test_both_variances_are_found_with_gaps_and_a_seed_that_shifts_everything() -> None:
    rng = np.random.default_rng(0)
    found = noise.components(planted(3.0, 2.0, 64, 2, rng, tasks=60), permutations=99, rng=rng)
    signal, cell = np.mean([[c.signal_sd**2, c.noise_sd**2] for c in found], axis=0)
    # the mean of 60 estimates: standard errors of some 3 and 4 %
    assert signal == pytest.approx(9.0, rel=0.12)
    assert cell == pytest.approx(4.0, rel=0.15)
    assert found[0].configurations == 64
    assert found[0].seeds == 2


def test_a_balanced_table_gives_the_textbook_mean_squares() -> None:
    value_CS = np.array([[1.0, 3.0], [5.0, 6.0], [2.0, 7.0]])
    at, seed = np.indices(value_CS.shape).reshape(2, -1)
    grand, row, column = value_CS.mean(), value_CS.mean(axis=1), value_CS.mean(axis=0)
    between = 2 * ((row - grand) ** 2).sum() / 2
    residual = ((value_CS - row[:, None] - column + grand) ** 2).sum() / 2
    signal, cell = noise.variance_components(value_CS.ravel(), at, seed)
    assert cell == pytest.approx(residual)
    assert signal == pytest.approx(max((between - residual) / 2, 0.0))


def test_noise_alone_is_called_a_signal_no_more_often_than_it_says() -> None:
    rng = np.random.default_rng(1)
    found = noise.components(planted(0.0, 2.0, 32, 2, rng, tasks=300), permutations=199, rng=rng)
    share = np.mean([c.p < 0.05 for c in found])
    assert share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert sum(c.clear for c in found) <= 1  # family-wise


def test_a_strong_signal_is_clear() -> None:
    rng = np.random.default_rng(2)
    found = noise.components(planted(4.0, 1.0, 32, 2, rng, tasks=3), permutations=999, rng=rng)
    assert all(c.clear and c.p == pytest.approx(1 / 1000) for c in found)


def test_holm_by_hand() -> None:
    assert noise.holm([0.01, 0.04, 0.03, float("nan")])[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(noise.holm([0.01, float("nan")])[1])


def test_one_seed_cannot_tell_noise_from_signal() -> None:
    rng = np.random.default_rng(3)
    matrix = planted(3.0, 1.0, 32, 1, rng)
    with pytest.raises(BadInput, match="one seed"):
        noise.components(matrix, rng=rng)


def test_rows_put_the_clearest_first() -> None:
    rng = np.random.default_rng(4)
    found = noise.components(planted(3.0, 1.0, 32, 2, rng, tasks=4), permutations=99, rng=rng)
    columns, rows = noise.component_rows(found)
    ratios = [row[columns.index("signal_sd")] / row[columns.index("noise_sd")] for row in rows]  # type: ignore[operator]
    assert ratios == sorted(ratios, reverse=True)


def counted(val_TCS: np.ndarray, pictures: list[float] | None) -> RewardMatrix:
    tasks = tuple(f"t{row}" for row in range(len(val_TCS)))
    space = SimSpace.parse("a:2,b:2")
    n_val = None if pictures is None else np.array(pictures)
    return RewardMatrix("r", "knn5", space, tasks, val_TCS + 5, val_TCS, None, n_val)


def test_a_cell_is_as_noisy_as_its_pictures_or_its_seeds_the_larger_of_both() -> None:
    one_TCS = np.array([[[50.0], [60.0], [40.0], [50.0]]])
    single = noise.CellNoise.of(counted(one_TCS, [100]))
    assert (single.seed_sd, single.ratio) == (0, 0)
    binomial = 1e4 * 0.25 / 100
    assert single.at(100)(50) == pytest.approx(5.0)
    assert single.at(400)(50) == pytest.approx(2.5)
    assert single.variance(50, 100, 2) == pytest.approx(binomial), "another seed sees the same pictures"
    assert replace(single, share=0.5).variance(50, 100) == pytest.approx(binomial / 2)
    assert 0 < single.at(100)(100) < 1.5, "none wrong of a hundred is not exact"
    assert single.at(float("nan"))(50) == 0

    few = noise.CellNoise.of(counted(np.array([[[50.0, 52.0], [60.0, 58.0], [40.0, 42.0], [50.0, 48.0]]]), [100]))
    assert few.seed_sd == pytest.approx(np.sqrt(2))
    assert few.ratio == pytest.approx(2 / binomial)
    assert few.variance(50, 100) == pytest.approx(binomial)
    assert few.variance(50, 100, 2) == pytest.approx(binomial - 1)

    wild = noise.CellNoise.of(counted(np.array([[[40.0, 60.0], [60.0, 40.0], [40.0, 60.0], [50.0, 50.0]]]), [100]))
    assert wild.variance(50, 100) == pytest.approx(150)
    assert wild.variance(50, 100, 2) == pytest.approx(75)
    unknown = noise.CellNoise.of(counted(np.array([[[50.0, 52.0], [60.0, 58.0], [40.0, 42.0], [50.0, 48.0]]]), None))
    assert unknown.variance(50, float("nan")) == unknown.variance(50, 100) == pytest.approx(2)


def test_the_number_of_seeds_is_a_harmonic_mean_over_cells() -> None:
    nan = np.nan
    val_TCS = np.array([[[1.0, 2.0], [1.0, nan], [nan, nan], [1.0, 2.0]], [[nan, nan]] * 4])
    assert noise.seeds_T(counted(val_TCS, None)).tolist() == pytest.approx([1.5, 1.0])
