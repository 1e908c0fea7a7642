"""Oracles that noise does not help: what the best configuration of a task is worth.

The plain oracle is the highest of many noisy means. It is too high by what noise adds to the highest, so every learner
has a regret against it that no choice could take away. Two figures say how much. The cross-fitted oracle is chosen on
some seeds and scored on the seed that is left, averaged over the seeds: its expectation is what such a choice obtains,
a little below the best true mean. The floor is the regret, against the plain oracle, of somebody who knows every true
mean, by simulation from the signal and the noise of the table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis.posterior import Known, known_of
from t2s_offline.errors import BadInput
from t2s_offline.matrix import RewardMatrix
from t2s_offline.seeds import derive_rng

Float64 = npt.NDArray[np.float64]

SIMULATIONS = 2_000


@dataclass(frozen=True)
class Floor:
    """Of somebody who knows every true mean, on a table like this: reward and regret against the plain oracle in
    percent, and regret over (best - mean of all configurations)."""

    task: str
    reward: float
    regret: float
    normalised: float


def cross_fitted_T(matrix: RewardMatrix) -> Float64 | None:
    """Test accuracy of each task's best configuration, chosen on all seeds but one and scored on that one, mean over
    seeds, in percent (T,). None unless every configuration that all tasks have has two seeds or more on all of them."""
    whole = seeds_of_all(matrix)
    if len(whole) < 2:
        return None
    value_TCS = matrix.accuracy_TCS[:, matrix.measured_C][:, :, whole]
    scored = []
    for at in range(len(whole)):
        chosen_T = np.delete(value_TCS, at, axis=2).mean(axis=2).argmax(axis=1)
        scored.append(np.take_along_axis(value_TCS[:, :, at], chosen_T[:, None], axis=1)[:, 0])
    return np.asarray(np.mean(scored, axis=0))


def seeds_of_all(matrix: RewardMatrix) -> npt.NDArray[np.int64]:
    """Seeds that every configuration that all tasks have is measured with on every task, as indices."""
    if not matrix.measured_C.any():
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(~np.isnan(matrix.accuracy_TCS[:, matrix.measured_C]).any(axis=(0, 1)))


def floor_of(matrix: RewardMatrix, task: str) -> Floor:
    """The floor of one task. BadInput where its noise is not known (`posterior.known_of`)."""
    return simulate(known_of(matrix, task), derive_rng("floor", matrix.recipe, matrix.metric, task))


def simulate(known: Known, rng: np.random.Generator, count: int = SIMULATIONS) -> Floor:
    """Draw true means given the table, measure them again with its noise, and ask for the regret of the truly best."""
    true_DN = known.draw(count, rng)
    seen_DN = true_DN + rng.standard_normal(true_DN.shape) * np.sqrt(known.error_N)
    best_D, mean_D = seen_DN.max(axis=1), seen_DN.mean(axis=1)
    reward_D = np.take_along_axis(seen_DN, true_DN.argmax(axis=1)[:, None], axis=1)[:, 0]
    regret_D, spread_D = best_D - reward_D, best_D - mean_D
    normalised_D = np.divide(regret_D, spread_D, out=np.zeros_like(regret_D), where=spread_D > 0)
    return Floor(known.task, float(reward_D.mean()), float(regret_D.mean()), float(normalised_D.mean()))


def floors(matrix: RewardMatrix) -> tuple[Floor, ...] | None:
    """The floor of every task, on the configurations that all tasks have; None where the noise of one is not known."""
    whole = only_measured(matrix)
    try:
        return tuple(floor_of(whole, task) for task in whole.tasks)
    except BadInput:
        return None


def only_measured(matrix: RewardMatrix) -> RewardMatrix:
    """The rewards of configurations that all tasks have."""
    from t2s_offline.analysis.ties import restrict

    return restrict(matrix, np.flatnonzero(matrix.measured_C))
