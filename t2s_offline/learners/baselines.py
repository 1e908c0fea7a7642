"""Baselines that always stand beside a policy: best fixed configuration, Domain Randomization, random, nearest task.

Each makes a policy of the rewards of training tasks. The oracle is no policy: `compare.py` reads it off the table. Two
orders of configurations are baselines of measured shortlists: best on average, and the greedy portfolio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.learners.posterior import standardise
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimSpace

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EQUAL = 1e-12  # means of standardised rewards that differ by less are equal


@dataclass(frozen=True)
class FixedPolicy:
    """The same distribution over configurations for every task; probability_C: (C,)."""

    space: SimSpace
    probability_C: Float64

    def probabilities(self, unit_TD: Float32) -> Float64:
        return np.tile(self.probability_C, (len(unit_TD), 1))

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        """The distribution itself, over what is measured."""
        weight_C = np.where(measured_C, self.probability_C, 0.0)
        if not weight_C.any():
            index = self.space.configurations[int(self.probability_C.argmax())]
            raise BadInput(f"configuration {index} is not measured on all tasks; sweep it or leave this baseline out")
        return np.tile(weight_C / weight_C.sum(), (len(unit_TD), 1))


def one_hot(index: int, size: int) -> Float64:
    """A distribution of shape (size,) with all weight on `index`."""
    probability = np.zeros(size)
    probability[index] = 1.0
    return probability


@dataclass(frozen=True)
class BestFixed:
    """The configuration with the best mean reward over the training tasks, of those measured on all of them.

    `standardised`: rewards minus the task's mean over its SD, so that a task of large spread does not decide alone.
    """

    standardised: bool = False
    seeded: bool = False

    @property
    def name(self) -> str:
        return "best_fixed_standardised" if self.standardised else "best_fixed"

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> FixedPolicy:
        signal_TC = standardise(matrix.signal_TC)[0] if self.standardised else matrix.signal_TC
        mean_C = signal_TC.mean(axis=0)
        if np.isnan(mean_C).all():
            raise BadInput("best_fixed: no configuration is measured on all training tasks; sweep more cells")
        return FixedPolicy(matrix.space, one_hot(int(np.nanargmax(mean_C)), len(matrix.space)))


def mean_standardised(signal_TC: Float64) -> Float64:
    """Mean over tasks of rewards minus the task's mean over its SD, shape (C,); -inf where no task has a reward."""
    z_TC, _, _ = standardise(signal_TC)
    count_C = (~np.isnan(z_TC)).sum(axis=0)
    return np.where(count_C > 0, np.nansum(z_TC, axis=0) / np.maximum(count_C, 1), -np.inf)


def greedy_portfolio(signal_TC: Float64) -> Ints:
    """All configurations in the order in which they join a portfolio for the training tasks, indices of shape (C,).

    Each step adds the configuration that most raises the mean over tasks of the best standardised reward in the
    portfolio (greedy forward selection as in TabRepo, arXiv 2311.02971). Where several raise it equally, as all do once
    every task has its best, the one with the highest mean joins. A missing reward raises nothing.
    """
    z_TC, _, _ = standardise(signal_TC)
    mean_C = mean_standardised(signal_TC)
    best_T1 = np.full((len(z_TC), 1), -np.inf)
    left_C = np.ones(z_TC.shape[1], dtype=bool)
    order = []
    for _ in range(z_TC.shape[1]):
        value_C = np.where(left_C, np.fmax(best_T1, z_TC).mean(axis=0), -np.inf)
        equal = np.flatnonzero(left_C & (value_C >= value_C.max() - EQUAL))
        chosen = int(equal[mean_C[equal].argmax()])
        order.append(chosen)
        left_C[chosen] = False
        best_T1 = np.fmax(best_T1, z_TC[:, [chosen]])
    return np.array(order)


@dataclass(frozen=True)
class DomainRandomization:
    """Everything varies: ``11111111`` in the paper's space (paper, section 4.2)."""

    name: str = "domain_randomization"
    seeded: bool = False

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> FixedPolicy:
        index = matrix.space.index(matrix.space.domain_randomization)
        return FixedPolicy(matrix.space, one_hot(index, len(matrix.space)))


@dataclass(frozen=True)
class Random:
    """A configuration drawn uniformly; its reward is the mean over configurations (paper, section 4.2)."""

    name: str = "random"
    seeded: bool = False

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> FixedPolicy:
        size = len(matrix.space)
        return FixedPolicy(matrix.space, np.full(size, 1.0 / size))


@dataclass(frozen=True)
class NearestPolicy:
    """The best configuration of the training task with the most similar embedding (cosine).

    unit_TD: embeddings of the training tasks; signal_TC: their rewards, -inf where missing.
    """

    space: SimSpace
    unit_TD: Float32
    signal_TC: Float64

    def probabilities(self, unit_TD: Float32) -> Float64:
        return self.decide(unit_TD, np.ones(len(self.space), dtype=bool))

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        nearest_T = (unit_TD @ self.unit_TD.T).argmax(axis=1)
        best_T = np.where(measured_C, self.signal_TC[nearest_T], -np.inf).argmax(axis=1)
        return np.eye(len(self.space))[best_T]


@dataclass(frozen=True)
class Nearest:
    """Nearest training task in Task2Vec cosine, its best configuration."""

    name: str = "nearest"
    seeded: bool = False

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> NearestPolicy:
        signal_TC = matrix.signal_TC
        for task, row in zip(matrix.tasks, signal_TC, strict=True):
            if np.isnan(row).all():
                raise BadInput(f"nearest: training task {task} has no reward; leave it out or sweep it")
        known_TC = np.where(np.isnan(signal_TC), -np.inf, signal_TC)
        return NearestPolicy(matrix.space, embeddings.unit_TD, known_TC)
