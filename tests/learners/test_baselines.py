"""What stands beside a policy."""

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.errors import BadInput
from t2s_offline.learners.baselines import BestFixed, DomainRandomization, Nearest, Random
from t2s_offline.matrix import Embeddings, RewardMatrix

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
