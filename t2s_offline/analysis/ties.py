"""Can a winner be named? Noise of a cell, ties, and the sentence that says so.

Noise and ties are of a table's rewards; the sentence is of learners' normalised regrets on the same tasks. Differences
and their intervals are `intervals.paired`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis import walsh
from t2s_offline.analysis.intervals import paired
from t2s_offline.matrix import RewardMatrix

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HIGH_DEGREE = 5  # interactions of so many parameters and more are taken for noise when there is one seed


def warning(regret: Mapping[str, Float64]) -> str | None:
    """A line when the learner of least mean regret cannot be named the winner; None when it can.

    regret: (T,) or (T, S) each, T tasks and S seeds.
    """
    if len(regret) < 2:
        return None
    order = sorted(regret, key=lambda name: float(regret[name].mean()))
    best, tasks = order[0], len(regret[order[0]])
    unclear = [name for name in order[1:] if not paired(regret[name], regret[best]).clear]
    if not unclear:
        return None
    shown = ", ".join(unclear[:4]) + (f" and {len(unclear) - 4} more" if len(unclear) > 4 else "")
    return f"no winner can be named on {tasks} tasks: {best} is not clearly better than {shown}"


def noise_sd_T(matrix: RewardMatrix) -> tuple[Float64, str]:
    """SD of one cell's reward in percent for each task (T,), and how it was found: "seeds", "high degrees" or "none".

    With several seeds: pooled SD between seeds of a cell over root of seeds. With one, on a complete table of enough
    parameters: root mean square of the Walsh coefficients of degree 5 and up, an upper bound. Otherwise NaN.
    """
    known_TCS = ~np.isnan(matrix.accuracy_TCS)
    free_T = np.maximum(known_TCS.sum(axis=2) - 1, 0).sum(axis=1)
    if free_T.all():
        squares_T = np.nansum((matrix.accuracy_TCS - matrix.reward_TC[..., None]) ** 2, axis=(1, 2))
        per_cell_T = known_TCS.sum(axis=(1, 2)) / np.maximum(known_TCS.any(axis=2).sum(axis=1), 1)
        return np.sqrt(squares_T / free_T / per_cell_T), "seeds"
    if (high := high_degree_noise(matrix)) is not None:
        return high[0], "high degrees"
    return np.full(len(matrix.tasks), np.nan), "none"


def high_degree_noise(matrix: RewardMatrix) -> tuple[Float64, int] | None:
    """Upper bound of the SD of a cell's reward in percent (T,), from interactions of degree 5 and up, and its degrees
    of freedom. None unless every configuration is measured on all tasks and the space has so many parameters."""
    high_C = walsh.degree_C(matrix.space) >= HIGH_DEGREE
    if not high_C.any() or not np.isfinite(matrix.reward_TC).all():
        return None
    coefficient_TC = walsh.transform(matrix.reward_TC, matrix.space)
    return np.sqrt((coefficient_TC[:, high_C] ** 2).mean(axis=1)), int(high_C.sum())


def tied_TC(matrix: RewardMatrix, noise_T: Float64) -> npt.NDArray[np.bool_]:
    """Configurations within one noise SD of the task's best, shape (T, C); the best alone where noise is not known."""
    best_T1 = np.nanmax(matrix.reward_TC, axis=1, keepdims=True)
    return np.array(matrix.reward_TC >= best_T1 - np.nan_to_num(noise_T)[:, None])


def restrict(matrix: RewardMatrix, index_O: Ints) -> RewardMatrix:
    """The same rewards with all configurations but these missing: what a smaller sweep would have left."""
    keep_C = np.zeros(len(matrix.space), dtype=bool)
    keep_C[index_O] = True
    accuracy_TCS = np.where(keep_C[:, None], matrix.accuracy_TCS, np.nan)
    val_TCS = None if matrix.val_TCS is None else np.where(keep_C[:, None], matrix.val_TCS, np.nan)
    return replace(matrix, accuracy_TCS=accuracy_TCS, val_TCS=val_TCS)
