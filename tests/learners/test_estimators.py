from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_predict, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from t2s_offline.errors import BadInput
from t2s_offline.learners.compare import Fold, compare
from t2s_offline.learners.estimators import (
    GaussianProcess,
    KNearestTasks,
    LinearBandit,
    PolicyEstimator,
    PolicyGradient,
    ReinforcePolicy,
)
from t2s_offline.learners.nearest import NearestK
from t2s_offline.matrix import Embeddings, RewardMatrix
from tests.planted import Planted, space_of

ESTIMATORS = [
    KNearestTasks(),
    LinearBandit(rounds=5),
    LinearBandit(kind="thompson", rounds=5),
    PolicyGradient(epochs=20, hidden=8),
    GaussianProcess(),
    ReinforcePolicy(epochs=5, hidden=8, imitation_start=2),
]
LEVELS = 3


class Labelled(PolicyEstimator):
    """Takes the labels (n, 1) that scikit-learn's checks make for rewards of three configurations, so that the checks
    fit the learner: with the one column as it is, nothing would be to choose."""

    def fit(self, X: Any, y: Any) -> PolicyEstimator:
        if y is not None and np.asarray(y).dtype.kind in "iuf":
            y = 100.0 / (1.0 + np.abs(np.asarray(y) - np.arange(LEVELS)))
        return super().fit(X, y)


def labelled(estimator: PolicyEstimator) -> PolicyEstimator:
    """The same estimator with `Labelled.fit`."""
    name = f"Labelled{type(estimator).__name__}"
    if name not in globals():  # a class that is pickled is found in its module by name
        globals()[name] = type(name, (Labelled, type(estimator)), {"__module__": __name__})
    return globals()[name](**estimator.get_params())


#: Check -> why it cannot pass, for every estimator.
EXPECTED = {"check_estimators_dtypes": "it has a row of zeros; an embedding of zeros has no direction and is refused"}


