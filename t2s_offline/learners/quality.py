"""Several metrics of the same features as one estimate of what a backbone is worth on a task.

5-NN, the linear probe and LogME look at the same features of the same pictures and err in different ways. On the
training tasks a regression finds how they predict the target metric's test accuracy. Everything is standardised within
a task over its configurations first (minus the mean, over the SD), so weights learned on one task hold for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput

Float64 = npt.NDArray[np.float64]

#: Backbones without which standardising within a task says little; fewer are judged by the target metric alone.
FEWEST = 3
#: Added to the regression's diagonal, in tasks' worth of configurations, so that two metrics that agree share weight.
RIDGE = 0.1


@dataclass(frozen=True)
class Quality:
    """Weights of the metrics, the target first. residual: SD of the target's standardised test accuracy about the
    estimate; ratio: median over tasks of the target's SD over configurations on test by that on val."""

    metrics: tuple[str, ...]
    weight_M: Float64
    residual: float
    ratio: float

    def estimate(self, signal: Mapping[str, Float64]) -> tuple[Float64, float]:
        """Estimates of the target metric of K backbones on a new task in percent, shape (K,), and their SD in percent.

        signal: val values by metric, each (K,). BadInput for fewer than FEWEST backbones, or what is no number.
        """
        target_K = np.asarray(signal[self.metrics[0]], dtype=np.float64)
        if len(target_K) < FEWEST:
            raise BadInput(f"{len(target_K)} measured backbones; expected {FEWEST} or more to weigh metrics")
        value_MK = np.stack([np.asarray(signal[metric], dtype=np.float64) for metric in self.metrics])
        if not np.isfinite(value_MK).all():
            raise BadInput("a measured value is not a number; measure the backbones again")
        spread = max(float(target_K.std()) * self.ratio, 1e-6)
        return target_K.mean() + spread * (self.weight_M @ _standard(value_MK)), self.residual * spread


def fit_quality(signal: Mapping[str, Float64], reward_TC: Float64) -> Quality:
    """The weights that the training tasks teach. signal: val values by metric, target first, each (T, C); reward_TC:
    test accuracy of the target in percent, NaN where missing. BadInput when no task has FEWEST complete cells."""
    metrics = tuple(signal)
    rows, targets, ratios = [], [], []
    for task in range(len(reward_TC)):
        value_MC = np.stack([signal[metric][task] for metric in metrics])
        known_C = np.isfinite(value_MC).all(axis=0) & np.isfinite(reward_TC[task])
        if known_C.sum() < FEWEST or not reward_TC[task, known_C].std() or not value_MC[0, known_C].std():
            continue
        rows.append(_standard(value_MC[:, known_C]))
        targets.append(_standard(reward_TC[task, known_C]))
        ratios.append(reward_TC[task, known_C].std() / value_MC[0, known_C].std())
    if not rows:
        raise BadInput(f"no task has {FEWEST} configurations with {', '.join(metrics)}: sweep these metrics first")
    x_MN, y_N = np.concatenate(rows, axis=1), np.concatenate(targets)
    ridge = RIDGE * len(y_N) / len(rows) * np.eye(len(metrics))
    weight_M = np.asarray(np.linalg.solve(x_MN @ x_MN.T + ridge, x_MN @ y_N), dtype=np.float64)
    residual = float(np.sqrt(np.mean((y_N - weight_M @ x_MN) ** 2)))
    return Quality(metrics, weight_M, residual, float(np.median(ratios)))


def _standard(value: Float64) -> Float64:
    """Minus the mean, over the SD along the last axis; a constant row becomes zeros."""
    sd = value.std(axis=-1, keepdims=True)
    out: Float64 = (value - value.mean(axis=-1, keepdims=True)) / np.where(sd > 1e-12, sd, np.inf)
    return out
