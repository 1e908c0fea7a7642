"""The learners as scikit-learn estimators: `fit(X, y)`, `predict(X)`, `predict_proba(X)`, `score(X, y)`.

X: embeddings, shape (n, D); rows are scaled to length 1, as everywhere in this package.
y: rewards, shape (n, C), NaN where a cell is missing; percent, or scores for logme. Columns are configurations in the
index order of `space`.

    matrix, embeddings = store.matrix(), store.embeddings()
    X, y = embeddings.select(matrix.tasks).vector_TD, matrix.signal_TC
    search = GridSearchCV(KNearestTasks(space=matrix.space), {"k": [1, 3, 5]}, cv=LeaveOneGroupOut())
    search.fit(X, y, groups=groups)
    chosen = cross_val_predict(GaussianProcess(space=matrix.space), X, y, cv=LeaveOneGroupOut(), groups=groups)

Each class holds the hyperparameters of one learner of this folder, with its defaults, and fits that learner, so figures
are those of `compare`. For scikit-learn they are neither classifiers nor regressors, since y is a matrix of rewards and
the prediction is a column of it. `cross_val_predict(method="predict_proba")` must not be used: it takes y for labels
and replaces rewards by integers before it fits.

This module imports scikit-learn; the learners themselves do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from t2s_offline.errors import BadInput
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.linear import Linear
from t2s_offline.learners.nearest import NearestK
from t2s_offline.learners.policy import Policy
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimParam, SimSpace

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


class BadArray(BadInput, ValueError):
    """A BadInput that scikit-learn's tools know as a ValueError."""


@dataclass(eq=False, repr=False, kw_only=True)
class PolicyEstimator(BaseEstimator):
    """Base of the estimators.

    space: the simulation parameters behind the columns of y. None takes the columns for the levels of one parameter, so
    that configurations have nothing in common.

    Fitted attributes:
    classes_: configurations, shape (C,), digits such as ``01100100``, or column indices where `space` is None.
    policy_: the policy, or None where y has one column, so that there is no choice.
    n_features_in_: D.
    """

    learner: ClassVar[Any]
    least_tasks: ClassVar[int] = 1

    space: SimSpace | None = None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> PolicyEstimator:
        """Learn from embeddings X (n, D) and rewards y (n, C). BadArray, a ValueError, for arrays that do not fit."""
        rules = {"dtype": np.float32, "ensure_min_samples": self.least_tasks}, {"ensure_all_finite": "allow-nan"}
        vector_XD, reward_XC = validate_data(self, X, y, validate_separately=rules)
        check_consistent_length(vector_XD, reward_XC)
        columns = reward_XC.shape[1]
        self.classes_ = np.arange(columns) if self.space is None else np.array(self.space.configurations)
        if columns != len(self.classes_):
            raise BadArray(f"y has {columns} columns; expected {len(self.classes_)}, the configurations of space")
        try:
            self.policy_ = self._policy(vector_XD, reward_XC.astype(np.float64)) if columns > 1 else None
        except BadInput as error:
            raise BadArray(str(error)) from error
        return self

    def _policy(self, vector_XD: Float32, reward_XC: Float64) -> Policy:
        settings = self.get_params(deep=False)
        space, seed = settings.pop("space"), settings.pop("random_state", None)
        if space is None:
            space = SimSpace((SimParam("configuration", reward_XC.shape[1]),))
        embeddings = Embeddings("X", tuple(f"row {row}" for row in range(len(vector_XD))), vector_XD)
        matrix = RewardMatrix("Y", "reward", space, embeddings.tasks, reward_XC[..., None])
        with threadpool_limits(1):  # as in `compare`: the number of threads changes rounding
            return self.learner(**settings).fit(matrix, embeddings, rng=np.random.default_rng(seed))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The configuration chosen for each row, shape (n,), an entry of `classes_`."""
        chosen_X = self._decide(X, None).argmax(axis=1)
        return self.classes_[chosen_X]

    def predict_proba(self, X: npt.ArrayLike) -> Float64:
        """Probability of each configuration of `classes_`, shape (n, C), rows sum to 1.

        What it means is the learner's: GaussianProcess gives the probability of being the best, the policy gradients
        what they would draw from, the others all weight on what `predict` answers. For GaussianProcess the likeliest
        best need not be the configuration of highest mean, which `predict` answers.
        """
        unit_XD = self._unit(X)
        if self.policy_ is None:
            return np.ones((len(unit_XD), 1))
        with threadpool_limits(1):
            return self.policy_.probabilities(unit_XD)

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Mean reward of what is chosen, in the unit of y. As in `compare`, the choice is among the configurations that
        y has for every row; BadArray when there is none."""
        reward_XC = check_array(y, ensure_all_finite="allow-nan", dtype=np.float64)
        check_consistent_length(X, reward_XC)
        measured_C = ~np.isnan(reward_XC).any(axis=0)
        if not measured_C.any():
            raise BadArray("no column of y is known for every row; give fewer rows, or measure the missing cells")
        decision_XC = self._decide(X, measured_C)
        return float((np.where(measured_C, reward_XC, 0.0) * decision_XC).sum(axis=1).mean())

    def _decide(self, X: npt.ArrayLike, measured_C: npt.NDArray[np.bool_] | None) -> Float64:
        unit_XD = self._unit(X)
        if self.policy_ is None:
            return np.ones((len(unit_XD), 1))
        if measured_C is None:
            measured_C = np.ones(len(self.classes_), dtype=bool)
        with threadpool_limits(1):
            return self.policy_.decide(unit_XD, measured_C)

    def _unit(self, X: npt.ArrayLike) -> Float32:
        check_is_fitted(self)
        vector_XD = validate_data(self, X, reset=False, dtype=np.float32)
        try:
            return Embeddings("X", tuple(f"row {row}" for row in range(len(vector_XD))), vector_XD).unit_TD
        except BadInput as error:
            raise BadArray(str(error)) from error

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.single_output, tags.target_tags.multi_output = False, True
        return tags


