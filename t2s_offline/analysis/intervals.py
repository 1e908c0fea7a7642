"""95 % intervals of means over tasks, and over the seeds of a learner where it has several: the one place for them.

Values of T tasks, or of T tasks x S seeds, have a mean, its interval and the p of a mean of zero, by a studentised
bootstrap (bootstrap-t): each resample is divided by its own standard error, so that skewed values of 8 to 20 tasks are
covered at the nominal rate, which percentiles of resampled means do not do (docs/statistics.md has the simulation).

Two levels: tasks and seeds are drawn with replacement, independently, because all tasks of a split share the networks
of a seed. The standard error is that of a table of random rows and columns: rows + columns - what both count twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from t2s_offline.errors import BadInput

Float64 = npt.NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.95
FEWEST = 5  # tasks that can be resampled; of fewer, Student's t is wider and covers
EQUAL = 1e-9  # standard errors below this share of the mean are rounding


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval; low, high and p are NaN where there is one value alone. p: two-sided, of a mean of
    zero; below 5 % where the interval leaves out zero."""

    mean: float
    low: float
    high: float
    p: float = float("nan")

    @property
    def clear(self) -> bool:
        """The interval leaves out zero; never of one value alone."""
        return self.low > 0 or self.high < 0


def mean_interval(value: Float64, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Interval of the mean of `value`, (T,) tasks or (T, S) tasks x seeds, for new tasks and, where S > 1, new seeds.

    The same draws are used for every learner. One seed says nothing of the spread over seeds: the interval is then of
    that seed. Raises BadInput for an empty or a wrongly shaped array.
    """
    value_TS = value[:, None] if value.ndim == 1 else value
    if value_TS.ndim != 2 or not value_TS.size:
        raise BadInput(f"an interval of values of shape {value.shape}; expected one a task, or tasks x seeds")
    tasks, seeds = value_TS.shape
    mean, error = (float(part[0]) for part in _moments(value_TS, np.ones((1, tasks)), np.ones((1, seeds))))
    if tasks == 1:
        return Interval(mean, float("nan"), float("nan"))
    if error <= EQUAL * max(1.0, abs(mean)):
        return Interval(mean, mean, mean, float(abs(mean) <= EQUAL))
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    if tasks < FEWEST:
        below, above = student.ppf(tails, tasks - 1)
        p = 2 * float(student.sf(abs(mean) / error, tasks - 1))
    else:
        rng = np.random.default_rng(seed)
        drawn_RT = rng.multinomial(tasks, np.full(tasks, 1 / tasks), size=resamples).astype(np.float64)
        drawn_RS = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples).astype(np.float64)
        mean_R, error_R = _moments(value_TS, drawn_RT, drawn_RS)
        varied_R = error_R > EQUAL * error  # a resample of one task again and again has no standard error
        drawn_t = (mean_R[varied_R] - mean) / error_R[varied_R]
        below, above = np.quantile(drawn_t, tails)
        beyond = min(int((drawn_t >= mean / error).sum()), int((drawn_t <= mean / error).sum()))
        p = min(2 * (1 + beyond) / (1 + len(drawn_t)), 1.0)
    return Interval(mean, mean - float(above) * error, mean - float(below) * error, p)


def paired(first: Float64, second: Float64) -> Interval:
    """Mean over tasks of first minus second, task by task (and seed by seed): narrower than what two intervals suggest.

    Each (T,) or (T, S); one without seeds stands beside every seed of the other. Raises BadInput for other tasks, or
    another number of seeds.
    """
    both = [value[:, None] if value.ndim == 1 else value for value in (first, second)]
    alike = both[0].shape[1] == both[1].shape[1] or 1 in (both[0].shape[1], both[1].shape[1])
    if both[0].ndim != 2 or len(both[0]) != len(both[1]) or not len(both[0]) or not alike:
        raise BadInput(f"differences of shapes {first.shape} and {second.shape}; expected the same tasks for both")
    return mean_interval(both[0] - both[1])


def _moments(value_TS: Float64, drawn_RT: Float64, drawn_RS: Float64) -> tuple[Float64, Float64]:
    """Mean and its standard error (R,) of R resamples, given how often each task and each seed was drawn."""
    tasks, seeds = value_TS.shape
    task_RT = drawn_RS @ value_TS.T / seeds  # mean of each task over the seeds drawn
    mean_R = (drawn_RT * task_RT).sum(axis=1) / tasks
    between_R = (drawn_RT * (task_RT - mean_R[:, None]) ** 2).sum(axis=1)
    variance_R = between_R / (max(tasks - 1, 1) * tasks)
    if seeds > 1:
        seed_RS = drawn_RT @ value_TS / tasks
        over_R = (drawn_RS * (seed_RS - mean_R[:, None]) ** 2).sum(axis=1)
        total_R = (drawn_RT * (drawn_RS @ (value_TS**2).T)).sum(axis=1) - tasks * seeds * mean_R**2
        rest_R = np.maximum(total_R - seeds * between_R - tasks * over_R, 0.0) / (max(tasks - 1, 1) * (seeds - 1))
        variance_R = variance_R + np.maximum(over_R / ((seeds - 1) * seeds) - rest_R / (tasks * seeds), 0.0)
    return mean_R, np.sqrt(variance_R)
