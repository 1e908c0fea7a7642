from __future__ import annotations

import numpy as np

from t2s_offline.analysis.ties import noise_sd_T, restrict, tied_TC, warning
from tests.planted import Planted, space_of


def test_a_warning_names_who_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(1)
    base_T = rng.random(20)
    line = warning({"a": base_T, "b": base_T + rng.normal(0.01, 0.2, 20), "far": base_T + 1})
    assert line is not None
    assert "a is not clearly better than b" in line
    assert "far" not in line
    assert warning({"a": base_T, "far": base_T + 1}) is None
    assert warning({"a": base_T}) is None
    alone = warning({"a": np.array([0.1]), "b": np.array([0.9])})
    assert alone is not None, "one task names no winner"


def test_a_warning_holds_the_spread_over_seeds() -> None:
    """Two learners whose means differ task by task, but by less than one of them does from seed to seed."""
    rng = np.random.default_rng(2)
    base_T = rng.random(20)
    seeded_TS = base_T[:, None] + 0.1 + rng.normal(0, 0.02, (20, 4)) + np.array([-0.3, 0.1, 0.3, -0.1])
    assert warning({"a": base_T, "b": seeded_TS.mean(axis=1)}) is None
    assert warning({"a": base_T, "b": seeded_TS}) is not None


def test_noise_by_seeds_and_by_high_degrees() -> None:
    space = space_of(*[2] * 6)
    several, _ = Planted(space, tasks=4, seeds=4, noise_sd=0.8).draw(np.random.default_rng(2))
    sd_T, how = noise_sd_T(several)
    assert how == "seeds"
    np.testing.assert_allclose(sd_T, 0.4, rtol=0.2)  # of a mean of four seeds
    smooth = Planted(space, tasks=4, rho=0.05, nugget=0.0, noise_sd=0.5)
    sd_T, how = noise_sd_T(smooth.draw(np.random.default_rng(3))[0])
    assert how == "high degrees"
    assert 0.2 < sd_T.mean() < 0.8
    few, _ = Planted(space_of(2, 2), tasks=3).draw(np.random.default_rng(3))
    assert noise_sd_T(few)[1] == "none"


def test_ties_and_restriction() -> None:
    matrix, _ = Planted(space_of(2, 2, 2), tasks=3).draw(np.random.default_rng(4))
    assert tied_TC(matrix, np.full(3, np.nan)).sum() == 3
    assert tied_TC(matrix, np.full(3, 1e3)).all()
    half = restrict(matrix, np.array([0, 3, 5, 6]))
    np.testing.assert_array_equal(np.flatnonzero(half.measured_C), [0, 3, 5, 6])