@dataclass(eq=False, repr=False, kw_only=True)
class KNearestTasks(PolicyEstimator):
    """k nearest neighbours among the training tasks, by centred embeddings (`nearest.NearestK`)."""

    learner: ClassVar[Any] = NearestK
    k: int | None = NearestK.k


@dataclass(eq=False, repr=False, kw_only=True)
class LinearBandit(PolicyEstimator):
    """Linear contextual bandit: LinUCB or Thompson sampling, which alone uses `random_state` (`linear.Linear`)."""

    learner: ClassVar[Any] = Linear
    kind: Literal["ucb", "thompson"] = Linear.kind
    rounds: int = Linear.rounds
    explore: float = Linear.explore
    ridge: float = Linear.ridge
    contexts: int = Linear.contexts
    random_state: Any = None


@dataclass(eq=False, repr=False, kw_only=True)
class PolicyGradient(PolicyEstimator):
    """Policy network trained by the exact gradient of the expected reward (`exact.Exact`)."""

    learner: ClassVar[Any] = Exact
    epochs: int = Exact.epochs
    hidden: int = Exact.hidden
    learning_rate: float = Exact.learning_rate
    risk: float = Exact.risk
    random_state: Any = None


@dataclass(eq=False, repr=False, kw_only=True)
class GaussianProcess(PolicyEstimator):
    """Gaussian process over tasks and configurations with a learned covariance (`surrogate.Surrogate`).

    policy_.belief(unit_D) gives mean and uncertainty of every configuration for one unit embedding.
    """

    learner: ClassVar[Any] = Surrogate
    least_tasks: ClassVar[int] = 2
    embedded: bool = Surrogate.embedded


@dataclass(eq=False, repr=False, kw_only=True)
class ReinforcePolicy(PolicyEstimator):
    """Policy network trained by Algorithm 1 of the paper, one network (`reinforce.Reinforce`)."""

    learner: ClassVar[Any] = Reinforce
    epochs: int = Reinforce.epochs
    batch_size: int = Reinforce.batch_size
    hidden: int = Reinforce.hidden
    learning_rate: float = Reinforce.learning_rate
    momentum: float = Reinforce.momentum
    weight_decay: float = Reinforce.weight_decay
    warmup_epochs: int = Reinforce.warmup_epochs
    warmup_rate: float = Reinforce.warmup_rate
    decay_epochs: int = Reinforce.decay_epochs
    decay_factor: float = Reinforce.decay_factor
    noise: float = Reinforce.noise
    noise_epochs: int = Reinforce.noise_epochs
    imitation_steps: int = Reinforce.imitation_steps
    imitation_start: int = Reinforce.imitation_start
    centre: bool = Reinforce.centre
    random_state: Any = None
