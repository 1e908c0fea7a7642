"""The answer after a set of backbones was measured at once by several metrics, and a replay of that on a table.

`shortlist.py` measures one backbone after another by one metric. Where features cost little, as those of kept backbones
do, a fixed portfolio is measured by every metric that the table has, `quality.py` makes one estimate of each, and the
surrogate's belief is conditioned on all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from t2s_offline.learners.baselines import greedy_portfolio
from t2s_offline.learners.posterior import Belief
from t2s_offline.learners.quality import FEWEST, Quality, fit_quality
from t2s_offline.learners.surrogate import SurrogatePolicy
from t2s_offline.matrix import RewardMatrix

Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MeasuredAnswer:
    """answer: index of the configuration; index_K: what was measured, estimate_K: its estimates of the target metric in
    percent, noise_sd: their SD; mean_C, sd_C: every configuration's reward afterwards, in percent."""

    answer: int
    index_K: Ints
    estimate_K: Float64
    noise_sd: float
    mean_C: Float64
    sd_C: Float64


def conditioned(
    belief: Belief, index_K: Ints, signal: Mapping[str, Float64], quality: Quality | None, noise_sd: float
) -> MeasuredAnswer:
    """The answer given what was measured. signal: val values by metric, the target first, each (K,).

    quality: None, or fewer than FEWEST backbones, counts the target metric alone, with `noise_sd` in percent. The
    answer is the measured configuration of highest posterior mean, or without any the one of highest prior mean.
    """
    target_K = next(iter(signal.values()))
    if quality is not None and len(index_K) >= FEWEST:
        target_K, noise_sd = quality.estimate(signal)
    mean_C, sd_C = belief.given(index_K, target_K, noise_sd=noise_sd).reward()
    # the prior mean includes the level, the same for all: without measurements rank by the standardised mean
    answer = int(index_K[mean_C[index_K].argmax()]) if len(index_K) else int(belief.mean_C.argmax())
    return MeasuredAnswer(answer, index_K, np.asarray(target_K, dtype=np.float64), noise_sd, mean_C, sd_C)


def improvement(belief: Belief, found: MeasuredAnswer | None) -> Float64:
    """What measuring each configuration next is expected to gain over the answer, in percent, shape (C,). Before
    anything was measured it is the standardised mean: what would be answered is measured first."""
    if found is None or not len(found.index_K):
        return belief.mean_C
    posterior = belief.given(found.index_K, found.estimate_K, noise_sd=found.noise_sd)
    return posterior.expected_improvement(float(found.mean_C[found.index_K].max()))


def taught_quality(matrices: Mapping[str, RewardMatrix], tasks: Sequence[str]) -> Quality | None:
    """The weights of the metrics that `tasks` teach, target first; None where the table has one metric or too few
    cells with all."""
    if len(matrices) < 2:
        return None
    target = next(iter(matrices.values()))
    common = [task for task in tasks if all(task in matrix.tasks for matrix in matrices.values())]
    chosen = {name: matrix.select(common) for name, matrix in matrices.items()} if common else {}
    signal = {name: matrix.signal_TC for name, matrix in chosen.items()}
    whole = [np.isfinite(np.stack([value[row] for value in signal.values()])).all(axis=0) for row in range(len(common))]
    if not any(known_C.sum() >= FEWEST for known_C in whole):
        return None
    return fit_quality(signal, target.select(common).reward_TC)


def portfolio_order(matrix: RewardMatrix, allowed_C: npt.NDArray[np.bool_]) -> Ints:
    """The allowed configurations in the order in which they join a greedy portfolio for the tasks of `matrix`."""
    if not allowed_C.any():
        return np.zeros(0, dtype=np.int64)
    order = greedy_portfolio(np.where(allowed_C, matrix.signal_TC, np.nan))
    return order[allowed_C[order]]


def chosen_one_by_one(
    belief: Belief,
    at: Mapping[str, Float64],
    allowed_C: npt.NDArray[np.bool_],
    count: int,
    quality: Quality | None,
    noise: Callable[[float], float],
) -> MeasuredAnswer:
    """What measuring `count` allowed configurations leads to, each the one of highest expected improvement. at: val
    values by metric, target first, each (C,); noise: SD of one measurement of the target by its mean, percent."""
    target_C = next(iter(at.values()))
    found = conditioned(belief, np.zeros(0, dtype=np.int64), {name: np.zeros(0) for name in at}, quality, 0.0)
    for _ in range(min(count, int(allowed_C.sum()))):
        gain_C = np.where(allowed_C, improvement(belief, found), -np.inf)
        gain_C[found.index_K] = -np.inf
        index_K = np.r_[found.index_K, gain_C.argmax()]
        values = {name: value_C[index_K] for name, value_C in at.items()}
        found = conditioned(belief, index_K, values, quality, noise(float(target_C[index_K].mean())))
    return found


def replay_portfolio(
    policy: SurrogatePolicy,
    unit_D: npt.NDArray[np.float32],
    matrices: Mapping[str, RewardMatrix],
    train: Sequence[str],
    test: str,
    count: int,
) -> MeasuredAnswer:
    """What measuring a portfolio of `count`, chosen on `train`, leads to on the table's task `test`; target first."""
    target = next(iter(matrices.values()))
    at = {name: matrix.signal_TC[matrix.position(test)] for name, matrix in matrices.items()}
    allowed_C = np.isfinite(np.stack(list(at.values()))).all(axis=0)
    allowed_C &= np.isfinite(target.reward_TC[target.position(test)])
    index_K = portfolio_order(target.select(train), allowed_C)[:count]
    signal = {name: value_C[index_K] for name, value_C in at.items()}
    noise = policy.noise.at(target.pictures_T[target.position(test)])
    level = float(next(iter(signal.values())).mean()) if len(index_K) else 50.0
    return conditioned(
        policy.belief(unit_D),
        index_K,
        signal,
        taught_quality(matrices, train),
        noise(level) if callable(noise) else noise,
    )
