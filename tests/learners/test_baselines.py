"""What stands beside a policy."""

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.baselines import (
    BestFixed,
    DomainRandomization,
    Nearest,
    Random,
    greedy_portfolio,
    mean_standardised,
)
from t2s_offline.learners.posterior import standardise
from t2s_offline.matrix import Embeddings, RewardMatrix
from tests.planted import Planted, space_of

RNG = np.random.default_rng(0)
ALL = np.ones(8, dtype=bool)


def test_best_fixed_is_best_on_average_of_what_all_tasks_have(
    planted: RewardMatrix, planted_embeddings: Embeddings
) -> None:
    unit_TD = planted_embeddings.unit_TD
    policy = BestFixed().fit(planted, planted_embeddings, rng=RNG)
    best = int(planted.reward_TC.mean(axis=0).argmax())
    assert policy.decide(unit_TD, ALL).argmax(axis=1).tolist() == [best] * 4
    planted.accuracy_TCS[0, best] = np.nan
    holed = replace(planted)
    policy = BestFixed().fit(holed, planted_embeddings, rng=RNG)
    assert policy.decide(unit_TD, ALL).argmax(axis=1)[0] != best


def test_domain_randomization_needs_its_cell(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    policy = DomainRandomization().fit(planted, planted_embeddings, rng=RNG)
    assert policy.probabilities(planted_embeddings.unit_TD).argmax(axis=1).tolist() == [7] * 4
    with pytest.raises(BadInput, match="111 is not measured"):
        policy.decide(planted_embeddings.unit_TD, np.arange(8) < 7)


def test_random_is_uniform_over_what_is_measured(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    policy = Random().fit(planted, planted_embeddings, rng=RNG)
    assert np.allclose(policy.decide(planted_embeddings.unit_TD, np.arange(8) < 4)[0], [0.25] * 4 + [0] * 4)


def test_nearest_takes_the_best_of_the_most_similar_task(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    policy = Nearest().fit(planted, planted_embeddings, rng=RNG)
    close = planted_embeddings.unit_TD[[2]] * 0.9 + planted_embeddings.unit_TD[[0]] * 0.1
    best = int(planted.reward_TC[2].argmax())
    assert policy.probabilities(close).argmax() == best
    assert policy.decide(close, np.arange(8) != best).argmax() == np.delete(planted.reward_TC[2], best).argmax()


def test_nothing_to_learn_from(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    planted.accuracy_TCS[1] = np.nan
    holed = replace(planted)
    with pytest.raises(BadInput, match="best_fixed"):
        BestFixed().fit(holed, planted_embeddings, rng=RNG)
    with pytest.raises(BadInput, match="birds"):
        Nearest().fit(holed, planted_embeddings, rng=RNG)


def test_a_portfolio_covers_tasks_that_differ() -> None:
    """Best on average takes three configurations of the same kind; the portfolio one of each kind, then the average."""
    first, second = [9.0, 8.5, 8.0, 1.0, 2.0, 0.0], [1.0, 2.0, 0.0, 9.0, 8.0, 3.0]
    signal_TC = np.array([first, first, first, second])
    order = greedy_portfolio(signal_TC)
    assert order[:2].tolist() == [0, 3]
    assert sorted(order.tolist()) == list(range(6))
    mean_C = mean_standardised(signal_TC)
    assert np.argsort(-mean_C)[:2].tolist() == [0, 1]
    assert (np.diff(mean_C[order[2:]]) <= 1e-12).all(), "once every task has its best, the highest mean joins"


def test_each_step_of_a_portfolio_is_the_best_there_is() -> None:
    matrix, _ = Planted(space_of(2, 2, 2, 2), tasks=7).draw(np.random.default_rng(2))
    z_TC = standardise(matrix.reward_TC)[0]
    order = greedy_portfolio(matrix.reward_TC)
    for size in range(1, 6):
        worth = {
            at: z_TC[:, [*order[: size - 1], at]].max(axis=1).mean() for at in range(16) if at not in order[: size - 1]
        }
        assert worth[order[size - 1]] == pytest.approx(max(worth.values()))


def test_a_portfolio_is_made_of_what_is_measured() -> None:
    signal_TC = np.array([[5.0, np.nan, 1.0, 4.0], [1.0, 9.0, 2.0, 3.0]])
    assert greedy_portfolio(signal_TC)[0] == 3, "of those that all tasks have"
    assert greedy_portfolio(signal_TC)[1] == 1
