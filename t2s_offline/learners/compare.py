"""Learners against baselines on a reward table: seen and unseen tasks, or leaving one task out.

Comes in: rewards, embeddings, learners. Goes out: a row a learner and split with reward, regret and a 95 % interval
over tasks and seeds (`intervals.py`). Ignores how a learner learns. No fit sees the task it is reported on; but what a
learner is made of was chosen by people who had seen the published table (`published.FORM_CHOSEN`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.errors import BadInput
from t2s_offline.learners.learner import Learner
from t2s_offline.learners.policy import Policy
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.seeds import derive_rng

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One learner on one split. reward and regret in percent; ci_low, ci_high: 95 % interval of normalised regret over
    tasks and, where a learner has several, seeds (NaN of one task); measured: backbones measured on the task before
    deciding; runs: configurations that learners saw; hours: what a sweep of so many takes by the table's own seconds,
    None where it has none."""

    learner: str
    split: str
    tasks: int
    reward: float
    regret: float
    normalised_regret: float
    ci_low: float
    ci_high: float
    measured: int = 0
    runs: int = 0
    hours: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Rows, and the normalised regret of every task and seed behind them, by split and learner (without the oracle and
    references)."""

    rows: list[Row]
    normalised_TS: dict[str, dict[str, Float64]]

    @property
    def normalised_T(self) -> dict[str, dict[str, Float64]]:
        """The same, mean over seeds."""
        return {
            split: {name: value_TS.mean(axis=1) for name, value_TS in found.items()}
            for split, found in self.normalised_TS.items()
        }


@dataclass(frozen=True)
class Fold:
    """Train on some tasks, report on others under the name of a split. relatives: tasks that are in neither, because
    they are of one source with the test tasks."""

    split: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    relatives: tuple[str, ...] = ()


def seen_unseen(seen: Sequence[str], unseen: Sequence[str]) -> list[Fold]:
    """Train on the seen tasks; report on them and on the unseen ones."""
    if not seen:
        raise BadInput("no task is marked seen; use --leave-one-out, or import tasks with a split column")
    folds = [Fold("seen", tuple(seen), tuple(seen))]
    return [*folds, Fold("unseen", tuple(seen), tuple(unseen))] if unseen else folds


def leave_one_out(tasks: Sequence[str], relatives: Mapping[str, str] | None = None) -> list[Fold]:
    """Each task in turn is reported on by learners that saw all others but its relatives.

    relatives: the name of its source by task; tasks of one name are relatives. Tasks that are not in it have none.
    """
    if len(tasks) < 2:
        raise BadInput(f"leaving one task out needs at least 2 tasks; there are {len(tasks)}")
    folds = []
    for task in tasks:
        name = (relatives or {}).get(task)
        kin = tuple(other for other in tasks if name and other != task and (relatives or {}).get(other) == name)
        train = tuple(other for other in tasks if other != task and other not in kin)
        if not train:
            raise BadInput(
                f"relatives of {task} ({name}) are all the other tasks, so nothing is left to learn from; "
                "expected other tasks too; to leave each task out alone: --alone"
            )
        folds.append(Fold("leave_one_out", train, (task,), kin))
    return folds


def compare(
    matrix: RewardMatrix,
    embeddings: Embeddings,
    learners: Sequence[Learner[Policy]],
    folds: Sequence[Fold],
    *,
    taught: RewardMatrix | None = None,
    references: Mapping[str, Mapping[str, float]] | None = None,
    seeds: int = 1,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Rows for the oracle and every learner, split by split, in the order given, then for the references.

    `taught`: rewards that learners may see, all by default; fewer to ask what a smaller sweep would have given.
    `references`: rewards by name and task of what no configuration makes (`scratch`, `real:NAME`); one that lacks a
    task of a split has no row there.
    """
    names = list(dict.fromkeys(task for fold in folds for task in (*fold.train, *fold.test)))
    matrix, embeddings = matrix.select(names), embeddings.select(names)
    if not matrix.measured_C.any():
        raise BadInput("no configuration is measured on all tasks; sweep the missing cells or compare fewer tasks")
    # learners of the same training tasks are fitted once, whatever the splits they are reported on
    fits = [
        (learner, train, seed)
        for learner in learners
        for train in dict.fromkeys(fold.train for fold in folds)
        for seed in range(seeds if learner.seeded else 1)
    ]
    chosen_TC: dict[tuple[str, tuple[str, ...]], list[Float64]] = {}
    seen = matrix if taught is None else taught.select(names)
    for number, (fit, decision_TC) in enumerate(_run(fits, seen, matrix.measured_C, embeddings, jobs)):
        chosen_TC.setdefault((fit[0].name, fit[1]), []).append(decision_TC)
        if progress is not None:
            progress(number + 1, len(fits))

    best_T = matrix.reward_TC[:, matrix.measured_C].max(axis=1)
    rows: list[Row] = []
    regrets: dict[str, dict[str, Float64]] = {}
    for split in dict.fromkeys(fold.split for fold in folds):
        own = [fold for fold in folds if fold.split == split]
        tested = [matrix.position(task) for fold in own for task in fold.test]
        rows.append(summarise("oracle", split, matrix, tested, best_T[tested]))
        for learner in learners:
            reward_TS = np.concatenate([_reward(matrix, fold, chosen_TC[learner.name, fold.train]) for fold in own])
            rows.append(summarise(learner.name, split, matrix, tested, reward_TS))
            regrets.setdefault(split, {})[learner.name] = normalised(matrix, reward_TS, tested)
        tasks = [matrix.tasks[at] for at in tested]
        rows += [
            summarise(name, split, matrix, tested, np.array([reward[task] for task in tasks]))
            for name, reward in (references or {}).items()
            if all(task in reward for task in tasks)
        ]
    return Comparison(rows, regrets)


