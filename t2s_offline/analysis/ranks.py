"""Rankings that do not say more than they know: tie groups, rank intervals, the chance of being best.

One test for every pair, corrected over all pairs by Holm's method, is all that a ranking rests on. The rank interval of
an entry is 1 + those clearly better to N - those clearly worse: all intervals hold at once with 95 % (Mogstad, Romano,
Shaikh and Wilhelm 2024). A tie group begins with the first entry that is clearly worse than the first of the group
before.
Learners are compared over tasks by the studentised bootstrap of `intervals.py`; `posterior.py` compares configurations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from t2s_offline.analysis.intervals import RESAMPLES, paired
from t2s_offline.analysis.seed_noise import SIGNIFICANT, holm

Float64 = npt.NDArray[np.float64]

POWER = 0.8  # chance that a real difference is seen, for counts of seeds and tasks that would separate two
#: Standard errors that a difference must be worth to be seen at 5 % with that chance.
REACH = float(norm.ppf(1 - SIGNIFICANT / 2) + norm.ppf(POWER))


@dataclass(frozen=True)
class Place:
    """One entry of a ranking. mean: what it is ranked by; low, high: its rank interval, from 1; group: tie group, from
    1; p_best: chance of being the best."""

    name: str
    mean: float
    low: int
    high: int
    group: int
    p_best: float


@dataclass(frozen=True)
class Ranking:
    """Entries, the best first; pairs: how many there are; separate: how many of them differ after Holm's correction;
    more: further tasks (or seeds) that would separate the best two, 0 where they are, None where none would."""

    places: tuple[Place, ...]
    pairs: int
    separate: int
    more: int | None


def rank(
    names: Sequence[str], mean_N: Float64, p_P: Sequence[float], p_best_N: Float64, *, more: int | None
) -> Ranking:
    """A ranking, least mean first. p_P: p of each pair in the order of itertools.combinations; NaN: not known."""
    count = len(names)
    order = np.argsort(mean_N, kind="stable")
    first, second = np.triu_indices(count, 1)
    apart_NN = np.zeros((count, count), dtype=bool)
    apart_NN[first, second] = apart_NN[second, first] = holm_array(np.asarray(p_P, dtype=float)) < SIGNIFICANT
    worse_NN = apart_NN & (mean_N[:, None] > mean_N[None, :])  # row clearly worse than column
    places: list[Place] = []
    group, leader = 0, -1
    for at in order:
        if leader < 0 or worse_NN[at, leader]:
            group, leader = group + 1, int(at)
        low, high = 1 + int(worse_NN[at].sum()), count - int(worse_NN[:, at].sum())
        places.append(Place(names[at], float(mean_N[at]), low, high, group, float(p_best_N[at])))
    return Ranking(tuple(places), len(first), int(apart_NN.sum()) // 2, more)


def holm_array(p_P: Float64) -> Float64:
    """Holm's correction of many p; NaN stays NaN and counts for nothing."""
    return np.array(holm(p_P.tolist())) if len(p_P) else p_P


def rank_learners(regret: Mapping[str, Float64]) -> Ranking:
    """Learners by mean regret, (T,) tasks or (T, S) tasks x seeds each, the same tasks for all.

    p_best: share of resamples of tasks (and of each learner's seeds) in which a learner has the least mean; learners
    that are equal share it. With one task nothing separates and p_best is NaN.
    """
    names = list(regret)
    value = {name: (part[:, None] if part.ndim == 1 else part) for name, part in regret.items()}
    mean_N = np.array([value[name].mean() for name in names])
    p_P = [paired(value[one], value[other]).p for one, other in combinations(names, 2)]
    ranking = rank(names, mean_N, p_P, _chance_of_least([value[name] for name in names]), more=None)
    if len(names) < 2:
        return ranking
    best, next_best = (value[place.name] for place in ranking.places[:2])
    return Ranking(ranking.places, ranking.pairs, ranking.separate, more_tasks(next_best, best))


def _chance_of_least(values: Sequence[Float64], seed: int = 0) -> Float64:
    tasks = len(values[0])
    if tasks < 2:
        return np.full(len(values), np.nan)
    rng = np.random.default_rng(seed)
    drawn_RT = rng.multinomial(tasks, np.full(tasks, 1 / tasks), size=RESAMPLES) / tasks
    mean_RN = np.empty((RESAMPLES, len(values)))
    drawn_RS: dict[int, Float64] = {}
    for at, value_TS in enumerate(values):
        seeds = value_TS.shape[1]
        if seeds not in drawn_RS:
            drawn_RS[seeds] = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds
        mean_RN[:, at] = (drawn_RT * (drawn_RS[seeds] @ value_TS.T)).sum(axis=1)
    least_RN = mean_RN <= mean_RN.min(axis=1, keepdims=True) + 1e-12
    return np.asarray((least_RN / least_RN.sum(axis=1, keepdims=True)).mean(axis=0))


def more_tasks(worse: Float64, better: Float64) -> int | None:
    """Further tasks after which a mean difference as large as this is seen with a chance of 80 %; 0 where it is clear
    already, None where there is none or one task alone. The difference that was seen is taken for the true one."""
    difference = paired(worse, better)
    both = [part[:, None] if part.ndim == 1 else part for part in (worse, better)]
    value_T = (both[0] - both[1]).mean(axis=1)
    if difference.clear:
        return 0
    if len(value_T) < 2 or abs(difference.mean) < 1e-9:
        return None
    return max(math.ceil((REACH * float(value_T.std(ddof=1)) / difference.mean) ** 2) - len(value_T), 1)
