"""Predictions from a saved policy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from t2s_offline.errors import BadInput, UnknownName
from t2s_offline.learners.policy import SavedPolicy
from t2s_offline.learners.predict import predict
from t2s_offline.learners.reinforce import Reinforce
from t2s_offline.learners.train_policy import train_policy
from t2s_offline.matrix import Embeddings, RewardMatrix

LEARNER = Reinforce(epochs=600, hidden=40, warmup_epochs=20, imitation_start=30, decay_epochs=600, learning_rate=3e-3)


@pytest.fixture
def saved(planted: RewardMatrix, planted_embeddings: Embeddings) -> SavedPolicy:
    tasks = planted.tasks[:3]
    trained = train_policy(LEARNER, planted.select(tasks), planted_embeddings.select(tasks), seeds=(0, 1))
    return SavedPolicy(trained.policy, trained.card)


def test_a_training_task(saved: SavedPolicy, planted: RewardMatrix, planted_embeddings: Embeddings) -> None:
    result = predict(saved, planted_embeddings, "birds", planted, top=8).as_dict()
    assert result["configuration"] == "101" == result["top"][0]["configuration"]
    assert (result["reward"], result["best"], result["regret"]) == (80, 80, 0)
    assert sum(row["probability"] for row in result["top"]) == pytest.approx(1)
    assert [row["reward"] for row in result["top"]] == [
        planted.reward_TC[1, planted.space.index(row["configuration"])] for row in result["top"]
    ]
    assert {name: sum(levels) for name, levels in result["probabilities"].items()} == pytest.approx(
        {"rotation": 1, "light": 1, "blur": 1}
    )
    assert {row["task"] for row in result["nearest"]} == {"apples", "cars"}


def test_an_unseen_task_without_rewards(
    saved: SavedPolicy, planted: RewardMatrix, planted_embeddings: Embeddings
) -> None:
    result = predict(saved, planted_embeddings, "digits", planted.select(["apples"]))
    assert result.reward is result.regret is None
    assert [row["reward"] for row in result.top] == [None] * 5
    similarity = [row["similarity"] for row in result.nearest]
    assert similarity == sorted(similarity, reverse=True)
    unit_TD = planted_embeddings.unit_TD
    assert similarity[0] == pytest.approx(max(unit_TD[:3] @ unit_TD[3]), abs=1e-6)


def test_what_does_not_fit_is_refused(
    saved: SavedPolicy, planted: RewardMatrix, planted_embeddings: Embeddings
) -> None:
    with pytest.raises(UnknownName, match="birds"):
        predict(saved, planted_embeddings, "bird")
    with pytest.raises(BadInput, match="probe other"):
        predict(replace(saved, card={"probe": "other"}), planted_embeddings, "birds")
    with pytest.raises(BadInput, match="top 9"):
        predict(saved, planted_embeddings, "birds", top=9)
    narrow = Embeddings("probe", planted.tasks, np.ones((4, 3), dtype=np.float32))
    with pytest.raises(BadInput, match="same probe"):
        predict(saved, narrow, "birds")
