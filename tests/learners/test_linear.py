from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.linear import Linear, features, predict
from tests.planted import Planted, space_of


@pytest.mark.parametrize("kind", ["ucb", "thompson"])
def test_it_learns_a_shared_main_effect(kind: Literal["ucb", "thompson"]) -> None:
    matrix, embeddings = Planted(space_of(2, 2, 3), tasks=10, rho=0.2, shared=0.8, group=0.0).draw(
        np.random.default_rng(1)
    )
    policy = Linear(kind).fit(matrix, embeddings, rng=np.random.default_rng(0))
    chosen = policy.decide(embeddings.unit_TD, np.ones(12, dtype=bool)).argmax(axis=1)
    rank_T = (matrix.reward_TC > matrix.reward_TC[np.arange(10), chosen][:, None]).sum(axis=1)
    assert rank_T.mean() <= 3


def test_features_are_main_effects_and_pairs() -> None:
    feature_CF = features(space_of(2, 2, 2))
    assert feature_CF.shape == (8, 7)
    np.testing.assert_allclose(feature_CF.T @ feature_CF / 8, np.eye(7), atol=1e-12)
    assert predict(np.ones(14), np.ones((3, 2)), feature_CF).shape == (3, 8)


def test_thompson_depends_on_the_seed_alone() -> None:
    table = Planted(space_of(2, 2, 2, 2)).draw(np.random.default_rng(2))
    first, second = (Linear("thompson").fit(*table, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.weight_F, second.weight_F)


def test_bad_settings() -> None:
    with pytest.raises(BadInput, match="ridge 0"):
        Linear(ridge=0)
