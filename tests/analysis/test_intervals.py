"""Intervals of means: they cover planted truths of few, skewed tasks, seeds included."""

from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.analysis.intervals import mean_interval, paired
from t2s_offline.errors import BadInput


def covered(draw, truth: float, times: int = 300) -> float:
    rng, inside = np.random.default_rng(0), 0
    for _ in range(times):
        found = mean_interval(draw(rng), resamples=1000)
        inside += found.low <= truth <= found.high
    return inside / times


@pytest.mark.parametrize("tasks", [8, 12, 15, 20, 47])
def test_skewed_regrets_are_covered(tasks: int) -> None:
    """Gamma of shape 1.5, skew 1.6; percentile intervals cover 0.85 to 0.91 of 8 to 20 tasks."""
    assert covered(lambda rng: rng.gamma(1.5, 0.4, tasks), 0.6) >= 0.92


def test_the_spread_over_seeds_is_held() -> None:
    """A seed moves all tasks together: over tasks alone an interval covers 0.81 here."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        return 0.6 + rng.normal(0, 0.35, (20, 1)) + rng.normal(0, 0.25, (1, 8)) + rng.normal(0, 0.25, (20, 8))

    assert covered(draw, 0.6) >= 0.92
    one = draw(np.random.default_rng(1))
    both, tasks_alone = mean_interval(one), mean_interval(one.mean(axis=1))
    assert both.mean == pytest.approx(tasks_alone.mean)
    assert both.high - both.low > tasks_alone.high - tasks_alone.low


def test_few_tasks_and_equal_values() -> None:
    one = mean_interval(np.array([0.4]))
    assert one.mean == 0.4
    assert np.isnan([one.low, one.high]).all()
    assert not one.clear, "one task decides nothing"
    two = mean_interval(np.array([0.1, 0.9]))
    assert two.low < -1, "of two tasks Student's t is wide; resampling two values would give no width at all"
    flat = mean_interval(np.full(9, 1.0) + np.linspace(0, 1e-15, 9))
    assert flat.low == flat.high == pytest.approx(1)


def test_most_regrets_zero_give_finite_intervals() -> None:
    found = mean_interval(np.r_[np.zeros(17), 0.02, 0.05, 0.4])
    assert 0 <= max(found.low, 0) < found.mean < found.high < 20


def test_differences_are_paired_by_task_and_seed() -> None:
    rng = np.random.default_rng(0)
    hard_T = rng.normal(0, 5, 20)
    better_TS = hard_T[:, None] + 1 + rng.normal(0, 0.1, (20, 4))
    assert paired(better_TS, hard_T).clear
    assert paired(hard_T, better_TS).high < 0
    assert not paired(hard_T, hard_T).clear
    for other in (hard_T[:3], np.zeros((20, 3)), np.zeros((20, 2, 2))):
        with pytest.raises(BadInput, match="same tasks"):
            paired(better_TS, other)
    with pytest.raises(BadInput, match="one a task"):
        mean_interval(np.zeros(0))


def test_the_same_values_give_the_same_interval() -> None:
    value_TS = np.random.default_rng(3).gamma(1, 1, (12, 3))
    assert mean_interval(value_TS) == mean_interval(value_TS)


def test_p_goes_with_the_interval() -> None:
    """Below 5 % where the interval leaves out zero, for few and many tasks; uniform where there is nothing."""
    rng = np.random.default_rng(3)
    for tasks in (3, 8, 30):
        for shift in (0.0, 0.3, 0.6, 1.0):
            interval = mean_interval(rng.gamma(1.5, 0.5, tasks) - 0.75 + shift)
            assert (interval.p < 0.05) == interval.clear
    p = [mean_interval(rng.standard_normal(20), resamples=1000).p for _ in range(200)]
    assert np.mean(np.array(p) < 0.05) <= 0.10
    assert 0.4 < np.mean(p) < 0.6
    assert np.isnan(mean_interval(np.array([1.0])).p)
    assert mean_interval(np.zeros(9)).p == 1
    assert mean_interval(np.ones(9)).p == 0
