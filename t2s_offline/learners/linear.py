"""Linear contextual bandits replayed on the table: LinUCB and Thompson sampling.

The reward of a (task, configuration) pair is modelled as w' x. x holds the main effects and pairs of parameters
(contrasts of `walsh.py`; interactions of three and more are left out), each alone and times the task's first few
whitened context coordinates. w has the posterior of ridge regression on the rewards seen, with mean m and covariance
V. A round shows every training task once and chooses for each the configuration with the highest

    m' x + explore x sqrt(x' V x)                        LinUCB (Chu et al. 2011, algorithm 1)
    w' x, w drawn from N(m, explore^2 V)                 Thompson sampling (Agrawal and Goyal 2013, algorithm 1)

The regression is updated after the round. A missing cell is never chosen. The policy then takes the highest m' x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from t2s_offline.analysis import walsh
from t2s_offline.errors import BadInput
from t2s_offline.learners.embedding_space import whitening
from t2s_offline.learners.learner import check_same_tasks
from t2s_offline.learners.policy import best_measured
from t2s_offline.learners.posterior import standardise
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimSpace

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """explore: width of the bonus (LinUCB) or of the draws (Thompson), in SDs; ridge: prior precision of a weight;
    contexts: how many whitened coordinates are used. BadInput for a value out of range."""

    kind: Literal["ucb", "thompson"] = "ucb"
    rounds: int = 30
    explore: float = 0.5
    ridge: float = 1.0
    contexts: int = 3

    @property
    def name(self) -> str:
        return "lin_ucb" if self.kind == "ucb" else "lin_thompson"

    @property
    def seeded(self) -> bool:
        return self.kind == "thompson"

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.ridge <= 0 or self.explore < 0 or self.contexts < 0:
            raise BadInput(
                f"rounds {self.rounds}, ridge {self.ridge}, explore {self.explore}, contexts {self.contexts}; "
                "expected at least 1, above 0, at least 0, at least 0"
            )

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> LinearPolicy:
        """Replay `rounds` rounds; only Thompson sampling uses `rng`."""
        check_same_tasks(matrix, embeddings)
        z_TC = np.nan_to_num(standardise(matrix.signal_TC)[0])
        known_TC = ~np.isnan(matrix.signal_TC)
        centre_D, project_RD = whitening(embeddings.unit_TD)
        project_RD = project_RD[: self.contexts]
        feature_CF = features(matrix.space)
        context_TR = augment((embeddings.unit_TD - centre_D) @ project_RD.T)
        size = context_TR.shape[1] * feature_CF.shape[1]
        precision_FF, target_F = np.eye(size) * self.ridge, np.zeros(size)
        for _ in range(self.rounds):
            root = cho_factor(precision_FF, lower=True)
            weight_F = cho_solve(root, target_F)
            if self.kind == "thompson":
                drawn_F = solve_triangular(root[0], rng.standard_normal(size), lower=True, trans="T")
                score_TC = predict(weight_F + self.explore * drawn_F, context_TR, feature_CF)
            else:
                score_TC = predict(weight_F, context_TR, feature_CF)
                inverse_FF = cho_solve(root, np.eye(size))
                score_TC += self.explore * np.sqrt(_variance(inverse_FF, context_TR, feature_CF))
            chosen_T = np.where(known_TC, score_TC, -np.inf).argmax(axis=1)
            seen_TF = (context_TR[:, :, None] * feature_CF[chosen_T][:, None, :]).reshape(len(z_TC), -1)
            precision_FF += seen_TF.T @ seen_TF
            target_F += seen_TF.T @ z_TC[np.arange(len(z_TC)), chosen_T]
        weight_F = cho_solve(cho_factor(precision_FF, lower=True), target_F)
        return LinearPolicy(matrix.space, centre_D, project_RD, weight_F)


def features(space: SimSpace) -> Float64:
    """The constant and all contrasts of one or two parameters, scaled to a mean square of 1, shape (C, F)."""
    keep = np.flatnonzero(walsh.degree_C(space) <= 2)
    unit_FC = np.zeros((len(keep), len(space)))
    unit_FC[np.arange(len(keep)), keep] = np.sqrt(len(space))
    return walsh.inverse(unit_FC, space).T


def augment(context_TR: Float64) -> Float64:
    """Context coordinates with a constant 1 before them, shape (T, R + 1)."""
    return np.c_[np.ones(len(context_TR)), context_TR]


def predict(weight_F: Float64, context_TR: Float64, feature_CF: Float64) -> Float64:
    """Standardised rewards of every task and configuration, shape (T, C)."""
    return context_TR @ weight_F.reshape(context_TR.shape[1], -1) @ feature_CF.T


def _variance(inverse_FF: Float64, context_TR: Float64, feature_CF: Float64) -> Float64:
    """Variance of the predictions, shape (T, C): x' V x for x the Kronecker product of context and features."""
    inputs, width = context_TR.shape[1], feature_CF.shape[1]
    cube = inverse_FF.reshape(inputs, width, inputs, width)
    by_task_TFF = np.einsum("ti,iajb,tj->tab", context_TR, cube, context_TR, optimize=True)
    return np.maximum(((feature_CF @ by_task_TFF) * feature_CF).sum(axis=2), 0.0)


@dataclass(frozen=True)
class LinearPolicy:
    """weight_F: a weight for each pair of context coordinate and feature, the context coordinate varying slowest."""

    space: SimSpace
    centre_D: Float64
    project_RD: Float64
    weight_F: Float64

    def mean(self, unit_XD: Float32) -> Float64:
        """Standardised rewards of every configuration for each task, shape (X, C)."""
        if unit_XD.shape[1:] != self.centre_D.shape:
            raise BadInput(f"embedding of {unit_XD.shape[1]} values; the policy was trained on {len(self.centre_D)}")
        context_XR = augment((unit_XD - self.centre_D) @ self.project_RD.T)
        return predict(self.weight_F, context_XR, features(self.space))

    def probabilities(self, unit_TD: Float32) -> Float64:
        return self.decide(unit_TD, np.ones(len(self.space), dtype=bool))

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        return best_measured(self.mean(unit_TD), measured_C)
