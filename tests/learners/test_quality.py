"""Metrics weighed together: what is planted comes out, and a noisy metric alone is beaten."""

from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.quality import fit_quality


def planted(
    tasks: int, configurations: int, noise: tuple[float, ...], seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Metrics that see the same true quality with their own noise and scale; and its test accuracy in percent."""
    rng = np.random.default_rng(seed)
    true_TC = rng.normal(size=(tasks, configurations))
    level_T1, scale_T1 = rng.uniform(20, 80, (tasks, 1)), rng.uniform(1, 8, (tasks, 1))
    signal = {
        f"m{place}": (10.0**place) * (level_T1 + scale_T1 * (true_TC + sd * rng.normal(size=true_TC.shape)))
        for place, sd in enumerate(noise)
    }
    return signal, level_T1 + scale_T1 * true_TC


def test_the_quieter_metric_gets_the_weight_and_the_estimate_is_better_than_the_target_alone() -> None:
    signal, reward_TC = planted(40, 60, (1.0, 0.3), 0)
    quality = fit_quality({name: value[:30] for name, value in signal.items()}, reward_TC[:30])
    assert quality.weight_M[1] > 3 * quality.weight_M[0] > 0
    combined, alone = [], []
    for task in range(30, 40):
        estimate_K, sd = quality.estimate({name: value[task, :8] for name, value in signal.items()})
        truth_K = reward_TC[task, :8]
        combined.append(np.corrcoef(estimate_K, truth_K)[0, 1])
        alone.append(np.corrcoef(signal["m0"][task, :8], truth_K)[0, 1])
        assert sd > 0
        assert abs(estimate_K.mean() - signal["m0"][task, :8].mean()) < 1e-9, "the level is the target's own"
    assert np.mean(combined) > np.mean(alone) + 0.1


def test_its_error_is_about_what_it_says() -> None:
    signal, reward_TC = planted(60, 200, (0.5, 0.5), 1)
    quality = fit_quality(signal, reward_TC)
    errors = []
    for task in range(60):
        estimate_C, sd = quality.estimate({name: value[task] for name, value in signal.items()})
        errors.append((estimate_C - estimate_C.mean() - reward_TC[task] + reward_TC[task].mean()).std() / sd)
    assert 0.8 < np.mean(errors) < 1.25


def test_missing_cells_and_constant_tasks_are_left_out() -> None:
    signal, reward_TC = planted(6, 20, (0.5, 0.5), 2)
    signal["m1"][0, :19] = np.nan
    reward_TC[1] = 50.0
    assert np.isfinite(fit_quality(signal, reward_TC).weight_M).all()
    with pytest.raises(BadInput, match="sweep these metrics"):
        fit_quality({name: value[:2] for name, value in signal.items()}, reward_TC[:2])
    quality = fit_quality(signal, reward_TC)
    with pytest.raises(BadInput, match="expected 3"):
        quality.estimate({"m0": np.ones(2), "m1": np.ones(2)})
    with pytest.raises(BadInput, match="not a number"):
        quality.estimate({"m0": np.ones(4), "m1": np.full(4, np.nan)})
