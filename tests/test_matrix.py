"""Rewards and embeddings as arrays."""

import numpy as np
import pytest

from t2s_offline.analysis.ties import restrict
from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.matrix import Embeddings, RewardMatrix, mean_over_seeds
from t2s_offline.space import SimSpace


def test_mean_over_seeds_ignores_what_is_missing() -> None:
    accuracy_TCS = np.array([[[1.0, 3.0], [np.nan, 5.0], [np.nan, np.nan]]])
    assert np.array_equal(mean_over_seeds(accuracy_TCS), [[2.0, 5.0, np.nan]], equal_nan=True)


def test_learners_look_at_val_accuracy_where_there_is_one(tiny_space: SimSpace) -> None:
    test_TCS, val_TCS = np.full((1, 8, 1), 10.0), np.full((1, 8, 1), 20.0)
    assert RewardMatrix("r", "knn5", tiny_space, ("a",), test_TCS).signal_TC[0, 0] == 10
    matrix = RewardMatrix("r", "knn5", tiny_space, ("a",), test_TCS, val_TCS)
    assert (matrix.signal_TC[0, 0], matrix.reward_TC[0, 0]) == (20, 10)


def test_a_gap_in_val_accuracy_concerns_its_task_alone(tiny_space: SimSpace) -> None:
    test_TCS, val_TCS = np.full((3, 8, 2), 10.0), np.full((3, 8, 2), 20.0)
    val_TCS[1, 3, 0] = np.nan
    test_TCS[2, 0], val_TCS[2, 0] = np.nan, np.nan  # not measured at all: no gap
    matrix = RewardMatrix("r", "knn5", tiny_space, ("a", "b", "c"), test_TCS, val_TCS)
    assert matrix.val_T.tolist() == [True, False, True]
    assert matrix.unvalidated == ("b",)
    assert matrix.signal_TC[0].tolist() == [20] * 8
    assert matrix.signal_TC[1].tolist() == [10] * 8, "val and test are never mixed within a task"
    assert matrix.signal_TCS[1].tolist() == test_TCS[1].tolist()
    assert matrix.select(["b"]).val_TCS is None
    assert matrix.select(["c", "b"]).val_T.tolist() == [True, False]
    assert RewardMatrix("r", "knn5", tiny_space, ("a",), test_TCS[:1]).unvalidated == ("a",)


def test_a_fraction_keeps_what_a_task_is_chosen_on(tiny_space: SimSpace) -> None:
    test_TCS, val_TCS = np.full((2, 8, 1), 10.0), np.full((2, 8, 1), 20.0)
    val_TCS[1, 3] = np.nan
    matrix = RewardMatrix("r", "knn5", tiny_space, ("a", "b"), test_TCS, val_TCS)
    assert restrict(matrix, np.array([0, 1])).unvalidated == ("b",)


def test_pictures_are_those_of_the_part_that_learners_look_at(tiny_space: SimSpace) -> None:
    value_TCS, n_eval_T, n_val_T = np.ones((2, 8, 1)), np.array([300.0, 400]), np.array([60.0, np.nan])
    both = RewardMatrix("r", "knn5", tiny_space, ("a", "b"), value_TCS, value_TCS, n_eval_T, n_val_T)
    np.testing.assert_array_equal(both.pictures_T, n_val_T)
    test_only = RewardMatrix("r", "knn5", tiny_space, ("a", "b"), value_TCS, None, n_eval_T, n_val_T)
    assert test_only.select(["b"]).pictures_T.tolist() == [400]
    assert np.isnan(RewardMatrix("r", "knn5", tiny_space, ("a", "b"), value_TCS).pictures_T).all()


def test_select_keeps_rows_together(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    chosen = planted.select(["digits", "apples"])
    assert np.array_equal(chosen.reward_TC, planted.reward_TC[[3, 0]])
    assert np.array_equal(planted_embeddings.select(["cars"]).vector_TD, planted_embeddings.vector_TD[[2]])
    with pytest.raises(UnknownName, match="apples"):
        planted.select(["aples"])
    with pytest.raises(UnknownName, match="birds"):
        planted_embeddings.select(["bird"])


def test_a_configuration_is_measured_when_every_task_has_it(planted: RewardMatrix) -> None:
    accuracy_TCS = planted.accuracy_TCS.copy()
    accuracy_TCS[2, 5] = np.nan
    matrix = RewardMatrix("r", "knn5", planted.space, planted.tasks, accuracy_TCS)
    assert np.flatnonzero(~matrix.measured_C).tolist() == [5]


def test_unit_vectors_have_length_one(planted_embeddings: Embeddings) -> None:
    assert np.linalg.norm(planted_embeddings.unit_TD, axis=1) == pytest.approx(np.ones(4), abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_an_embedding_without_direction_is_refused(bad: float) -> None:
    with pytest.raises(BadInput, match="embedding of a"):
        Embeddings("p", ("a",), np.full((1, 3), bad, dtype=np.float32))
    with pytest.raises(BadInput):
        Embeddings("p", ("a", "b"), np.ones((1, 3), dtype=np.float32))
