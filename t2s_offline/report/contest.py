"""The comparisons behind a report: learners that are fast enough, a saved policy beside them, measured shortlists.

Everything is fitted and judged by the functions that `t2s-offline compare` calls, so that the report and the command
give the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis.ranks import Ranking
from t2s_offline.errors import BadInput, T2SError
from t2s_offline.learners import compare as comparing
from t2s_offline.learners.baselines import BestFixed, DomainRandomization, Nearest, Random
from t2s_offline.learners.compare import TRUE_BEST, Comparison, Fold, Row
from t2s_offline.learners.exact import Exact
from t2s_offline.learners.judged import Judged, judge, judged_curve
from t2s_offline.learners.learner import Learner
from t2s_offline.learners.nearest import NearestK
from t2s_offline.learners.policy import Policy
from t2s_offline.learners.shortlist import Remembered, crossed_curve, curve
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.report.facts import Facts, reason
from t2s_offline.store.published import is_published

Float64 = npt.NDArray[np.float64]

COUNTS = (0, 1, 2, 4, 8, 16, 32)
POLICY = "policy"
#: names of learners and strategies -> what people call them
LABELS = {
    "oracle": "oracle",
    TRUE_BEST: "truly best",
    "random": "random",
    "domain_randomization": "Domain Randomization",
    "best_fixed": "best fixed",
    "best_fixed_standardised": "best fixed (standardised)",
    "nearest": "nearest task",
    "nearest_k": "k nearest tasks",
    "exact": "exact gradient",
    "surrogate": "surrogate",
    POLICY: "policy",
    "surrogate_shortlist": "surrogate's shortlist",
    "prior_top": "its first guess's best",
    "fixed_top": "best on average",
    "portfolio": "greedy portfolio",
    "random_search": "random search",
}


def label(name: str) -> str:
    """What people call a learner, a strategy or a reference; references are called by their name."""
    return LABELS.get(name, name)


@dataclass(frozen=True)
class Saved:
    """A policy that was learned before, as a learner: there is nothing left to fit."""

    policy: Policy
    name: str = POLICY
    seeded: bool = False

    def fit(self, matrix: RewardMatrix, embeddings: Embeddings, *, rng: np.random.Generator) -> Policy:
        return self.policy


@dataclass(frozen=True)
class Contest:
    """split: learners on the tasks that were learned from and on the others; left_out: leaving each task out; curve:
    regret against measured backbones; each None or empty where it cannot be had. missing: why not. folds: those of
    leaving out; published: the rewards are the authors' own; rankings: of learners by split, of strategies by count,
    such as "K = 8"."""

    split: Comparison | None
    left_out: Comparison | None
    curve: tuple[Row, ...]
    missing: tuple[str, ...]
    folds: tuple[Fold, ...] = ()
    published: bool = False
    rankings: Mapping[str, Ranking] = field(default_factory=dict)

    @property
    def main(self) -> Comparison | None:
        """What tasks are shown under: the split where there is one."""
        return self.split or self.left_out


def hold(facts: Facts, counts: Sequence[int] = COUNTS) -> Contest:
    """Run every comparison that the store allows."""
    missing: list[str] = []
    matrix = facts.matrix.select(facts.contested)
    surrogate = Remembered()
    references = facts.store.references(matrix.recipe, matrix.metric)
    learners, embeddings = _learners(facts, matrix, surrogate, missing)
    split = left_out = None
    each: list[Fold] = []
    measured = Judged([], {})
    rankings: dict[str, Ranking] = {}
    seen = [task for task in matrix.tasks if task in facts.training]
    unseen = [task for task in matrix.tasks if task not in facts.training]
    try:
        if seen:
            folds = comparing.seen_unseen(seen, unseen)
            saved = [Saved(facts.policy.policy)] if facts.policy is not None else []
            split = _able(matrix, embeddings, [*learners, *saved], folds, references, missing)
        else:
            missing.append("No task is marked as seen, so there is no split: tasks are shown left out one by one.")
    except T2SError as error:
        missing.append(f"Seen and unseen tasks are not compared: {reason(error)}")
    try:
        each = comparing.leave_one_out(matrix.tasks, facts.store.relatives())
        left_out = _able(matrix, embeddings, learners, each, references, missing)
        if any(row.learner == surrogate.name for row in left_out.rows):
            measured = _curve(matrix, embeddings, surrogate, each, counts)
    except T2SError as error:
        missing.append(f"No task is left out in turn: {reason(error)}")
    published = is_published(facts.store, facts.matrix.recipe)
    for found in (split, left_out):
        if found is not None:
            judged = judge(found)
            found.rows[:] = judged.rows
            rankings |= judged.rankings
    rankings |= measured.rankings
    return Contest(split, left_out, tuple(measured.rows), tuple(missing), tuple(each), published, rankings)


def _able(
    matrix: RewardMatrix,
    embeddings: Embeddings,
    learners: Sequence[Learner[Policy]],
    folds: Sequence[Fold],
    references: Mapping[str, Mapping[str, float]],
    missing: list[str],
) -> Comparison:
    """The comparison without the learners that refuse the table, such as a surrogate with one task to learn from."""
    try:
        return comparing.compare(matrix, embeddings, learners, folds, references=references)
    except T2SError as error:
        first = error
    able, lines = [], []
    for learner in learners:
        try:
            comparing.compare(matrix, embeddings, [learner], folds)
            able.append(learner)
        except T2SError as error:
            lines.append(f"{LABELS[learner.name].capitalize()} is left out: {reason(error)}")
    if not able:
        raise first
    missing += [line for line in lines if line not in missing]
    return comparing.compare(matrix, embeddings, able, folds, references=references)


def _learners(
    facts: Facts, matrix: RewardMatrix, surrogate: Remembered, missing: list[str]
) -> tuple[list[Learner[Policy]], Embeddings]:
    """Those that the store allows; without embeddings only those that look at none."""
    learners: list[Learner[Policy]] = [Random(), BestFixed(), BestFixed(standardised=True)]
    if matrix.measured_C[matrix.space.index(matrix.space.domain_randomization)]:
        learners.insert(1, DomainRandomization())
    else:
        missing.append(
            f"Domain Randomization ({matrix.space.domain_randomization}) is not measured on all tasks and is left out."
        )
    if facts.embeddings is None:
        return learners, Embeddings("none", matrix.tasks, np.ones((len(matrix.tasks), 1), dtype=np.float32))
    return [*learners, Nearest(), NearestK(), Exact(), surrogate], facts.embeddings.select(matrix.tasks)


def _curve(
    matrix: RewardMatrix, embeddings: Embeddings, learner: Remembered, folds: Sequence[Fold], counts: Sequence[int]
) -> Judged:
    """As `t2s-offline compare --leave-one-out --measure COUNTS`, with the counts that the table allows."""
    available = int(np.isfinite(matrix.reward_TC).sum(axis=1).min())
    counts = [count for count in counts if count <= available]
    pairs = [(fold.train, task) for fold in folds for task in fold.test]
    rewards = curve(matrix, embeddings, learner, pairs, counts)
    crossed = crossed_curve(matrix, embeddings, learner, pairs, counts)
    found = judged_curve(matrix, folds, counts, rewards, crossed)
    runs = int(matrix.measured_C.sum())
    return replace(found, rows=[replace(row, runs=runs) for row in found.rows])


@dataclass(frozen=True)
class TaskReward:
    """What a learner obtains on one task, percent; normalised: regret over (best - mean of all configurations)."""

    task: str
    split: str
    learner: str
    reward: float
    normalised: float
    best: float
    mean: float


def by_task(facts: Facts, found: Comparison) -> list[TaskReward]:
    """Rewards of every learner task by task, behind the means of `found`; the oracle is the best of each task."""
    matrix = facts.matrix.select(facts.contested)
    seen = [task for task in matrix.tasks if task in facts.training]
    tested = {
        "seen": seen,
        "unseen": [task for task in matrix.tasks if task not in seen],
        "leave_one_out": list(matrix.tasks),
    }
    rows = []
    for split, regret in found.normalised_T.items():
        known_TC = matrix.select(tested[split]).reward_TC[:, matrix.measured_C]
        best_T, mean_T = known_TC.max(axis=1), known_TC.mean(axis=1)
        for learner, normalised_T in {"oracle": np.zeros(len(best_T)), **regret}.items():
            reward_T = best_T - normalised_T * (best_T - mean_T)
            rows += [
                TaskReward(task, split, learner, *map(float, values))
                for task, *values in zip(tested[split], reward_T, normalised_T, best_T, mean_T, strict=True)
            ]
    return rows


def chosen(facts: Facts, learner: Learner[Policy] | None = None) -> dict[str, str]:
    """The configuration that a policy acts on for each contested task: that of the policy given, or of a learner that
    saw the training tasks (all tasks where there is no split)."""
    matrix = facts.matrix.select(facts.contested)
    known = facts.embeddings.select(matrix.tasks) if facts.embeddings is not None else None
    if known is None:
        known = Embeddings("none", matrix.tasks, np.ones((len(matrix.tasks), 1), dtype=np.float32))
    train = [task for task in matrix.tasks if task in facts.training] or list(matrix.tasks)
    if learner is None and facts.policy is None:
        raise BadInput("there is no policy; give one with --policy DIR")
    policy: Policy
    if learner is not None:
        policy = learner.fit(matrix.select(train), known.select(train), rng=np.random.default_rng(0))
    elif facts.policy is not None:
        policy = facts.policy.policy
    decided_T = policy.decide(known.unit_TD, matrix.measured_C).argmax(axis=1)
    return {task: matrix.space.configurations[at] for task, at in zip(matrix.tasks, decided_T, strict=True)}
