"""Training several seeds: the same whatever the number of processes, and a card that says what was done."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.errors import BadInput, MissingReward
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.train_policy import train_policy
from t2s_offline.matrix import Embeddings, RewardMatrix

LEARNER = Reinforce(epochs=40, hidden=16, imitation_start=5)


def test_processes_change_nothing(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    one, two = (train_policy(LEARNER, planted, planted_embeddings, seeds=range(3), jobs=jobs) for jobs in (1, 2))
    for first, second in zip(one.policy.networks, two.policy.networks, strict=True):
        assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in vars(first))
    timeless = {"seconds": None, "created_at": None}
    assert one.card | timeless == two.card | timeless
    alone = train_policy(LEARNER, planted, planted_embeddings, seeds=[2]).policy.networks[0]
    assert np.array_equal(alone.weight2, one.policy.networks[2].weight2)


def test_the_card(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    progress = []
    trained = train_policy(
        LEARNER, planted, planted_embeddings, seeds=(0, 1), progress=lambda *done: progress.append(done)
    )
    card = trained.card
    assert (card["recipe"], card["metric"], card["probe"], card["seeds"]) == ("tiny", "knn5", "probe", [0, 1])
    assert card["tasks"] == list(planted.tasks)
    assert card["reached"]["oracle"] == 80
    assert card["reached"]["policy"] <= 80
    assert card["hyperparameters"]["epochs"] == 40
    assert (card["hits"] > 0, card["misses"]) == (True, 0)
    assert progress[0] == (1, 80)
    assert progress[-1] == (80, 80)


def test_a_centred_policy_is_judged_as_it_is_used(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    trained = train_policy(replace(LEARNER, centre=True), planted, planted_embeddings, seeds=(0, 1))
    assert trained.card["hyperparameters"]["centre"] is True
    assert trained.card["learner"] == "reinforce_centred"
    decided = trained.policy.probabilities(planted_embeddings.unit_TD).argmax(axis=1)
    assert trained.card["reached"]["policy"] == pytest.approx(planted.reward_TC[np.arange(4), decided].mean())
    np.testing.assert_allclose(trained.policy.centre_D, planted_embeddings.unit_TD.mean(axis=0), atol=1e-6)


def test_misses(planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    planted.accuracy_TCS[:, 0] = np.nan
    holed = replace(planted)
    with pytest.raises(MissingReward, match="configuration 000"):
        train_policy(LEARNER, holed, planted_embeddings, seeds=(0, 1, 2))
    skipped = train_policy(LEARNER, holed, planted_embeddings, on_miss="skip")
    assert skipped.card["misses"] > 0
    asked = []

    def live(task: str, configuration: str) -> float:
        asked.append((task, configuration))
        return 99.0

    trained = train_policy(LEARNER, holed, planted_embeddings, seeds=(0, 1), on_miss="live", live=live)
    assert trained.filled == dict.fromkeys(asked, 99.0)
    assert len(asked) == len(set(asked)) == trained.card["misses"]
    with pytest.raises(BadInput, match="nothing can measure"):
        train_policy(LEARNER, holed, planted_embeddings, on_miss="live")
