"""Draws from a task's posterior agree with its means and SDs, and show what goes together."""

from __future__ import annotations

import numpy as np

from t2s_offline.analysis.walsh import DiffusionKernel
from t2s_offline.learners.posterior import Belief, Level
from t2s_offline.space import TASK2SIM

SPACE = TASK2SIM


def belief() -> Belief:
    kernel = DiffusionKernel(SPACE, 0.3, np.full(8, 0.5), 0.05)
    mean_C = np.random.default_rng(0).normal(size=256) * 0.5
    factor_FC = np.random.default_rng(1).normal(size=(3, 256)) * 0.3
    return Belief(kernel, 0.7, factor_FC, np.full(256, 0.01), mean_C, Level(60.0, 15.0, 1.0, 0.4))


def test_draws_have_the_means_and_deviations_of_the_posterior() -> None:
    prior, index_K = belief(), np.array([3, 100, 255, 17])
    reward_K = np.array([70.0, 66.0, 73.0, 69.0])
    for chosen in (0, 4):
        given = index_K[:chosen], reward_K[:chosen]
        mean_C, sd_C = prior.given(*given, noise_sd=1.0).reward()
        drawn_NC = prior.draw_given(*given, 20_000, np.random.default_rng(2), noise_sd=1.0)
        assert drawn_NC.shape == (20_000, 256)
        assert np.abs(drawn_NC.mean(axis=0) - mean_C).max() < 5 * sd_C.max() / np.sqrt(20_000)
        assert np.abs(drawn_NC.std(axis=0) / sd_C - 1).max() < 0.06


def test_a_difference_is_surer_than_the_levels() -> None:
    """Before anything is measured the level is unknown, but not the difference of two neighbours."""
    none = np.zeros(0, dtype=np.int64), np.zeros(0)
    drawn_NC = belief().draw_given(*none, 4000, np.random.default_rng(3))
    assert (drawn_NC[:, 0] - drawn_NC[:, 1]).std() < 0.5 * drawn_NC[:, 0].std()
