"""Two learners that answer from the training tasks with the most similar embeddings.

`NearestK`: the configuration with the highest mean reward over the k nearest training tasks. Rewards are standardised
by task, so that a task of large spread does not decide alone. k is chosen by leaving out one training task at a time.

`DistanceWeighted`: the heads of a policy on the training tasks, averaged with weights by similarity, as in the authors'
code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.learners.embedding_space import Context
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.learner import Learner, check_same_tasks
from t2s_offline.learners.policy import FactoredPolicy, best_measured
from t2s_offline.learners.posterior import standardise
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimSpace

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

CHOICES = (1, 2, 3, 5, 8, 13)


@dataclass(frozen=True)
class NearestK:
    """`k` None: chosen among CHOICES and all tasks by leaving one training task out. BadInput for k above T."""

    k: int | None = None
    name: str = "nearest_k"
    seeded: bool = False

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> NearestKPolicy:
        """Standardise rewards and choose k."""
        tasks = len(matrix.tasks)
        check_same_tasks(matrix, embeddings)
        if self.k is not None and not 1 <= self.k <= tasks:
            raise BadInput(f"k is {self.k}; expected 1 to {tasks}, the training tasks")
        z_TC = np.nan_to_num(standardise(matrix.signal_TC)[0])
        context = Context.of(embeddings.unit_TD)
        k = self.k or _choose(z_TC, context.distance(embeddings.unit_TD))
        return NearestKPolicy(matrix.space, context, z_TC, k)


def _choose(z_TC: Float64, distance_TT: Float64) -> int:
    """The k with the highest mean standardised reward when each training task is left out in turn; of equal ones the
    largest. All tasks where there are fewer than three, or where all but the one left out are best."""
    tasks = len(z_TC)
    if tasks < 3:
        return tasks
    apart_TT = distance_TT + np.diag(np.full(tasks, np.inf))
    order_TT = np.argsort(apart_TT, axis=1, kind="stable")[:, :-1]
    running_TTC = np.cumsum(z_TC[order_TT], axis=1)  # sums over the 1, 2, ... nearest others
    options = sorted({k for k in CHOICES if k < tasks - 1} | {tasks - 1}, reverse=True)
    worth = [z_TC[np.arange(tasks), running_TTC[:, k - 1].argmax(axis=1)].mean() for k in options]
    best = options[int(np.argmax(worth))]
    return tasks if best == tasks - 1 else best


@dataclass(frozen=True)
class NearestKPolicy:
    """z_TC: standardised rewards of the training tasks, 0 (the task's mean) where missing."""

    space: SimSpace
    context: Context
    z_TC: Float64
    k: int

    def mean(self, unit_XD: Float32) -> Float64:
        """Mean standardised reward over the k nearest training tasks, shape (X, C)."""
        order_XT = np.argsort(self.context.distance(unit_XD), axis=1, kind="stable")[:, : self.k]
        return self.z_TC[order_XT].mean(axis=1)

    def probabilities(self, unit_TD: Float32) -> Float64:
        return self.decide(unit_TD, np.ones(len(self.space), dtype=bool))

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        return best_measured(self.mean(unit_TD), measured_C)


@dataclass(frozen=True)
class DistanceWeighted:
    """The heads of the base's policy on the training tasks, averaged with the cosine similarity to the task in question
    as weight (`get_dist_wtd_preds` of the authors' training script, which has Algorithm 1 as base)."""

    base: Learner[FactoredPolicy] = field(default_factory=Exact)
    name: str = "distance_weighted"
    seeded: bool = True

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> DistanceWeightedPolicy:
        """Fit the base and keep its heads on the training tasks."""
        policy = self.base.fit(matrix, embeddings, rng=rng)
        return DistanceWeightedPolicy(matrix.space, embeddings.unit_TD, tuple(policy.marginals(embeddings.unit_TD)))


@dataclass(frozen=True)
class DistanceWeightedPolicy:
    """unit_TD: embeddings of the training tasks; heads: probability of each level, (T, levels) a parameter."""

    space: SimSpace
    unit_TD: Float32
    heads: tuple[Float64, ...]

    def weights(self, unit_XD: Float32) -> Float64:
        """Cosine with each training task, at least 0, divided by the sum over tasks, shape (X, T); 1 / T where all are
        0."""
        if unit_XD.shape[1] != self.unit_TD.shape[1]:
            raise BadInput(
                f"embeddings of shape {unit_XD.shape}; the policy was trained on {self.unit_TD.shape[1]} values a "
                "task: use the same probe"
            )
        cosine_XT = np.maximum(unit_XD.astype(np.float64) @ self.unit_TD.T, 0.0)
        total_X1 = cosine_XT.sum(axis=1, keepdims=True)
        return np.divide(cosine_XT, total_X1, out=np.full_like(cosine_XT, 1 / len(self.unit_TD)), where=total_X1 > 0)

    def marginals(self, unit_XD: Float32) -> list[Float64]:
        """Probability of each level, one array (X, levels) a parameter."""
        weight_XT = self.weights(unit_XD)
        return [weight_XT @ head_TL for head_TL in self.heads]

    def probabilities(self, unit_TD: Float32) -> Float64:
        joint_XC = np.ones((len(unit_TD), 1))
        for head_XL in self.marginals(unit_TD):
            joint_XC = (joint_XC[:, :, None] * head_XL[:, None, :]).reshape(len(unit_TD), -1)
        return joint_XC

    def decide(self, unit_TD: Float32, measured_C: npt.NDArray[np.bool_]) -> Float64:
        """All weight on the likeliest measured configuration."""
        return best_measured(self.probabilities(unit_TD), measured_C)
