"""The answer of a saved policy for one embedded task, and what the store knows of the configurations in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.errors import BadInput
from t2s_offline.learners.policy import SavedPolicy
from t2s_offline.learners.worth import best_probability, level_probabilities
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimSpace

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """A policy's answer for one task.

    probabilities: of each level, by parameter. top: the likeliest configurations. nearest: training tasks by cosine.
    reward, best, regret: of the answer, of the task's best measured configuration, and best minus reward, in percent
    (scores for logme); None where the store has none. measured: the steps of a measured shortlist, or a row a measured
    backbone; empty without. worth: see `worth.Worth`.
    """

    task: str
    configuration: str
    probabilities: dict[str, list[float]]
    top: list[dict[str, Any]]
    nearest: list[dict[str, Any]]
    reward: float | None = None
    best: float | None = None
    regret: float | None = None
    measured: list[dict[str, Any]] = field(default_factory=list)
    worth: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON of `t2s-offline predict`; `worth` only where it is known."""
        return {name: value for name, value in vars(self).items() if name != "worth" or value is not None}


def predict(
    saved: SavedPolicy,
    embeddings: Embeddings,
    task: str,
    matrix: RewardMatrix | None = None,
    *,
    top: int = 5,
    nearest: int = 3,
) -> Prediction:
    """The policy's answer for one embedded task with the `top` likeliest configurations and `nearest` training tasks.

    `matrix` adds rewards where it has the task. BadInput when probe or space are not those of the policy.
    """
    probe = saved.card.get("probe")
    if probe is not None and probe != embeddings.probe:
        raise BadInput(f"the policy was trained on embeddings of probe {probe}; these are of {embeddings.probe}")
    policy, space = saved.policy, saved.policy.space
    if matrix is not None and matrix.space != space:
        raise BadInput(f"the policy is for the space {space}; recipe {matrix.recipe} has {matrix.space}")
    if not 1 <= top <= len(space):
        raise BadInput(f"top {top}: expected 1 to {len(space)} configurations")
    unit_1D = embeddings.unit_TD[[embeddings.position(task)]]
    chance_C = policy.probabilities(unit_1D)[0]
    order = np.argsort(-chance_C, kind="stable")[:top]
    reward_C = np.full(len(space), np.nan)
    if matrix is not None and task in matrix.tasks:
        reward_C = matrix.reward_TC[matrix.position(task)]
    reward = known(reward_C[order[0]])
    best = float(np.nanmax(reward_C)) if not np.isnan(reward_C).all() else None
    return Prediction(
        task=task,
        configuration=space.configurations[order[0]],
        probabilities={
            name: head[0].tolist() for name, head in zip(space.names, policy.marginals(unit_1D), strict=True)
        },
        top=[
            {
                "configuration": space.configurations[index],
                "probability": float(chance_C[index]),
                "reward": known(reward_C[index]),
            }
            for index in order
        ],
        nearest=similar_tasks(embeddings, task, tuple(saved.card.get("tasks", ())), nearest),
        reward=reward,
        best=best,
        regret=None if reward is None or best is None else best - reward,
    )


def predict_from_draws(
    space: SimSpace,
    drawn_NC: Float64,
    answer: int,
    embeddings: Embeddings,
    task: str,
    training: tuple[str, ...],
    matrix: RewardMatrix | None = None,
    *,
    top: int = 5,
    nearest: int = 3,
) -> Prediction:
    """The answer `answer` with what draws from the task's posterior say, (N, C) in percent: probabilities are those of
    being the best configuration, or of the best one's levels."""
    if not 1 <= top <= len(space):
        raise BadInput(f"top {top}: expected 1 to {len(space)} configurations")
    best_C = best_probability(drawn_NC)
    reward_C = np.full(len(space), np.nan)
    if matrix is not None and task in matrix.tasks:
        reward_C = matrix.reward_TC[matrix.position(task)]
    reward = known(reward_C[answer])
    best = float(np.nanmax(reward_C)) if not np.isnan(reward_C).all() else None
    return Prediction(
        task=task,
        configuration=space.configurations[answer],
        probabilities=level_probabilities(space, best_C),
        top=[
            {
                "configuration": space.configurations[index],
                "probability": float(best_C[index]),
                "reward": known(reward_C[index]),
                "expected": float(drawn_NC[:, index].mean()),
            }
            for index in np.argsort(-best_C, kind="stable")[:top]
        ],
        nearest=similar_tasks(embeddings, task, training, nearest),
        reward=reward,
        best=best,
        regret=None if reward is None or best is None else best - reward,
    )


def after_measuring(
    found: Prediction, configuration: str, path: list[dict[str, Any]], matrix: RewardMatrix | None
) -> Prediction:
    """The prediction with its configuration replaced by the one that measuring led to; path: the steps of measuring."""
    reward = None
    if matrix is not None and found.task in matrix.tasks:
        reward = known(matrix.reward_TC[matrix.position(found.task), matrix.space.index(configuration)])
    regret = None if reward is None or found.best is None else found.best - reward
    return replace(found, configuration=configuration, reward=reward, regret=regret, measured=path)


def known(value: float) -> float | None:
    """None for NaN, which JSON cannot hold."""
    return None if np.isnan(value) else float(value)


def similar_tasks(embeddings: Embeddings, task: str, training: tuple[str, ...], count: int) -> list[dict[str, Any]]:
    """The training tasks with the most similar embeddings (cosine), the task itself left out."""
    others = [name for name in embeddings.tasks if name in training and name != task]
    if not others:
        return []
    unit_D = embeddings.unit_TD[embeddings.position(task)]
    similarity_T = embeddings.select(others).unit_TD @ unit_D
    order = np.argsort(-similarity_T, kind="stable")[:count]
    return [{"task": others[row], "similarity": float(similarity_T[row])} for row in order]
