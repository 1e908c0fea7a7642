from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.nearest import NearestK
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
