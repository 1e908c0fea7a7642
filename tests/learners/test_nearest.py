from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.nearest import DistanceWeighted, NearestK
from t2s_offline.learners.registry import LEARNERS
from tests.planted import Planted, space_of

RNG = np.random.default_rng(0)


def test_groups_give_a_few_neighbours_and_none_gives_all() -> None:
    grouped = Planted(space_of(2, 2, 2, 2), tasks=16, shared=0.0, group=0.6).draw(np.random.default_rng(1))
    alike = Planted(space_of(2, 2, 2, 2), tasks=16, shared=0.6, group=0.0).draw(np.random.default_rng(1))
    assert NearestK().fit(*grouped, rng=RNG).k <= 8
    assert NearestK().fit(*alike, rng=RNG).k >= 8


def test_one_neighbour_is_the_nearest_task() -> None:
    matrix, embeddings = Planted(space_of(2, 2, 2, 2)).draw(np.random.default_rng(2))
    policy = NearestK(k=1).fit(matrix, embeddings, rng=RNG)
    chosen_T = policy.probabilities(embeddings.unit_TD).argmax(axis=1)
    np.testing.assert_array_equal(chosen_T, matrix.reward_TC.argmax(axis=1))


def test_bad_k() -> None:
    matrix, embeddings = Planted(space_of(2, 2)).draw(np.random.default_rng(2))
    with pytest.raises(BadInput, match="expected 1 to 10"):
        NearestK(k=11).fit(matrix, embeddings, rng=RNG)


def test_distance_weighting_mixes_what_the_policy_says_of_training_tasks() -> None:
    matrix, embeddings = Planted(space_of(2, 3, 2), tasks=6).draw(np.random.default_rng(4))
    base = Exact(epochs=60)
    policy = DistanceWeighted(base).fit(matrix, embeddings, rng=np.random.default_rng(1))
    heads = base.fit(matrix, embeddings, rng=np.random.default_rng(1)).marginals(embeddings.unit_TD)
    asked_XD = embeddings.unit_TD[[2, 5]]
    cosine_XT = asked_XD.astype(float) @ embeddings.unit_TD.T
    weight_XT = cosine_XT / cosine_XT.sum(axis=1, keepdims=True)
    for found, head_TL in zip(policy.marginals(asked_XD), heads, strict=True):
        np.testing.assert_allclose(found, weight_XT @ head_TL, rtol=1e-6)
    chance_XC = policy.probabilities(asked_XD)
    np.testing.assert_allclose(chance_XC.sum(axis=1), 1)
    first = [marginal[0, digit] for marginal, digit in zip(policy.marginals(asked_XD), (1, 2, 0), strict=True)]
    assert chance_XC[0, matrix.space.index("120")] == pytest.approx(np.prod(first))
    every_C = np.ones(len(matrix.space), dtype=bool)
    best_X = policy.decide(asked_XD, every_C).argmax(axis=1)
    np.testing.assert_array_equal(best_X, chance_XC.argmax(axis=1))
    every_C[best_X[0]] = False
    assert policy.decide(asked_XD, every_C).argmax(axis=1)[0] != best_X[0]


def test_distance_weighting_of_tasks_unlike_all_others() -> None:
    matrix, embeddings = Planted(space_of(2, 2), tasks=4).draw(np.random.default_rng(4))
    policy = DistanceWeighted(Exact(epochs=5)).fit(matrix, embeddings, rng=RNG)
    opposite_XD = -embeddings.unit_TD[:1]
    np.testing.assert_allclose(policy.weights(opposite_XD), 0.25)
    with pytest.raises(BadInput, match="same probe"):
        policy.probabilities(embeddings.unit_TD[:, :7])


def test_distance_weighting_is_compared_by_default() -> None:
    names = [learner.name for learner in LEARNERS]
    assert names[names.index("nearest_k") + 1] == "distance_weighted"
