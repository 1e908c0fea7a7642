"""Measuring one backbone after another by several metrics: what is measured, in which order, and the answer."""

from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.learners.measured_answer import (
    chosen_one_by_one,
    conditioned,
    improvement,
    replay_portfolio,
    taught_quality,
)
from t2s_offline.learners.surrogate import Surrogate, SurrogatePolicy
from t2s_offline.matrix import Embeddings, RewardMatrix
from tests.conftest import TINY_TASKS

TRAIN, TEST = TINY_TASKS[:3], TINY_TASKS[3]


@pytest.fixture
def policy(planted: RewardMatrix, planted_embeddings: Embeddings) -> SurrogatePolicy:
    return Surrogate().fit(planted.select(TRAIN), planted_embeddings.select(TRAIN), rng=np.random.default_rng(0))


def test_the_first_is_what_would_be_answered_and_all_find_the_best(
    planted: RewardMatrix, planted_embeddings: Embeddings, policy: SurrogatePolicy
) -> None:
    belief = policy.belief(planted_embeddings.select((TEST,)).unit_TD[0])
    reward_C = planted.reward_TC[planted.position(TEST)]
    at, every_C = {"knn5": reward_C, "linear": reward_C + 5}, np.ones(len(reward_C), dtype=bool)
    quality = taught_quality({"knn5": planted, "linear": planted}, TRAIN)
    first = chosen_one_by_one(belief, at, every_C, 1, quality, lambda level: 1.0)
    assert first.index_K.tolist() == [int(belief.mean_C.argmax())]
    whole = chosen_one_by_one(belief, at, every_C, 99, quality, lambda level: 1.0)
    assert sorted(whole.index_K.tolist()) == list(range(len(reward_C)))
    assert reward_C[whole.answer] == reward_C.max()
    allowed_C = every_C.copy()
    allowed_C[first.index_K] = False
    assert first.answer not in chosen_one_by_one(belief, at, allowed_C, 3, quality, lambda level: 1.0).index_K


def test_what_was_measured_without_noise_can_be_improved_elsewhere_alone(
    planted: RewardMatrix, planted_embeddings: Embeddings, policy: SurrogatePolicy
) -> None:
    belief = policy.belief(planted_embeddings.select((TEST,)).unit_TD[0])
    np.testing.assert_array_equal(improvement(belief, None), belief.mean_C)
    index_K = np.array([0, 3])
    found = conditioned(belief, index_K, {"knn5": planted.reward_TC[3][index_K]}, None, 0.0)
    gain_C = improvement(belief, found)
    assert gain_C[index_K].max() < 0.05 < np.delete(gain_C, index_K).max()


def test_a_portfolio_is_of_the_training_tasks(
    planted: RewardMatrix, planted_embeddings: Embeddings, policy: SurrogatePolicy
) -> None:
    unit_D = planted_embeddings.select((TEST,)).unit_TD[0]
    found = replay_portfolio(policy, unit_D, {"knn5": planted}, TRAIN, TEST, 3)
    best = {int(planted.reward_TC[planted.position(task)].argmax()) for task in TRAIN}
    assert set(found.index_K.tolist()) == best
