"""The default answer for pictures: backbones of the table measured on them, and what the surrogate makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from t2s_offline.api.told import WARNING
from t2s_offline.errors import BadInput
from t2s_offline.recipe import ACCURACY_METRICS

if TYPE_CHECKING:
    from t2s_offline.api.question import Question
    from t2s_offline.learners.predict import Prediction
    from t2s_offline.learners.surrogate import SurrogatePolicy
    from t2s_offline.matrix import Embeddings, RewardMatrix

#: Backbones that are measured on pictures when nothing is said.
PORTFOLIO = 8
DRAWS = 4000  # from the posterior: enough for probabilities to a hundredth
FEW = 5  # tasks, below which nothing can be said of what is usual


def by_portfolio(question: Question, embeddings: Embeddings, count: int, top: int = 5) -> Prediction:
    """The surrogate's answer after up to `count` backbones of a portfolio were measured by every metric of the table.

    The portfolio is the greedy one for the table's other tasks, of those backbones that are within reach; a task of the
    table is not measured but looked up.
    """
    import numpy as np

    from t2s_offline.learners.measured_answer import conditioned, portfolio_order, taught_quality
    from t2s_offline.learners.predict import predict_from_draws
    from t2s_offline.learners.worth import worth_of
    from t2s_offline.seeds import derive_rng

    task, told = question.about.name, question.told
    if question.matrix is None:
        raise BadInput("the surrogate needs rewards to learn from: name their recipe with --recipe")
    matrices = {question.matrix.metric: question.matrix, **question.other_metrics}
    matrix, space = question.matrix, question.matrix.space
    others, policy = fitted(question, embeddings)
    belief = policy.belief(embeddings.select((task,)).unit_TD[0])
    values = {name: np.zeros(0) for name in matrices}
    index_K, noise_sd, untrained = np.zeros(0, dtype=np.int64), 0.0, None
    quality = taught_quality(matrices, others)
    if count and question.replays:
        at = {name: known.signal_TC[known.position(task)] for name, known in matrices.items() if task in known.tasks}
        index_K = portfolio_order(matrix.select(others), np.isfinite(np.stack(list(at.values()))).all(axis=0))[:count]
        values = {name: value_C[index_K] for name, value_C in at.items()}
        quality = quality if len(at) == len(matrices) else None
        noise = policy.noise.at(matrix.pictures_T[matrix.position(task)])
        told(f"looking up {', '.join(at)} of {len(index_K)} configurations of {task}; learned from {len(others)} tasks")
    elif count and question.measurable:
        kept = question.kept
        index_K = portfolio_order(matrix.select(others), kept.allowed_C & matrix.measured_C)[:count]
        told(
            f"measuring {', '.join(matrices)} of {len(index_K)} backbones on {kept.pictures} pictures of {task}, of "
            f"{kept.task['val'].image_NCHW.shape[-1]} px"
        )
        rows = kept.measure_each([*map(int, index_K), None], tuple(matrices))
        values = {name: np.array([row[name] for row in rows[:-1]]) for name in matrices}
        untrained = rows[-1][matrix.metric]
        noise = policy.noise.at(kept.pictures)
    if len(index_K):
        noise_sd = noise(float(values[matrix.metric].mean()))
    found = conditioned(belief, index_K, values, quality, noise_sd)
    drawn_NC = belief.draw_given(
        index_K, found.estimate_K, DRAWS, derive_rng("predict", "draws"), noise_sd=found.noise_sd
    )
    compared = {f"best fixed {space.configurations[best_fixed(matrix, others)]}": best_fixed(matrix, others)}
    if space.domain_randomization in space.configurations:
        compared["domain randomization"] = space.index(space.domain_randomization)
    worth = worth_of(
        space, found.answer, drawn_NC, compared, None if untrained is None else (untrained, noise_sd),
        derive_rng("predict", "untrained"), (0.0, 100.0) if matrix.metric in ACCURACY_METRICS else (-np.inf, np.inf),
    )  # fmt: skip
    prediction = predict_from_draws(
        space, drawn_NC, found.answer, embeddings, task, tuple(others), question.matrix, top=top
    )
    if len(index_K) == 0:
        told(
            "nothing was measured: this is a guess from similar tasks; measure backbones with --backbones or --measure"
        )
    far = distant(embeddings, others, prediction.nearest)
    if far:
        told(far)
    steps = [
        {
            "configuration": space.configurations[index],
            **{name: float(value_K[row]) for name, value_K in values.items()},
            "expected": float(found.mean_C[index]),
            "sd": float(found.sd_C[index]),
        }
        for row, index in enumerate(index_K)
    ]
    return replace(prediction, measured=steps, worth=worth.as_dict())


def fitted(question: Question, embeddings: Embeddings) -> tuple[list[str], SurrogatePolicy]:
    """The tasks that are learned from, without the one that is asked about, and the surrogate of their rewards."""
    from t2s_offline.learners.surrogate import Surrogate
    from t2s_offline.seeds import derive_rng

    task, matrix = question.about.name, question.matrix
    if matrix is None:
        raise BadInput("the surrogate needs rewards to learn from: name their recipe with --recipe")
    others = [name for name in matrix.tasks if name != task and name in embeddings.tasks]
    return others, Surrogate().fit(matrix.select(others), embeddings.select(others), rng=derive_rng("predict"))


def best_fixed(matrix: RewardMatrix, tasks: list[str]) -> int:
    """The configuration with the highest mean standardised reward on these tasks."""
    from t2s_offline.learners.baselines import mean_standardised

    return int(mean_standardised(matrix.select(tasks).signal_TC).argmax())


def distant(embeddings: Embeddings, others: list[str], nearest: list[dict[str, Any]]) -> str:
    """A warning when the nearest task is farther than the tasks of the table are from each other; else empty."""
    import numpy as np

    if len(others) < FEW or not nearest:
        return ""
    cosine_TT = embeddings.select(others).unit_TD @ embeddings.select(others).unit_TD.T
    np.fill_diagonal(cosine_TT, -1.0)
    usual = float(np.percentile(cosine_TT.max(axis=1), 5.0))
    if nearest[0]["similarity"] >= usual:
        return ""
    return (
        f"{WARNING}no task of the table is near: the nearest, {nearest[0]['task']}, has similarity "
        f"{nearest[0]['similarity']:.2f}, where tasks of the table find one above {usual:.2f}; trust what was measured"
    )