@parametrize_with_checks([*ESTIMATORS, *map(labelled, ESTIMATORS)], expected_failed_checks=lambda estimator: EXPECTED)
def test_scikit_learn_checks(estimator: PolicyEstimator, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def table() -> tuple[RewardMatrix, Embeddings]:
    return Planted(space_of(2, 2, 3), tasks=10, group=0.6, shared=0.1).draw(np.random.default_rng(3))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_figures_are_the_learners(estimator: PolicyEstimator, table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    seeded = {"random_state": 4} if "random_state" in estimator.get_params() else {}
    estimator = clone(estimator).set_params(space=matrix.space, **seeded)
    settings = {name: value for name, value in estimator.get_params().items() if name not in ("space", "random_state")}
    policy = estimator.learner(**settings).fit(matrix, embeddings, rng=np.random.default_rng(4))
    X, Y = embeddings.vector_TD, matrix.signal_TC
    chance_TC = estimator.fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(chance_TC, policy.probabilities(embeddings.unit_TD))
    decision_TC = policy.decide(embeddings.unit_TD, np.ones(12, dtype=bool))
    assert [matrix.space.index(name) for name in estimator.predict(X)] == decision_TC.argmax(axis=1).tolist()
    assert estimator.classes_.tolist() == list(matrix.space.configurations)
    assert estimator.score(X, Y) == pytest.approx((decision_TC * Y).sum(axis=1).mean())


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_hyperparameters_and_defaults_are_the_learners(estimator: PolicyEstimator) -> None:
    own = {setting.name: setting.default for setting in fields(type(estimator))}
    of_learner = {setting.name: setting.default for setting in fields(estimator.learner)}
    for name in ("name", "seeded", "published_indexing"):  # not hyperparameters, and an ablation
        of_learner.pop(name, None)
    assert own.pop("space") is None
    assert own.pop("random_state", None) is None
    assert own == of_learner


def test_relatives_are_left_out_together_as_compare_does(table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    X, Y, group_T = embeddings.vector_TD, matrix.signal_TC, np.arange(10) // 3
    chosen = cross_val_predict(KNearestTasks(space=matrix.space), X, Y, groups=group_T, cv=LeaveOneGroupOut())
    reward_T = [Y[row, matrix.space.index(name)] for row, name in enumerate(chosen)]
    names = np.array(matrix.tasks)
    folds = [Fold("left", tuple(names[group_T != group]), tuple(names[group_T == group])) for group in range(4)]
    row = next(row for row in compare(matrix, embeddings, [NearestK()], folds).rows if row.learner == "nearest_k")
    assert np.mean(reward_T) == pytest.approx(row.reward)


def test_hyperparameters_are_searched_by_left_out_groups(table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    X, Y, group_T = embeddings.vector_TD, matrix.signal_TC, np.arange(10) // 2
    search = GridSearchCV(KNearestTasks(space=matrix.space), {"k": [1, 8]}, cv=LeaveOneGroupOut())
    search.fit(X, Y, groups=group_T)
    found = [
        cross_val_score(KNearestTasks(k=k, space=matrix.space), X, Y, groups=group_T, cv=LeaveOneGroupOut()).mean()
        for k in (1, 8)
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], found)
    assert search.best_params_ == {"k": (1, 8)[int(np.argmax(found))]}
    assert set(search.predict(X)) <= set(matrix.space.configurations)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_missing_cells(estimator: PolicyEstimator, table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    X, Y = embeddings.vector_TD, matrix.signal_TC.copy()
    Y[::2, :3] = np.nan
    estimator = clone(estimator).set_params(space=matrix.space).fit(X, Y)
    chance_TC = estimator.predict_proba(X)
    np.testing.assert_allclose(chance_TC.sum(axis=1), 1)
    # the choice that is scored is among the columns that are known for every row
    known_TC = np.where(np.arange(12) < 3, np.nan, Y)
    assert np.nanmin(known_TC) <= estimator.score(X, Y) <= np.nanmax(known_TC, axis=1).mean()
    with pytest.raises(BadInput, match="no column of y is known for every row"):
        estimator.score(X, np.where(np.eye(10, 12, dtype=bool) | (np.arange(12) >= 10), np.nan, matrix.signal_TC))


def test_without_a_space_configurations_are_columns(table: tuple[RewardMatrix, Embeddings]) -> None:
    matrix, embeddings = table
    X, Y = embeddings.vector_TD, matrix.signal_TC
    estimator = KNearestTasks(k=1).fit(X, Y)
    assert estimator.predict(X).tolist() == Y.argmax(axis=1).tolist()
    assert estimator.classes_.tolist() == list(range(12))


@pytest.mark.parametrize(
    ("estimator", "change", "expected"),
    [
        (KNearestTasks(space=space_of(2, 2)), {}, "y has 12 columns; expected 4, the configurations of space"),
        (KNearestTasks(k=11), {}, "k is 11; expected 1 to 10"),
        (GaussianProcess(), {"Y": np.full((10, 12), np.nan)}, "expected at least 2"),
        (KNearestTasks(), {"X": np.zeros((10, 4))}, "embedding of row 0 is all zeros"),
        (KNearestTasks(), {"Y": np.ones((9, 12))}, "inconsistent numbers of samples"),
        (KNearestTasks(), {"Y": np.full((10, 12), np.inf)}, "infinity"),
        (PolicyGradient(hidden=0), {}, "hidden is 0"),
    ],
)
def test_arrays_and_hyperparameters_that_do_not_fit(
    estimator: PolicyEstimator, change: dict[str, np.ndarray], expected: str, table: tuple[RewardMatrix, Embeddings]
) -> None:
    X, Y = change.get("X", table[1].vector_TD), change.get("Y", table[0].signal_TC)
    with pytest.raises(ValueError, match=expected):
        estimator.fit(X, Y)
    with pytest.raises(NotFittedError):
        clone(estimator).predict(X)


def test_learners_do_without_scikit_learn() -> None:
    code = "import sys, t2s_offline.learners.registry; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
