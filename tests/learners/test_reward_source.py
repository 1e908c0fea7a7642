"""Hits, misses and what is done about them."""

import numpy as np
import pytest

from t2s_offline.errors import BadInput, MissingReward
from t2s_offline.learners.reward_source import RewardSource
from t2s_offline.matrix import RewardMatrix


@pytest.fixture
def holed(planted: RewardMatrix) -> RewardMatrix:
    planted.accuracy_TCS[1, 3] = np.nan
    return planted


TASKS, CELLS = np.array([0, 1, 1]), np.array([3, 3, 2])


def test_error_names_the_cell_and_what_to_do(holed: RewardMatrix) -> None:
    with pytest.raises(MissingReward, match=r"task birds, configuration 011 under recipe tiny.*t2s-offline import"):
        RewardSource(holed).rewards(TASKS, CELLS)


def test_skip_gives_nan_and_counts(holed: RewardMatrix) -> None:
    source = RewardSource(holed, "skip")
    reward_B = source.rewards(TASKS, CELLS)
    assert np.isnan(reward_B).tolist() == [False, True, False]
    assert (source.hits, source.misses) == (2, 1)


def test_a_missing_baseline_is_the_mean_of_what_is_known(holed: RewardMatrix) -> None:
    source = RewardSource(holed, "skip")
    known = np.delete(holed.reward_TC[1], 3).mean()
    assert source.baselines(TASKS, CELLS) == pytest.approx([holed.reward_TC[0, 3], known, holed.reward_TC[1, 2]])


def test_live_is_asked_once_a_cell(holed: RewardMatrix) -> None:
    asked = []

    def live(task: str, configuration: str) -> float:
        asked.append((task, configuration))
        return 42.0

    source = RewardSource(holed, "live", live)
    for _ in range(2):
        assert source.rewards(np.array([1, 1]), np.array([3, 3])).tolist() == [42, 42]
    assert asked == [("birds", "011")]
    assert source.filled == {("birds", "011"): 42.0}
    assert (source.hits, source.misses) == (3, 1)
    assert np.isnan(holed.reward_TC[1, 3]), "the matrix itself is not changed"


def test_live_without_an_evaluator_or_with_a_bad_one(holed: RewardMatrix) -> None:
    with pytest.raises(BadInput, match="on-miss live"):
        RewardSource(holed, "live")
    with pytest.raises(BadInput, match="expected percent"):
        RewardSource(holed, "live", lambda _task, _configuration: float("nan")).rewards(TASKS, CELLS)
