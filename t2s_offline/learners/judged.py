"""What can be told apart: ranks, ties and paired differences of learners, and of strategies that measure backbones.

Works on the normalised regrets behind the rows of `compare.py`, task by task: the same tasks for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis.intervals import paired
from t2s_offline.analysis.oracle import cross_fitted_T
from t2s_offline.analysis.ranks import Ranking, rank_learners
from t2s_offline.learners.compare import Comparison, Fold, Row, normalised, summarise
from t2s_offline.matrix import RewardMatrix

Float64 = npt.NDArray[np.float64]

#: What `curve` calls a strategy that measures -> what the rows of `compare` call it.
STRATEGIES = {
    "surrogate": "surrogate_shortlist",
    "prior_top": "prior_top",
    "fixed_top": "fixed_top",
    "portfolio": "portfolio",
    "random": "random_search",
}


@dataclass(frozen=True)
class Judged:
    """Rows with what can be told apart, and the rankings behind them by what they rank: a split, or "K = 8"."""

    rows: list[Row]
    rankings: dict[str, Ranking]


def judge(found: Comparison) -> Judged:
    """The rows of a comparison with ranks, and with differences to best fixed where it is there. Tasks that were
    learned from are left as they are: nearest is the oracle there by construction."""
    rows, rankings = list(found.rows), {}
    for split, regret in found.normalised_TS.items():
        if split == "seen" or len(regret) < 2:
            continue
        rankings[split] = rank_learners(regret)
        told = _told(regret, rankings[split], {"vs_fixed": "best_fixed"})
        rows = [replace(row, **told.get(row.learner, {})) if row.split == split else row for row in rows]
    return Judged(rows, rankings)


def judged_curve(
    matrix: RewardMatrix,
    folds: Sequence[Fold],
    counts: Sequence[int],
    reward_KT: Mapping[str, Float64],
    crossed_KT: Mapping[str, Float64] | None = None,
) -> Judged:
    """Rows for strategies that measure: rewards (counts, test tasks) by strategy, tasks in the folds' order.

    crossed_KT: the same, measured on all seeds but one and scored on the one that is left; None where there is one.
    """
    names = [task for fold in folds for task in fold.test]
    matrix = matrix.select(list(dict.fromkeys(names)))
    tested = [matrix.position(name) for name in names]
    cross_T = None if crossed_KT is None else cross_fitted_T(matrix)
    rows: list[Row] = []
    rankings: dict[str, Ranking] = {}
    for strategy, rewards in reward_KT.items():
        for at, count in enumerate(counts):
            crossed_T = None if crossed_KT is None else crossed_KT[strategy][at]
            name = STRATEGIES[strategy]
            rows.append(
                summarise(name, folds[0].split, matrix, tested, rewards[at], count, cross_T=cross_T, crossed=crossed_T)
            )
    for at, count in enumerate(counts):
        regret = {
            STRATEGIES[strategy]: normalised(matrix, rewards[at], tested) for strategy, rewards in reward_KT.items()
        }
        ranking = rankings[f"K = {count}"] = rank_learners(regret)
        told = _told(regret, ranking, {"vs_fixed": "fixed_top", "vs_portfolio": "portfolio"})
        rows = [replace(row, **told[row.learner]) if row.measured == count else row for row in rows]
    return Judged(rows, rankings)


def _told(regret: Mapping[str, Float64], ranking: Ranking, against: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Further columns by learner: its place, and its differences to others."""
    found: dict[str, dict[str, Any]] = {}
    for place in ranking.places:
        found[place.name] = {"rank_low": place.low, "rank_high": place.high, "tie_group": place.group}
        found[place.name]["p_best"] = place.p_best
        for column, other in against.items():
            if other in regret and place.name != other:
                gap = paired(regret[place.name], regret[other])
                found[place.name] |= {column: gap.mean, f"{column}_low": gap.low, f"{column}_high": gap.high}
    return found
