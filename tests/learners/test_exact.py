from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.exact import Exact, expected_gradient, one_hot_levels
from t2s_offline.learners.policy import softmax
from t2s_offline.store.reward_store import RewardStore
from tests.planted import Planted, space_of


def expectation(logit_L: np.ndarray, reward_C: np.ndarray, levels: tuple[int, ...], risk: float) -> float:
    joint_C = np.ones(1)
    for part in np.split(logit_L, np.cumsum(levels)[:-1]):
        joint_C = np.outer(joint_C, softmax(part)).ravel()
    return float(np.log(joint_C @ np.exp(risk * reward_C)) / risk if risk else joint_C @ reward_C)


@pytest.mark.parametrize("risk", [0.0, 3.0])
def test_gradient_is_exact(risk: float) -> None:
    levels = (2, 3, 2)
    space, rng = space_of(*levels), np.random.default_rng(0)
    logit_TL, reward_TC = rng.normal(size=(2, 7)), rng.normal(size=(2, 12))
    expected_T, gradient_TL = expected_gradient(logit_TL, reward_TC, one_hot_levels(space), space, risk)
    for task in range(2):
        assert expected_T[task] == pytest.approx(expectation(logit_TL[task], reward_TC[task], levels, 0.0))
        steps = 1e-6 * np.eye(7)
        numeric = [
            (expectation(logit_TL[task] + d, reward_TC[task], levels, risk)
             - expectation(logit_TL[task] - d, reward_TC[task], levels, risk)) / 2e-6
            for d in steps
        ]  # fmt: skip
        np.testing.assert_allclose(gradient_TL[task], numeric, atol=1e-6)


def test_it_finds_each_tasks_best_configuration() -> None:
    matrix, embeddings = Planted(space_of(2, 2, 2, 3), tasks=8, group=0.2).draw(np.random.default_rng(3))
    policy = Exact().fit(matrix, embeddings, rng=np.random.default_rng(0))
    chosen_T = policy.probabilities(embeddings.unit_TD).argmax(axis=1)
    assert (chosen_T == matrix.reward_TC.argmax(axis=1)).sum() >= 7


def test_contexts_do_not_collapse() -> None:
    """Embeddings that are nearly parallel, as Task2Vec vectors are."""
    matrix, embeddings = Planted(space_of(2, 2, 2, 2), tasks=8, shared=0.0, group=0.0).draw(np.random.default_rng(4))
    parallel = replace(embeddings, vector_TD=np.float32(100) + embeddings.vector_TD)
    assert (parallel.unit_TD @ parallel.unit_TD.T).min() > 0.999
    policy = Exact().fit(matrix, parallel, rng=np.random.default_rng(0))
    assert len(set(policy.probabilities(parallel.unit_TD).argmax(axis=1))) >= 6


def test_bad_input_and_missing_cells() -> None:
    matrix, embeddings = Planted(space_of(2, 2, 2)).draw(np.random.default_rng(5))
    with pytest.raises(BadInput, match="hidden"):
        Exact(hidden=0)
    with pytest.raises(BadInput, match="different tasks"):
        Exact().fit(matrix, embeddings.select(matrix.tasks[::-1]), rng=np.random.default_rng(0))
    gaps = matrix.accuracy_TCS.copy()
    gaps[:, 3] = np.nan
    policy = Exact(epochs=20).fit(replace(matrix, accuracy_TCS=gaps), embeddings, rng=np.random.default_rng(0))
    assert np.isfinite(policy.probabilities(embeddings.unit_TD)).all()


def test_published_table(published_store: RewardStore) -> None:
    matrix, embeddings = published_store.matrix(), published_store.embeddings()
    seen = [task for task, split in published_store.tasks().items() if split == "seen"]
    matrix, embeddings = matrix.select(seen), embeddings.select(seen)
    policy = Exact().fit(matrix, embeddings, rng=np.random.default_rng(0))
    decision_TC = policy.decide(embeddings.unit_TD, np.ones(256, dtype=bool))
    assert (decision_TC * matrix.reward_TC).sum(axis=1).mean() >= 32.5
