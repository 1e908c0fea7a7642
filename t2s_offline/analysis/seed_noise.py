"""Signal and noise of a reward table: do configurations differ on a task by more than pre-training seeds do?

`components` tells, for each task: SD over configurations with the seed noise taken out, SD of one cell over seeds, and
a permutation test blocked by seed with Holm's correction over tasks. Cells may be missing. `CellNoise` is what is known
of the noise of one measured cell, for those who choose by it.

The model is accuracy = configuration + seed + noise. The seed is a block: a sweep renders the pictures of a seed with
the same random numbers under every configuration, so what a seed adds to all of them is no noise between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.matrix import RewardMatrix

Float64 = npt.NDArray[np.float64]

PERMUTATIONS = 9_999
SIGNIFICANT = 0.05
CHUNK = 500  # permutations at once: N x CHUNK values stay in the cache


@dataclass(frozen=True)
class Components:
    """One task's signal and noise, in percent. `signal_sd`: over configurations with seed noise taken out; 0 where
    configurations differ by less than seeds do. `noise_sd`: of one cell over seeds. `p_holm`: corrected over tasks."""

    task: str
    mean: float
    best: float
    configurations: int
    seeds: int
    signal_sd: float
    noise_sd: float
    p: float
    p_holm: float

    @property
    def clear(self) -> bool:
        """Configurations separate at 5 % after Holm's correction."""
        return self.p_holm < SIGNIFICANT


def components(
    matrix: RewardMatrix, *, permutations: int = PERMUTATIONS, rng: np.random.Generator
) -> tuple[Components, ...]:
    """Signal and noise of every task, on test accuracy.

    Raises BadInput when no task has a configuration with two seeds: noise cannot be told from signal then.
    """
    found = []
    for row, task in enumerate(matrix.tasks):
        accuracy_CS = matrix.accuracy_TCS[row]
        at, seed = np.nonzero(~np.isnan(accuracy_CS))
        value_N = accuracy_CS[at, seed]
        configuration_N = np.unique(at, return_inverse=True)[1]
        if len(value_N) <= configuration_N.max(initial=0) + len(set(seed)):
            found.append((task, value_N, accuracy_CS, np.nan, np.nan, np.nan))
            continue
        signal, noise = variance_components(value_N, configuration_N, seed)
        p = permutation_p(value_N, configuration_N, seed, permutations, rng)
        found.append((task, value_N, accuracy_CS, float(np.sqrt(signal)), float(np.sqrt(noise)), p))
    ps = [p for *_, p in found]
    if all(np.isnan(ps)):
        raise BadInput(
            "every configuration has one seed: noise cannot be told from signal; sweep some with a second seed "
            "(seeds = 2 in the specification, replicates in its [design])"
        )
    return tuple(
        Components(
            task, float(value_N.mean()), float(np.nanmax(mean_over(accuracy_CS))),
            int((~np.isnan(accuracy_CS)).any(axis=1).sum()), int((~np.isnan(accuracy_CS)).any(axis=0).sum()),
            signal, noise, p, corrected,
        )
        for (task, value_N, accuracy_CS, signal, noise, p), corrected in zip(found, holm(ps), strict=True)
    )  # fmt: skip


def has_replicates(matrix: RewardMatrix) -> bool:
    """Whether every task has cells with a second seed, so that noise is measured and not only bounded."""
    seeds_TC = (~np.isnan(matrix.accuracy_TCS[:, matrix.measured_C])).sum(axis=2)
    return bool((seeds_TC > 1).any(axis=1).all())


def mean_over(accuracy_CS: Float64) -> Float64:
    """Mean of each measured configuration over its seeds."""
    return np.array([np.nanmean(row) for row in accuracy_CS if not np.isnan(row).all()])


