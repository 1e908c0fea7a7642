"""Accuracy against the number of classes, of objects or of pictures, over the recipes of one store (Figures 6 to 8).

For recipes that differ in one of these numbers alone (`ladders.py`): curves of a chosen configuration and of Domain
Randomization, their paired difference at each point, its slope per doubling, and whether varying everything catches up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np
import numpy.typing as npt

from t2s_offline.analysis.intervals import Interval, mean_interval, paired
from t2s_offline.analysis.ladders import Ladder, ladders
from t2s_offline.errors import BadInput, EmptyStore
from t2s_offline.matrix import RewardMatrix
from t2s_offline.recipe import Recipe
from t2s_offline.store.reward_store import RewardStore

Float64 = npt.NDArray[np.float64]

YES, NO, UNKNOWN = "yes", "no", "cannot be told"


@dataclass(frozen=True)
class Curve:
    """Both configurations along a ladder, where both are measured on the same tasks and seeds.

    counts, recipes, pictures: of the K points that are; accuracy_K: a (2, T, S) array a point, the chosen configuration
    first, percent, S the seeds of that point; absent: counts of the ladder that are not measured; partial: tasks that
    some point lacks, which are left out; rivals: configurations that the chosen one is the best of.
    """

    field: str
    counts: tuple[int, ...]
    recipes: tuple[str, ...]
    pictures: tuple[int, ...]
    chosen: str
    everything: str
    tasks: tuple[str, ...]
    accuracy_K: tuple[Float64, ...]
    absent: tuple[int, ...] = ()
    partial: tuple[str, ...] = ()
    rivals: int = 1

    @property
    def seeds(self) -> int:
        """Seeds that every point has."""
        return min(part.shape[2] for part in self.accuracy_K)

    def without(self, tasks: Collection[str]) -> Curve:
        """The curve without these tasks; BadInput when none is left."""
        kept = [at for at, task in enumerate(self.tasks) if task not in tasks]
        if not kept:
            raise BadInput("no task is left; leave out fewer")
        return replace(
            self,
            tasks=tuple(self.tasks[at] for at in kept),
            accuracy_K=tuple(part[:, kept] for part in self.accuracy_K),
        )


@dataclass(frozen=True)
class Point:
    """One number of classes, objects or images: means over tasks with 95 % intervals over tasks and seeds, percent;
    difference: chosen minus everything varied, task by task and seed by seed."""

    count: int
    recipe: str
    pictures: int
    seeds: int
    chosen: Interval
    everything: Interval
    difference: Interval


@dataclass(frozen=True)
class Trend:
    """A curve in numbers. Slopes are least squares on the binary logarithm of the count, points of accuracy per
    doubling; catches_up: YES, NO or UNKNOWN, and why."""

    points: tuple[Point, ...]
    chosen: Interval
    everything: Interval
    difference: Interval
    catches_up: str
    why: str


def ladders_of(store: RewardStore) -> list[Ladder]:
    """The ladders of a store; recipes that are not of this project (a table from elsewhere) are passed over."""
    recipes = {}
    for name, contents in store.frame("recipes").select("recipe", "contents").iter_rows():
        try:
            recipes[name] = Recipe.from_contents(contents or "")
        except BadInput:
            continue
    return ladders(recipes, store.recipes())


def middle(store: RewardStore, metric: str = "knn5") -> str | None:
    """The recipe with rewards that stands in most ladders; None when the store has no ladder, or no rewards there."""
    with store.reader() as con:
        rows = con.execute("SELECT recipe, count(*) FROM rewards WHERE metric = ? GROUP BY ALL", [metric]).fetchall()
    cells = dict(rows)
    names = [name for ladder in ladders_of(store) for step in ladder.recipes for name in step if name in cells]
    return max(names, key=lambda name: (names.count(name), cells[name], name)) if names else None


def shared_tasks(store: RewardStore, other: RewardStore) -> set[str]:
    """Tasks of a store that another has rewards of: under the same name, or the same pictures under another."""
    with other.reader() as con:
        names = {row[0] for row in con.execute("SELECT DISTINCT task FROM rewards").fetchall()}
    pictures = {digest for task, digest in other.digests().items() if digest and task in names}
    return {task for task, digest in store.digests().items() if task in names or digest in pictures}


def read_curve(store: RewardStore, ladder: Ladder, metric: str = "knn5") -> Curve | None:
    """Domain Randomization beside the other configuration of a ladder; where several stand beside it, the best of them
    by mean val accuracy (test accuracy where there is none). None with fewer than two points that have both."""
    matrices: dict[int, RewardMatrix] = {}
    for count, names in zip(ladder.counts, ladder.recipes, strict=True):
        own = [found for name in names if (found := _matrix(store, name, metric)) is not None]
        if own:  # one content under two names: the fuller one
            matrices[count] = max(own, key=lambda matrix: int(np.isfinite(matrix.accuracy_TCS).sum()))
    if len(matrices) < 2:
        return None
    space = next(iter(matrices.values())).space
    everything = space.index(space.domain_randomization)
    chosen, rivals = _choose(list(matrices.values()), everything)
    if chosen is None:
        return None
    pair = [chosen, everything]
    has: dict[int, set[str]] = {}
    for count, matrix in matrices.items():
        both_TS = np.isfinite(matrix.accuracy_TCS[:, chosen] + matrix.accuracy_TCS[:, everything])
        if both_TS.any():
            has[count] = {matrix.tasks[at] for at in np.flatnonzero(both_TS.any(axis=1))}
    tasks = tuple(sorted(set.intersection(*has.values()))) if has else ()
    kept, parts = [], []
    for count in has:
        matrix = matrices[count].select(tasks)
        part = matrix.accuracy_TCS[:, pair].transpose(1, 0, 2)
        whole_S = np.isfinite(part).all(axis=(0, 1))
        if tasks and whole_S.any():
            kept.append(count)
            parts.append(part[:, :, whole_S])
    if len(kept) < 2:
        return None
    at = [ladder.counts.index(count) for count in kept]
    return Curve(
        ladder.field,
        tuple(kept),
        tuple(matrices[count].recipe for count in kept),
        tuple(ladder.pictures[place] for place in at),
        space.configurations[chosen],
        space.configurations[everything],
        tasks,
        tuple(parts),
        tuple(count for count in ladder.counts if count not in kept),
        tuple(sorted(set.union(*has.values()) - set(tasks))),
        rivals,
    )


def _matrix(store: RewardStore, name: str, metric: str) -> RewardMatrix | None:
    try:
        return store.matrix(name, metric)
    except EmptyStore:
        return None


def _choose(matrices: Sequence[RewardMatrix], everything: int) -> tuple[int | None, int]:
    """The configuration beside Domain Randomization, and how many it was chosen from: those measured at most points."""
    points_C = np.sum([np.isfinite(matrix.signal_TC).any(axis=0) for matrix in matrices], axis=0)
    points_C[everything] = 0
    rivals = np.flatnonzero((points_C == points_C.max()) & (points_C >= 2))
    if not len(rivals):
        return None, 0
    mean_KC = [
        [np.mean(signal_T[np.isfinite(signal_T)]) if np.isfinite(signal_T).any() else np.nan for signal_T in columns]
        for columns in (matrix.signal_TC[:, rivals].T for matrix in matrices)
    ]
    return int(rivals[np.nanmean(mean_KC, axis=0).argmax()]), len(rivals)


def trend(curve: Curve) -> Trend:
    """Means, differences and slopes of a curve, with intervals over its tasks and seeds."""
    points = tuple(
        _point(count, recipe, pictures, part)
        for count, recipe, pictures, part in zip(
            curve.counts, curve.recipes, curve.pictures, curve.accuracy_K, strict=True
        )
    )
    accuracy_KCTS = np.stack([part[:, :, : curve.seeds] for part in curve.accuracy_K])
    x_K = np.array([log2(count) for count in curve.counts])
    weight_K = (x_K - x_K.mean()) / np.sum((x_K - x_K.mean()) ** 2)
    slope_CTS = np.tensordot(weight_K, accuracy_KCTS, axes=1)
    difference = paired(slope_CTS[0], slope_CTS[1])
    verdict, why = _judge(points, difference)
    return Trend(points, mean_interval(slope_CTS[0]), mean_interval(slope_CTS[1]), difference, verdict, why)


def _point(count: int, recipe: str, pictures: int, accuracy_CTS: Float64) -> Point:
    chosen_TS, everything_TS = accuracy_CTS
    return Point(
        count,
        recipe,
        pictures,
        accuracy_CTS.shape[2],
        mean_interval(chosen_TS),
        mean_interval(everything_TS),
        paired(chosen_TS, everything_TS),
    )


def _judge(points: Sequence[Point], slope: Interval) -> tuple[str, str]:
    """Whether varying everything catches up within the range, and why. It must have been clearly behind, and the gap
    must clearly have shrunk, for a yes; it must be clearly behind at the end for a no."""
    first, last = points[0].difference, points[-1].difference
    if last.low > 0:
        if slope.high < 0:
            rest = last.mean / -slope.mean
            return NO, (
                "it is still behind at the largest number, though the gap shrinks: at that rate some "
                f"{max(1, round(rest))} more doubling{'s' if round(rest) > 1 else ''} would close it"
            )
        if slope.low > 0:
            return NO, "it is behind at the largest number, and the gap grows"
        return NO, "it is behind at the largest number, and the gap is not seen to shrink"
    if first.low > 0 and (slope.high < 0 or last.high < 0):
        return YES, "it is behind at the smallest number, not clearly at the largest, and the gap shrinks"
    if first.low > 0:
        return UNKNOWN, "at the largest number it is not clearly behind, but the gap is not seen to shrink either"
    if first.high < 0:
        return UNKNOWN, "it is not behind at the smallest number, so there is nothing to catch up"
    if slope.low > 0:
        return UNKNOWN, "it is not clearly behind at either end, though it loses ground with every doubling"
    return UNKNOWN, "it is not clearly behind at either end"
