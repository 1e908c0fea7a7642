"""What is known of the true mean of each configuration on a task: a normal model with one noise for all cells.

accuracy = configuration + seed + noise. The noise of a cell is pooled over configurations, which two seeds allow; the
true means of configurations are taken as normal about the task's mean with the variance that `seed_noise.py` finds, so
that estimates are pulled towards that mean by as much as noise made them differ (empirical Bayes; Efron and Morris
1973). With one seed and every configuration, interactions of degree 5 and up stand for noise: an upper bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from t2s_offline.analysis.ranks import REACH, Ranking, rank
from t2s_offline.analysis.seed_noise import variance_components
from t2s_offline.analysis.ties import high_degree_noise
from t2s_offline.errors import BadInput
from t2s_offline.matrix import RewardMatrix, mean_over_seeds
from t2s_offline.seeds import derive_rng

Float64 = npt.NDArray[np.float64]

DRAWS = 4_000


@dataclass(frozen=True)
class Known:
    """Configurations of one task, of which N are measured. index_N: which; mean_N: mean over seeds, percent, without
    what a seed adds to all; seeds_N: how many; signal, noise: variances of the true means and of a cell; free: degrees
    of freedom of the noise."""

    task: str
    index_N: npt.NDArray[np.int64]
    mean_N: Float64
    seeds_N: Float64
    signal: float
    noise: float
    free: int

    @property
    def error_N(self) -> Float64:
        """Variance of each mean about the true one, shape (N,)."""
        return self.noise / self.seeds_N

    @property
    def kept_N(self) -> Float64:
        """The share of a configuration's distance from the task's mean that is signal, shape (N,)."""
        total_N = self.signal + self.error_N
        return np.divide(self.signal, total_N, out=np.zeros_like(total_N), where=total_N > 0)

    def draw(self, count: int, rng: np.random.Generator) -> Float64:
        """True means as they may be, given what was measured, shape (count, N)."""
        centre = float(np.average(self.mean_N, weights=1 / (self.signal + self.error_N + 1e-12)))
        pulled_N = centre + self.kept_N * (self.mean_N - centre)
        sd_N = np.sqrt(self.kept_N * self.error_N)
        return np.asarray(pulled_N + rng.standard_normal((count, len(self.mean_N))) * sd_N)


def known_of(matrix: RewardMatrix, task: str) -> Known:
    """What a table knows of a task's configurations, on test accuracy.

    BadInput where noise is not known: one seed everywhere, and not every configuration.
    """
    row = matrix.position(task)
    accuracy_CS = matrix.accuracy_TCS[row]
    known_CS = ~np.isnan(accuracy_CS)
    seeds_C = known_CS.sum(axis=1)
    index_N = np.flatnonzero(seeds_C)
    at, seed = np.nonzero(known_CS)
    free = len(at) - len(index_N) - len(set(seed)) + 1
    if free > 0 and len(index_N) > 1:
        place_N = np.searchsorted(index_N, at)
        signal, noise = variance_components(accuracy_CS[at, seed], place_N, seed)
        mean_N = without_seeds(accuracy_CS)[index_N]
        return Known(task, index_N, mean_N, seeds_C[index_N].astype(float), signal, noise, free)
    found = high_degree_noise(matrix.select((task,)))
    if found is None:
        raise BadInput(
            f"{task}: one seed and not every configuration, so noise is not known; sweep some with a second seed"
        )
    noise_T, free = found
    mean_N = matrix.reward_TC[row]
    signal = max(float(mean_N.var(ddof=1) - noise_T[0] ** 2), 0.0)
    return Known(task, index_N, mean_N, np.ones(len(index_N)), signal, float(noise_T[0] ** 2), free)


def without_seeds(accuracy_CS: Float64) -> Float64:
    """Mean over seeds of each configuration without what a seed adds to all of them, shape (C,), NaN where there is
    none. What seeds add is measured on configurations that have all seeds; where none has, nothing is taken off."""
    whole = accuracy_CS[~np.isnan(accuracy_CS).any(axis=1)]
    added_S = whole.mean(axis=0) - whole.mean() if len(whole) else np.zeros(accuracy_CS.shape[1])
    return mean_over_seeds((accuracy_CS - added_S)[None])[0]


def rank_configurations(matrix: RewardMatrix, known: Known) -> Ranking:
    """Configurations of a task, best first, by mean accuracy (percent). p_best: over draws of the true means. more:
    seeds a configuration, beyond those there are, that would separate the best two with a chance of 80 %, for the
    difference that is left once noise is taken out: the best two were picked for being high."""
    names = [matrix.space.configurations[at] for at in known.index_N]
    first, second = np.triu_indices(len(names), 1)
    error_P = np.sqrt(known.error_N[first] + known.error_N[second])
    gap_P = np.abs(known.mean_N[first] - known.mean_N[second])
    t_P = np.divide(gap_P, error_P, out=np.where(gap_P > 0, np.inf, 0.0), where=error_P > 0)
    p_P = 2 * student.sf(t_P, known.free)
    rng = derive_rng("ranks", matrix.recipe, matrix.metric, known.task)
    if known.signal > 0:
        best_D = known.draw(DRAWS, rng).argmax(axis=1)
        p_best_N = np.bincount(best_D, minlength=len(names)) / DRAWS
    else:  # nothing tells one from another
        p_best_N = np.full(len(names), 1 / len(names))
    found = rank(names, -known.mean_N, p_P, p_best_N, more=None)
    places = tuple(
        type(place)(place.name, -place.mean, place.low, place.high, place.group, place.p_best) for place in found.places
    )
    return Ranking(places, found.pairs, found.separate, more_seeds(known))


def more_seeds(known: Known) -> int | None:
    """Further seeds a configuration that separate the best two; 0 where they are, None where none would."""
    if len(known.mean_N) < 2:
        return None
    one, other = np.argsort(-known.mean_N, kind="stable")[:2]
    gap = float(known.mean_N[one] - known.mean_N[other])
    error = math.sqrt(float(known.error_N[one] + known.error_N[other]))
    if gap > error * float(student.ppf(0.975, known.free)):
        return 0
    true = gap * float(known.kept_N[[one, other]].mean())
    if true < 1e-9:
        return None
    have = float(min(known.seeds_N[one], known.seeds_N[other]))
    return max(math.ceil(2 * known.noise * (REACH / true) ** 2 - have), 1)
