"""What an answer is worth, on draws whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from t2s_offline.learners.worth import best_probability, level_probabilities, worth_of
from t2s_offline.space import SimSpace

SPACE = SimSpace.parse("a:2,b:2")


@pytest.fixture(scope="module")
def drawn_NC() -> np.ndarray:
    """A level that nobody knows, and differences that are known well: 3 above 2 above 1; 0 ties with 3."""
    rng = np.random.default_rng(0)
    level_N1 = rng.normal(60.0, 10.0, (20_000, 1))
    return level_N1 + np.array([2.9, -3.0, 0.0, 3.0]) + rng.normal(0.0, 0.3, (20_000, 4))


def test_gains_are_surer_than_the_reward(drawn_NC: np.ndarray) -> None:
    found = worth_of(SPACE, 3, drawn_NC, {"best_fixed": 2, "domain_randomization": 3}, (50.0, 1.0))
    assert found.expected == pytest.approx(63.0, abs=0.3)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 10.0, rel=0.05)
    fixed, randomized, untrained = found.gains
    assert fixed["gain"] == pytest.approx(3.0, abs=0.05)
    assert 2.0 < fixed["low"] < fixed["high"] < 4.0
    assert (randomized["gain"], randomized["low"], randomized["high"]) == (0.0, 0.0, 0.0)
    assert untrained["gain"] == pytest.approx(13.0, abs=0.5)
    assert found.tied == ["00"], "and not what is clearly worse"
    assert 0.5 < found.p_best < 0.7


def test_probabilities_of_levels_add_up(drawn_NC: np.ndarray) -> None:
    best_C = best_probability(drawn_NC)
    assert best_C.sum() == pytest.approx(1.0)
    levels = level_probabilities(SPACE, best_C)
    assert levels["a"] == pytest.approx([best_C[0] + best_C[1], best_C[2] + best_C[3]])
    assert sum(levels["b"]) == pytest.approx(1.0)


def test_an_accuracy_stays_within_its_bounds(drawn_NC: np.ndarray) -> None:
    """A level that is hardly known reaches beyond 0 and 100; differences are left as they are."""
    wide_NC = 5 * (drawn_NC - 60.0) + 60.0
    free, held = (worth_of(SPACE, 3, wide_NC, {"other": 2}, bounds=bounds) for bounds in ((-1e9, 1e9), (0.0, 100.0)))
    assert free.low < 0 < 100 < free.high
    assert 0 <= held.low < held.expected < held.high <= 100
    assert held.gains == free.gains
