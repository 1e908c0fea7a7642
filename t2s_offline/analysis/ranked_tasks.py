"""How sure the best configuration of each task is: rankings of configurations as rows, for `effects` and the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from t2s_offline.analysis.oracle import Floor, simulate
from t2s_offline.analysis.posterior import known_of, rank_configurations
from t2s_offline.analysis.ranks import Ranking
from t2s_offline.matrix import RewardMatrix
from t2s_offline.seeds import derive_rng


@dataclass(frozen=True)
class RankedTask:
    """The configurations of one task in order, and the floor of its regret (`oracle.Floor`)."""

    task: str
    ranking: Ranking
    floor: Floor

    @property
    def tied(self) -> int:
        """Configurations in the first tie group, the best one among them."""
        return sum(place.group == 1 for place in self.ranking.places)

    @property
    def apart(self) -> float:
        """Pairs of configurations that separate after Holm's correction over the task's pairs, percent."""
        return 100 * self.ranking.separate / self.ranking.pairs if self.ranking.pairs else 0.0


def ranked_tasks(matrix: RewardMatrix) -> tuple[RankedTask, ...]:
    """Every task, on what is measured of it. BadInput where noise is not known (`posterior.known_of`)."""
    found = []
    for task in matrix.tasks:
        known = known_of(matrix, task)
        floor = simulate(known, derive_rng("floor", matrix.recipe, matrix.metric, task))
        found.append(RankedTask(task, rank_configurations(matrix, known), floor))
    return tuple(found)


def task_rows(found: Sequence[RankedTask]) -> tuple[list[str], list[list[object]]]:
    """Columns and rows, a row a task, the surest best configuration first. seeds: None where no number would do."""
    order = sorted(found, key=lambda one: (one.tied, -one.ranking.places[0].p_best))
    rows: list[list[object]] = []
    for one in order:
        best = one.ranking.places[0]
        rows.append([
            one.task, best.name, best.mean, best.p_best, one.tied, one.apart, one.floor.regret, one.floor.normalised,
            one.ranking.more,
        ])  # fmt: skip
    return ["task", "best", "percent", "p_best", "tied", "apart", "floor", "normalised", "seeds"], rows


def configuration_rows(one: RankedTask, top: int) -> tuple[list[str], list[list[object]]]:
    """Columns and rows of the `top` configurations of one task. percent: mean without what seeds add to all."""
    rows: list[list[object]] = [
        [place.name, place.mean, place.low, place.high, place.group, place.p_best] for place in one.ranking.places[:top]
    ]
    return ["configuration", "percent", "low", "high", "group", "p_best"], rows
