from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.compare import leave_one_out
from t2s_offline.learners.posterior import Belief
from t2s_offline.learners.shortlist import curve, replay, replay_random, replay_top, shortlist
from t2s_offline.learners.surrogate import Surrogate
from t2s_offline.store.reward_store import RewardStore
from tests.planted import Planted, space_of


@pytest.fixture(scope="module")
def new_task() -> tuple[Belief, np.ndarray]:
    """A belief about a task, and its rewards."""
    matrix, embeddings = Planted(space_of(2, 2, 2, 2, 2), tasks=10).draw(np.random.default_rng(1))
    known = matrix.tasks[:-1]
    policy = Surrogate().fit(matrix.select(known), embeddings.select(known), rng=np.random.default_rng(0))
    return policy.belief(embeddings.unit_TD[-1]), matrix.reward_TC[-1]


def test_the_path(new_task: tuple[Belief, np.ndarray]) -> None:
    belief, reward_C = new_task
    found = shortlist(belief, lambda index: float(reward_C[index]), 6)
    measured = [step.measured for step in found.steps]
    assert len({step.configuration for step in found.steps}) == 6
    assert belief.kernel.space.index(found.steps[0].configuration) == belief.mean_C.argmax()
    assert reward_C[belief.kernel.space.index(found.configuration)] == max(measured)
    for step, value in zip(found.steps, measured, strict=True):
        at = belief.kernel.space.index(step.configuration)
        assert found.mean_C[at] == pytest.approx(value, abs=0.01)
        assert found.sd_C[at] < 0.05
    assert set(found.as_dicts()[0]) == {"configuration", "expected", "sd", "measured", "answer"}


def test_measuring_everything_finds_the_best(new_task: tuple[Belief, np.ndarray]) -> None:
    belief, reward_C = new_task
    obtained = replay(belief, reward_C, reward_C, [0, 1, 8, 32])
    assert obtained[0] == obtained[1] == reward_C[belief.mean_C.argmax()]
    assert obtained[-1] == reward_C.max()


def test_nothing_but_the_allowed_is_measured(new_task: tuple[Belief, np.ndarray]) -> None:
    belief, reward_C = new_task
    allowed_C = np.arange(32) % 3 == 0
    found = shortlist(belief, lambda index: float(reward_C[index]), 11, allowed_C=allowed_C)
    assert all(belief.kernel.space.index(step.configuration) % 3 == 0 for step in found.steps)
    with pytest.raises(BadInput, match="expected 0 to 11"):
        shortlist(belief, lambda index: float(reward_C[index]), 12, allowed_C=allowed_C)


def test_with_noise_a_lucky_measurement_is_not_trusted(new_task: tuple[Belief, np.ndarray]) -> None:
    belief, reward_C = new_task
    found = shortlist(belief, lambda index: float(reward_C[index]), 6, noise_sd=3.0)
    at = [belief.kernel.space.index(step.configuration) for step in found.steps]
    assert belief.kernel.space.index(found.configuration) == at[int(found.mean_C[at].argmax())]
    assert (found.sd_C[at] > 0.1).all()


def test_noise_may_go_by_the_mean_of_what_was_measured(new_task: tuple[Belief, np.ndarray]) -> None:
    belief, reward_C = new_task
    asked = []

    def noise_sd(percent: float) -> float:
        asked.append(percent)
        return 3.0

    found = shortlist(belief, lambda index: float(reward_C[index]), 4, noise_sd=noise_sd)
    measured = [step.measured for step in found.steps]
    assert asked == pytest.approx([np.mean(measured[: at + 1]) for at in range(4)])
    same = shortlist(belief, lambda index: float(reward_C[index]), 4, noise_sd=3.0)
    assert found.steps == same.steps


def test_a_measurement_that_is_no_number_is_refused(new_task: tuple[Belief, np.ndarray]) -> None:
    with pytest.raises(BadInput, match="gave nan"):
        shortlist(new_task[0], lambda index: float("nan"), 1)


def test_expected_improvement_is_in_percent(new_task: tuple[Belief, np.ndarray]) -> None:
    belief, reward_C = new_task
    posterior = belief.given(np.array([3, 17]), reward_C[[3, 17]])
    best, rng = float(reward_C[[3, 17]].max()), np.random.default_rng(0)
    scale = rng.choice(len(posterior.scale_G), size=200_000, p=posterior.weight_G)
    for at in (0, 9, 30):
        unit = posterior.mean_GC[scale, at] + np.sqrt(posterior.variance_GC[scale, at]) * rng.standard_normal(
            len(scale)
        )
        drawn = np.maximum(posterior.scale_G[scale] * unit - best, 0.0)
        error = 4 * drawn.std() / np.sqrt(len(drawn))
        assert posterior.expected_improvement(best)[at] == pytest.approx(drawn.mean(), abs=error)


def test_random_search_is_exact() -> None:
    reward_C = np.array([3.0, 9.0, 1.0, np.nan, 4.0, 7.0])
    known = [value for value in reward_C if np.isfinite(value)]
    expected = [np.mean([max(some) for some in combinations(known, count)]) for count in (1, 2, 3, 5)]
    np.testing.assert_allclose(replay_random(reward_C, reward_C, [1, 2, 3, 5]), expected)
    assert replay_random(reward_C, reward_C, [0])[0] == pytest.approx(np.mean(known))


def test_prior_top_keeps_the_best_measured() -> None:
    score_C, signal_C = np.array([3.0, 2.0, 1.0]), np.array([10.0, 30.0, 20.0])
    np.testing.assert_array_equal(replay_top(score_C, signal_C, signal_C, [0, 1, 2, 3]), [10, 10, 30, 30])


def test_published_curve(published_store: RewardStore) -> None:
    matrix = published_store.matrix()
    embeddings = published_store.embeddings().select(matrix.tasks)
    folds = [(fold.train, fold.test[0]) for fold in leave_one_out(matrix.tasks)]
    found = curve(matrix, embeddings, Surrogate(), folds, [0, 4, 8, 16, 32])
    best_T, mean_T = matrix.reward_TC.max(axis=1), matrix.reward_TC.mean(axis=1)
    regret = {name: ((best_T - reward_KT) / (best_T - mean_T)).mean(axis=1) for name, reward_KT in found.items()}
    assert (regret["surrogate"] <= [0.44, 0.22, 0.17, 0.11, 0.045]).all()
    assert (regret["surrogate"][1:] < regret["random"][1:]).all()
    assert (regret["surrogate"][1:] < regret["prior_top"][1:]).all()
    np.testing.assert_allclose(regret["portfolio"], [0.464, 0.232, 0.187, 0.123, 0.09], atol=0.002)
    assert (regret["portfolio"][1:] < regret["fixed_top"][1:]).all()