def _reward(matrix: RewardMatrix, fold: Fold, decisions_TC: Sequence[Float64]) -> Float64:
    """Reward of what each seed decided for the fold's test tasks, shape (tests, seeds)."""
    at = [matrix.position(task) for task in fold.test]
    known_TC = np.where(matrix.measured_C, matrix.reward_TC, 0.0)
    return np.stack([(decision_TC * known_TC)[at].sum(axis=1) for decision_TC in decisions_TC], axis=1)


Fit = tuple[Learner[Policy], tuple[str, ...], int]


def _run(
    fits: Sequence[Fit], matrix: RewardMatrix, measured_C: npt.NDArray[np.bool_], embeddings: Embeddings, jobs: int
) -> Iterable[tuple[Fit, Float64]]:
    """Fit; seeded learners are the slow ones and go to worker processes. Yields decisions (T, C) on all tasks."""
    slow = [fit for fit in fits if fit[0].seeded]
    quick = [fit for fit in fits if not fit[0].seeded]
    if jobs == 1 or len(slow) < 2:
        yield from ((fit, _decide(fit, matrix, measured_C, embeddings)) for fit in (*quick, *slow))
        return
    from joblib import Parallel, delayed

    # the quick ones go last: they fill the gaps that the slow ones leave at the end
    order = [*slow, *quick]
    work = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)
    yield from zip(order, work(delayed(_decide)(fit, matrix, measured_C, embeddings) for fit in order), strict=True)


def _decide(fit: Fit, matrix: RewardMatrix, measured_C: npt.NDArray[np.bool_], embeddings: Embeddings) -> Float64:
    from threadpoolctl import threadpool_limits

    learner, train, seed = fit
    with threadpool_limits(1):  # small products: threads cost more than they give, and would change rounding
        policy = learner.fit(
            matrix.select(train), embeddings.select(train), rng=derive_rng(learner.name, matrix.recipe, seed)
        )
        return policy.decide(embeddings.unit_TD, measured_C)


def normalised(matrix: RewardMatrix, reward: Float64, tasks: Sequence[int]) -> Float64:
    """Regret over (best minus mean over all measured configurations), 0 where all are equal; reward: (tasks,) or
    (tasks, seeds), and so is the answer."""
    known_TC = matrix.reward_TC[np.asarray(tasks)][:, matrix.measured_C]
    shape = (-1,) + (1,) * (reward.ndim - 1)
    best, mean = known_TC.max(axis=1).reshape(shape), known_TC.mean(axis=1).reshape(shape)
    scale = np.broadcast_to(best - mean, reward.shape)
    return np.divide(best - reward, scale, out=np.zeros(reward.shape), where=scale > 0)


def summarise(
    learner: str, split: str, matrix: RewardMatrix, tasks: Sequence[int], reward: Float64, measured: int = 0
) -> Row:
    """Means over tasks (and seeds) and the interval. The regret of a configuration is never below 0, and neither is its
    interval; a reference may be better than all of them."""
    best_T = matrix.reward_TC[np.asarray(tasks)][:, matrix.measured_C].max(axis=1)
    interval = mean_interval(normalised(matrix, reward, tasks))
    return Row(
        learner,
        split,
        len(tasks),
        float(reward.mean()),
        float(best_T.mean() - reward.mean()),
        interval.mean,
        float(np.maximum(interval.low, 0.0)) if interval.mean >= 0 else interval.low,
        interval.high,
        measured,
    )


def curve_rows(
    matrix: RewardMatrix, folds: Sequence[Fold], counts: Sequence[int], reward_KT: Mapping[str, Float64]
) -> list[Row]:
    """Rows for strategies that measure: rewards (counts, test tasks) by strategy, tasks in the folds' order."""
    names = [task for fold in folds for task in fold.test]
    matrix = matrix.select(list(dict.fromkeys(names)))
    tested = [matrix.position(name) for name in names]
    return [
        summarise(strategy, folds[0].split, matrix, tested, reward_T, count)
        for strategy, rewards in reward_KT.items()
        for count, reward_T in zip(counts, rewards, strict=True)
    ]


def as_dicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as the JSON of `t2s-offline compare`."""
    return [vars(row).copy() for row in rows]