def variance_components(
    value_N: Float64, configuration_N: npt.NDArray[np.int64], seed_N: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Variance over configurations and of the noise, by the method of moments for unequal numbers of seeds.

    Henderson's method 3: the sum of squares of configurations after seeds has the expectation
    noise x (C - 1) + signal x (N - S), because a configuration is measured at most once a seed.
    """
    count, blocks = int(configuration_N.max()) + 1, len(np.unique(seed_N))
    seeds_only = _projector([seed_N])
    both = _projector([seed_N, configuration_N])
    total = float(value_N @ value_N)
    residual = max(total - float(value_N @ both @ value_N), 0.0)
    rank = round(float(np.trace(both)))
    between = float(value_N @ (both - seeds_only) @ value_N)
    noise = residual / (len(value_N) - rank)
    signal = (between - noise * (rank - blocks)) / (len(value_N) - blocks)
    return max(signal, 0.0), noise if count > 1 else float("nan")


def permutation_p(
    value_N: Float64,
    configuration_N: npt.NDArray[np.int64],
    seed_N: npt.NDArray[np.int64],
    permutations: int,
    rng: np.random.Generator,
) -> float:
    """Chance of so large differences between configurations when accuracies are shuffled within each seed.

    Shuffling leaves what seeds explain, and the total, as they are: the sum of squares of configurations after seeds
    orders permutations as its F ratio does. At least 1 / (permutations + 1).
    """
    weight_NN = _projector([seed_N, configuration_N]) - _projector([seed_N])
    blocks = [np.flatnonzero(seed_N == seed) for seed in np.unique(seed_N)]
    observed = float(value_N @ weight_NN @ value_N)
    reached, left = 0, permutations
    while left:
        many = min(left, CHUNK)
        shuffled_NP = np.empty((len(value_N), many))
        for block in blocks:
            repeated = np.broadcast_to(value_N[block, None], (len(block), many))
            shuffled_NP[block] = rng.permuted(repeated, axis=0)
        between_P = np.einsum("np,np->p", shuffled_NP, weight_NN @ shuffled_NP)
        reached += int((between_P >= observed * (1 - 1e-12)).sum())
        left -= many
    return (1 + reached) / (1 + permutations)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down correction; NaN stays NaN and counts for nothing."""
    known = [at for at, p in enumerate(ps) if not np.isnan(p)]
    corrected, worst = [float("nan")] * len(ps), 0.0
    for rank, at in enumerate(sorted(known, key=lambda at: ps[at])):
        worst = max(worst, min((len(known) - rank) * ps[at], 1.0))
        corrected[at] = worst
    return corrected


def _projector(factors: Sequence[npt.NDArray[np.int64]]) -> Float64:
    """Projection (N, N) onto the span of the factors' indicator columns."""
    return _projector_of(tuple(np.ascontiguousarray(factor, dtype=np.int64).tobytes() for factor in factors))


@lru_cache(maxsize=4)
def _projector_of(factors: tuple[bytes, ...]) -> Float64:
    """Tasks of one table mostly have the same cells, so the projectors of the last few are kept."""
    read = [np.frombuffer(factor, dtype=np.int64) for factor in factors]
    design = np.concatenate([np.equal.outer(factor, np.unique(factor)) for factor in read], axis=1).astype(float)
    return np.asarray(design @ np.linalg.pinv(design))


def component_rows(found: Sequence[Components]) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for people, the clearest signal first."""
    order = sorted(found, key=lambda c: -(c.signal_sd / c.noise_sd if c.noise_sd else 0.0))
    rows: list[list[object]] = [
        [c.task, c.mean, c.best, c.signal_sd, c.noise_sd, c.p, c.p_holm, "yes" if c.clear else "no"] for c in order
    ]
    return ["task", "mean", "best", "signal_sd", "noise_sd", "p", "p_holm", "clear"], rows


@dataclass(frozen=True)
class CellNoise:
    """Noise of one cell of what learners look at, about what the configuration is worth.

    Two sources are known: pre-training seeds differ, and n pictures are a sample: p (1 - p) / n. Seeds are compared on
    the same pictures, so their spread holds a part of the second already: the larger of the two is taken, not the sum.
    A picture that is hard under every configuration moves them all alike, which is no noise between them: `share` of
    the binomial variance is.

    seed_sd: in percent, pooled over tasks; 0 with a single seed. ratio: the seeds' variance over the binomial one;
    NaN where no counts of pictures are known.
    """

    seed_sd: float = 0.0
    ratio: float = float("nan")
    share: float = 1.0

    @classmethod
    def of(cls, matrix: RewardMatrix) -> CellNoise:
        """What a table says of it, on the part that learners look at."""
        value_TCS = matrix.signal_TCS
        known_TCS = ~np.isnan(value_TCS)
        count_TC = known_TCS.sum(axis=2)
        total_TC = np.where(known_TCS, value_TCS, 0.0).sum(axis=2)
        mean_TC = total_TC / np.maximum(count_TC, 1)
        squares_T = (np.where(known_TCS, value_TCS - mean_TC[..., None], 0.0) ** 2).sum(axis=(1, 2))
        free_T = np.maximum(count_TC - 1, 0).sum(axis=1)
        seed_sd = float(np.sqrt(squares_T.sum() / free_T.sum())) if free_T.any() else 0.0
        level_T = total_TC.sum(axis=1) / np.maximum(count_TC.sum(axis=1), 1)
        binomial_T = binomial_variance(level_T, matrix.pictures_T)
        counted_T = ~np.isnan(binomial_T)
        if not counted_T.any():
            return cls(seed_sd)
        by_pictures = float((free_T * binomial_T)[counted_T].sum())
        return cls(seed_sd, float(squares_T[counted_T].sum()) / by_pictures if by_pictures else 0.0)

    def variance(self, percent: Float64 | float, pictures: Float64 | float, seeds: Float64 | float = 1.0) -> Float64:
        """Variance in percent squared of a mean over `seeds` seeds at an accuracy of `percent` on so many pictures, NaN
        where not known: then of the seeds alone. More seeds leave what the pictures add: they are the same ones."""
        by_pictures = self.ratio / np.asarray(seeds) + max(self.share - self.ratio, 0.0)
        known = ~np.isnan(binomial := binomial_variance(percent, pictures)) & ~np.isnan(self.ratio)
        return np.where(known, binomial * by_pictures, self.seed_sd**2 / np.asarray(seeds))

    def at(self, pictures: float, seeds: float = 1.0) -> Callable[[float], float]:
        """SD in percent of one measurement of a task of so many pictures, as a function of the accuracy in percent."""
        return lambda percent: float(np.sqrt(self.variance(percent, pictures, seeds)))


def binomial_variance(percent: Float64 | float, pictures: Float64 | float) -> Float64:
    """Variance in percent squared of an accuracy on `pictures` pictures. Two right and two wrong are added (Agresti and
    Coull 1998): none wrong among a few is no certainty."""
    share = (pictures * np.asarray(percent) / 100 + 2) / (np.asarray(pictures) + 4)
    return np.asarray(1e4 * share * (1 - share) / pictures)


def seeds_T(matrix: RewardMatrix) -> Float64:
    """Harmonic mean over a task's cells of the number of seeds, shape (T,): the noise of a mean goes by it."""
    value_TCS = matrix.signal_TCS
    count_TC = (~np.isnan(value_TCS)).sum(axis=2)
    cells_T = np.maximum((count_TC > 0).sum(axis=1), 1)
    inverse_T = np.where(count_TC > 0, 1 / np.maximum(count_TC, 1), 0.0).sum(axis=1) / cells_T
    return 1 / np.where(inverse_T > 0, inverse_T, 1.0)
