"""What the surrogate believes of a task, and the answer with its worth once backbones were measured or looked up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from t2s_offline.api.told import WARNING
from t2s_offline.errors import BadInput
from t2s_offline.recipe import ACCURACY_METRICS

if TYPE_CHECKING:
    from t2s_offline.api.question import Question
    from t2s_offline.learners.measured_answer import MeasuredAnswer
    from t2s_offline.learners.posterior import Belief
    from t2s_offline.learners.predict import Prediction
    from t2s_offline.learners.quality import Quality
    from t2s_offline.learners.surrogate import SurrogatePolicy
    from t2s_offline.matrix import Embeddings, RewardMatrix

#: Backbones that are measured on pictures when nothing is said.
PORTFOLIO = 8
DRAWS = 4000  # from the posterior: enough for probabilities to a hundredth
FEW = 5  # tasks, below which nothing can be said of what is usual


@dataclass(frozen=True)
class Known:
    """What the table teaches about a task. others: the tasks that are learned from; policy: the surrogate of their
    rewards."""

    question: Question
    embeddings: Embeddings
    others: tuple[str, ...]
    policy: SurrogatePolicy

    @property
    def matrix(self) -> RewardMatrix:
        if self.question.matrix is None:
            raise BadInput("the surrogate needs rewards to learn from: name their recipe with --recipe")
        return self.question.matrix

    @property
    def matrices(self) -> dict[str, RewardMatrix]:
        """Rewards by metric, the target first."""
        return {self.matrix.metric: self.matrix, **self.question.other_metrics}

    @cached_property
    def belief(self) -> Belief:
        return self.policy.belief(self.embeddings.select((self.question.about.name,)).unit_TD[0])

    @cached_property
    def quality(self) -> Quality | None:
        from t2s_offline.learners.measured_answer import taught_quality

        return taught_quality(self.matrices, self.others)


def known_of(question: Question, embeddings: Embeddings) -> Known:
    """Fit the surrogate to the rewards of the other tasks."""
    others, policy = fitted(question, embeddings)
    return Known(question, embeddings, tuple(others), policy)


def by_lookup(question: Question, embeddings: Embeddings, count: int, top: int = 5) -> Prediction:
    """The surrogate's answer for a task whose rewards of up to `count` configurations of a portfolio are looked up;
    with a count of 0 a guess."""
    import numpy as np

    from t2s_offline.learners.measured_answer import conditioned, portfolio_order

    known, task, told = known_of(question, embeddings), question.about.name, question.told
    matrix, quality = known.matrix, known.quality
    values = {name: np.zeros(0) for name in known.matrices}
    index_K, noise_sd = np.zeros(0, dtype=np.int64), 0.0
    if count and question.replays:
        rows = {name: rewards for name, rewards in known.matrices.items() if task in rewards.tasks}
        at = {name: rewards.signal_TC[rewards.position(task)] for name, rewards in rows.items()}
        allowed_C = np.isfinite(np.stack(list(at.values()))).all(axis=0)
        index_K = portfolio_order(matrix.select(known.others), allowed_C)[:count]
        values = {name: value_C[index_K] for name, value_C in at.items()}
        quality = quality if len(at) == len(known.matrices) else None
        told(
            f"looking up {', '.join(at)} of {len(index_K)} configurations of {task}; learned from {len(known.others)} "
            f"tasks"
        )
    if len(index_K):
        noise = known.policy.noise.at(matrix.pictures_T[matrix.position(task)])
        noise_sd = noise(float(values[matrix.metric].mean()))
    else:
        told(
            "nothing was measured: this is a guess from similar tasks; measure backbones with --backbones or --measure"
        )
    found = conditioned(known.belief, index_K, values, quality, noise_sd)
    steps = [{name: float(value_K[row]) for name, value_K in values.items()} for row in range(len(index_K))]
    return finished(known, found, steps, None, noise_sd, top)


def finished(
    known: Known,
    found: MeasuredAnswer,
    steps: list[dict[str, Any]],
    untrained: float | None,
    noise_sd: float,
    top: int = 5,
) -> Prediction:
    """The answer with its worth. steps: what is known of each measured backbone beside its configuration and what is
    expected of it; untrained: of an untrained network, in percent; noise_sd: of one measurement, in percent."""
    import numpy as np

    from t2s_offline.learners.predict import predict_from_draws
    from t2s_offline.learners.worth import worth_of
    from t2s_offline.seeds import derive_rng

    matrix, others, space = known.matrix, list(known.others), known.matrix.space
    drawn_NC = known.belief.draw_given(
        found.index_K, found.estimate_K, DRAWS, derive_rng("predict", "draws"), noise_sd=found.noise_sd
    )
    fixed = best_fixed(matrix, others)
    compared = {f"best fixed {space.configurations[fixed]}": fixed}
    if space.domain_randomization in space.configurations:
        compared["domain randomization"] = space.index(space.domain_randomization)
    worth = worth_of(
        space, found.answer, drawn_NC, compared, None if untrained is None else (untrained, noise_sd),
        derive_rng("predict", "untrained"), (0.0, 100.0) if matrix.metric in ACCURACY_METRICS else (-np.inf, np.inf),
    )  # fmt: skip
    prediction = predict_from_draws(
        space, drawn_NC, found.answer, known.embeddings, known.question.about.name, known.others, matrix, top=top
    )
    if far := distant(known.embeddings, others, prediction.nearest):
        known.question.told(far)
    rows = [
        {
            "configuration": space.configurations[index],
            **{name: value for name, value in step.items() if name in known.matrices},
            "expected": float(found.mean_C[index]),
            "sd": float(found.sd_C[index]),
            **{name: value for name, value in step.items() if name not in known.matrices},
        }
        for index, step in zip(found.index_K, steps, strict=True)
    ]
    return replace(prediction, measured=rows, worth=worth.as_dict())


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
