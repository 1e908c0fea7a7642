"""Learners against baselines on a reward table: seen and unseen tasks, or leaving one task out.

Rewards, embeddings and learners make a row a learner and split, with reward, regret and a 95 % interval over tasks and
seeds (`intervals.py`). Leaving a task out, no fit sees the task it is reported on; but what a learner is made of was
chosen by people who had seen the published table (`published.FORM_CHOSEN`). `judged.py` adds what can be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis.intervals import mean_interval
from t2s_offline.analysis.oracle import Floor, cross_fitted_T, floors
from t2s_offline.analysis.seed_noise import has_replicates
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
    None where it has none.

    What follows is None where it cannot be had, each with its 95 % interval. cross_: regret in percent against the
    cross-fitted oracle (`oracle.py`); with backbones measured on all seeds but one, scored on the one that is left.
    vs_fixed_, vs_portfolio_: normalised regret minus that of best fixed (with K measured: the K best on average) and of
    the greedy portfolio of K, on the same tasks. rank_low, rank_high, tie_group, p_best: see `ranks.Place`, among the
    learners of the split, or the strategies that measure as many."""

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
    cross_regret: float | None = None
    cross_low: float | None = None
    cross_high: float | None = None
    vs_fixed: float | None = None
    vs_fixed_low: float | None = None
    vs_fixed_high: float | None = None
    vs_portfolio: float | None = None
    vs_portfolio_low: float | None = None
    vs_portfolio_high: float | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    tie_group: int | None = None
    p_best: float | None = None


#: Columns that a comparison has only where they can be had.
FURTHER = tuple(field.name for field in fields(Row) if field.name not in ("hours",) and field.default is None)
#: The row of somebody who knows every true mean, where noise is known.
TRUE_BEST = "true_best"


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
    cross_T = cross_fitted_T(matrix)
    floor_T = floors(matrix) if has_replicates(matrix) else None
    rows: list[Row] = []
    regrets: dict[str, dict[str, Float64]] = {}
    for split in dict.fromkeys(fold.split for fold in folds):
        own = [fold for fold in folds if fold.split == split]
        # on tasks that were learned from, a choice has seen the noise that it is scored with
        crossed_T = None if any(set(fold.train) & set(fold.test) for fold in own) else cross_T
        tested = [matrix.position(task) for fold in own for task in fold.test]
        rows.append(summarise("oracle", split, matrix, tested, best_T[tested], cross_T=crossed_T))
        if floor_T is not None:
            rows.append(_true_best(split, matrix, [floor_T[at] for at in tested], tested))
        for learner in learners:
            reward_TS = np.concatenate([_reward(matrix, fold, chosen_TC[learner.name, fold.train]) for fold in own])
            rows.append(summarise(learner.name, split, matrix, tested, reward_TS, cross_T=crossed_T))
            regrets.setdefault(split, {})[learner.name] = normalised(matrix, reward_TS, tested)
        tasks = [matrix.tasks[at] for at in tested]
        rows += [
            summarise(name, split, matrix, tested, np.array([reward[task] for task in tasks]), cross_T=crossed_T)
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
    learner: str,
    split: str,
    matrix: RewardMatrix,
    tasks: Sequence[int],
    reward: Float64,
    measured: int = 0,
    *,
    cross_T: Float64 | None = None,
    crossed: Float64 | None = None,
) -> Row:
    """Means over tasks (and seeds) and the interval. The regret of a configuration is never below 0, and neither is its
    interval; a reference may be better than all of them.

    cross_T: the cross-fitted oracle of the matrix's tasks; crossed: rewards to set against it, `reward` by default.
    """
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
        **_against(cross_T, tasks, reward if crossed is None else crossed),
    )


def _against(cross_T: Float64 | None, tasks: Sequence[int], reward: Float64) -> dict[str, Any]:
    if cross_T is None:
        return {}
    own_T = cross_T[np.asarray(tasks)]
    interval = mean_interval(own_T.reshape((-1,) + (1,) * (reward.ndim - 1)) - reward)
    return {"cross_regret": interval.mean, "cross_low": interval.low, "cross_high": interval.high}


def _true_best(split: str, matrix: RewardMatrix, floor: Sequence[Floor], tested: Sequence[int]) -> Row:
    """The row of somebody who knows every true mean: by simulation, so its rewards are those of no configuration."""
    best_T = matrix.reward_TC[np.asarray(tested)][:, matrix.measured_C].max(axis=1)
    regret = float(np.mean([one.regret for one in floor]))
    interval = mean_interval(np.array([one.normalised for one in floor]))
    reward = float(best_T.mean()) - regret
    return Row(TRUE_BEST, split, len(floor), reward, regret, interval.mean, interval.low, interval.high)


def as_dicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as the JSON of `t2s-offline compare`: with those further columns that one of them has."""
    left_out = {name for name in FURTHER if all(getattr(row, name) is None for row in rows)}
    return [{name: value for name, value in vars(row).items() if name not in left_out} for row in rows]
