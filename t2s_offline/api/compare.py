"""What learners are worth on a table, beside the baselines: each is fitted to some tasks and judged on others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from t2s_offline.api.learn import training_tasks
from t2s_offline.api.told import WARNING, Progress, Told, quiet
from t2s_offline.errors import BadInput, check_known

if TYPE_CHECKING:
    import polars as pl

    from t2s_offline.analysis.ranks import Ranking
    from t2s_offline.api.table import Table
    from t2s_offline.learners.compare import Comparison, Fold, Row
    from t2s_offline.learners.judged import Judged
    from t2s_offline.learners.learner import Learner
    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.store.reward_store import RewardStore


def compare(
    table: Table,
    *,
    recipe: str | None = None,
    metric: str = "knn5",
    probe: str | None = None,
    leave_one_out: bool = False,
    alone: bool = False,
    learners: Sequence[str] | None = None,
    runs: Sequence[int] = (),
    measure: Sequence[int] = (),
    seeds: int = 1,
    jobs: int = 1,
    told: Told = quiet,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """A row a learner and split, with the columns of ``t2s-offline compare --format json``.

    reward and regret are percent, means over tasks (and seeds); normalised_regret is regret over (best - mean of all
    configurations), with its 95 % interval ci_low to ci_high over tasks, and over seeds where there are several.

    leave_one_out: leave each task out in turn, over all tasks, together with its relatives (tasks of one source, where
    the table says so) unless `alone`; by default learners see the tasks marked seen and are
    judged on those and on the unseen ones. learners: names, all by default. runs: learn from fractional factorial
    sweeps of so many configurations. measure: also measure so many backbones before deciding. seeds: of each learner
    that draws. jobs: worker processes. A UserWarning says when no winner can be named.
    """
    from t2s_offline.learners import compare as comparison
    from t2s_offline.learners.judged import judge

    store = table.store
    matrix, embeddings = store.matrix(recipe, metric), store.embeddings(probe)
    tasks = [task for task in matrix.tasks if task in embeddings.tasks]
    relatives = store.relatives()
    folds = folds_of(store, tasks, leave_one_out, {} if alone else relatives)
    chosen = named(matrix, learners, told)
    seconds, references = store.backbone_seconds(matrix.recipe), store.references(matrix.recipe, metric)
    rows: list[Row] = []
    rankings: dict[str, Ranking] = {}
    for size in sorted(set(runs)) or [0]:
        taught = fraction(matrix, size, told) if size else matrix
        found = comparison.compare(
            matrix, embeddings, chosen, folds, taught=taught, references=references, seeds=seeds, jobs=jobs,
            progress=progress,
        )  # fmt: skip
        parts = [judge(found), *([curves(matrix, taught, embeddings, folds, measure)] if measure else [])]
        new = [row for part in parts for row in part.rows]
        rankings = {name: ranking for part in parts for name, ranking in part.rankings.items()}
        seen = size or int(matrix.measured_C.sum())
        rows += [replace(row, runs=seen, hours=None if seconds is None else seen * seconds / 3600) for row in new]
    if note := matrix.select(tasks).val_note:
        told(note)
    if related := related_line(folds, relatives):
        told(related)
    for line in (
        *remarks(found, leave_one_out),
        *of_rankings(rankings),
        *of_oracles(matrix, rows),
        *of_references(references, rows),
        *about_the_table(store, rows, matrix.recipe),
    ):
        told(line)
    return frame_of(rows)


def frame_of(rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as a frame, with those further columns that one of them has; null where a row has no value."""
    import polars as pl

    from t2s_offline.learners.compare import as_dicts

    kinds = {"str": pl.String, "int": pl.Int64, "float": pl.Float64}
    known = {field.name: kinds[str(field.type).removesuffix(" | None")] for field in fields(rows[0])}
    found = as_dicts(rows)
    schema = {name: known[name] for name in found[0]}
    return pl.DataFrame([list(row.values()) for row in found], schema=schema, orient="row")


def folds_of(store: RewardStore, tasks: list[str], leave_one_out: bool, relatives: Mapping[str, str]) -> list[Fold]:
    """Which tasks learners see, and which they are judged on."""
    from t2s_offline.learners import compare as comparison

    if leave_one_out:
        return comparison.leave_one_out(tasks, relatives)
    return comparison.seen_unseen(*(training_tasks(store, tasks, split) for split in ("seen", "unseen")))


def related_line(folds: Sequence[Fold], relatives: Mapping[str, str]) -> str:
    """How many tasks were left out together, by the name of their source; empty when none were."""
    named = Counter(relatives[fold.test[0]] for fold in folds if fold.relatives)
    if not named:
        return ""
    counts = {len(fold.relatives) for fold in folds if fold.relatives}
    each = " to ".join(map(str, sorted({min(counts), max(counts)})))
    return (
        f"{named.total()} of {len(folds)} tasks are left out with their relatives, {each} each (--alone: without): "
        f"{', '.join(f'{name} {count}' for name, count in sorted(named.items()))}"
    )


def named(matrix: RewardMatrix, names: Sequence[str] | None, told: Told) -> list[Learner]:
    """The learners of these names; without names all but ablations, and without Domain Randomization where the table
    has not measured it on every task. UnknownName names the nearest."""
    from t2s_offline.learners.registry import ABLATIONS, LEARNERS

    known = {learner.name: learner for learner in (*LEARNERS, *ABLATIONS)}
    if names is not None:
        return [known[check_known("learner", name, known)] for name in names]
    everything = matrix.space.domain_randomization
    if matrix.measured_C[matrix.space.index(everything)]:
        return list(LEARNERS)
    told(f"{everything} is not measured on all tasks: Domain Randomization is left out")
    return [learner for learner in LEARNERS if learner.name != "domain_randomization"]


def fraction(matrix: RewardMatrix, runs: int, told: Told) -> RewardMatrix:
    """What a fractional factorial sweep of so many configurations would have left of the table."""
    import numpy as np

    from t2s_offline.analysis.ties import restrict
    from t2s_offline.sweep.design import fractional

    design = fractional(matrix.space, runs)
    told(f"learners see {design}; all configurations may be chosen")
    return restrict(matrix, np.array([matrix.space.index(configuration) for configuration in design.configurations]))


def curves(
    matrix: RewardMatrix, taught: RewardMatrix, embeddings: Embeddings, folds: Sequence[Fold], measure: Sequence[int]
) -> Judged:
    """Rows of the surrogate's measured shortlist after so many measurements, with prior-top-K, fixed-top-K, a portfolio
    and random search beside it, on tasks that were not learned from."""
    from t2s_offline.learners.judged import judged_curve
    from t2s_offline.learners.shortlist import Remembered, crossed_curve, curve

    unseen = [fold for fold in folds if not set(fold.test) & set(fold.train)]
    if not unseen:
        raise BadInput("--measure needs tasks that were not trained on; add --leave-one-out")
    pairs, counts = [(fold.train, task) for fold in unseen for task in fold.test], sorted(set(measure))
    learner = Remembered()
    rewards = curve(matrix, embeddings, learner, pairs, counts, taught=taught)
    crossed = crossed_curve(matrix, embeddings, learner, pairs, counts, taught=taught)
    return judged_curve(matrix, unseen, counts, rewards, crossed)


def of_rankings(rankings: Mapping[str, Ranking]) -> list[str]:
    """Lines about what separates, and what it would take."""
    if not rankings:
        return []
    lines = ["rank: 95 % interval by paired tests of all pairs after Holm's correction; group: those tied"]
    for name, found in rankings.items():
        line = f"{name.replace('_', ' ')}: {found.separate} of {found.pairs} pairs separate"
        first, second = (place.name for place in found.places[:2])
        if found.more:
            line += f"; {first} and {second} would after some {found.more:,} more tasks, if they differ as they do here"
        lines.append(line)
    return lines


def of_oracles(matrix: RewardMatrix, rows: Sequence[Row]) -> list[str]:
    """Lines about what the columns and rows about the oracle's luck are."""
    from t2s_offline.analysis.seed_noise import has_replicates
    from t2s_offline.learners.compare import TRUE_BEST

    lines = []
    if any(row.learner == TRUE_BEST for row in rows):
        lines.append(
            f"{TRUE_BEST}: whoever knows every true mean, by simulation; the plain oracle is lucky by that regret"
        )
    if any(row.cross_regret is not None for row in rows):
        lines.append("cross: regret against the configuration chosen on one seed and scored on another; below 0: luck")
    elif has_replicates(matrix):
        lines.append("no cross-fitted oracle: not every configuration has a second seed on every task")
    return lines


def of_references(references: Mapping[str, Mapping[str, float]], rows: Sequence[Row]) -> list[str]:
    """Lines about the rows beside learners: what they are, and which are not there."""
    shown = {row.learner for row in rows}
    said = ["scratch: initial weights, without pre-training, measured like any backbone"] if "scratch" in shown else []
    left_out = references.keys() - shown
    return [*said, *(f"{name} is not measured on all tasks of a split, and is left out" for name in left_out)]


def about_the_table(store: RewardStore, rows: Sequence[Row], recipe: str) -> list[str]:
    """Lines that must stand beside figures of the authors' table."""
    from t2s_offline.store.published import CAVEATS, FORM_CHOSEN, is_published

    if not is_published(store, recipe):
        return []
    return [*CAVEATS, *([FORM_CHOSEN] if any(row.learner.startswith("surrogate") for row in rows) else [])]


def remarks(found: Comparison, leave_one_out: bool) -> list[str]:
    """Lines that a reader must know, and whether a winner can be named."""
    from t2s_offline.analysis.ties import warning
    from t2s_offline.learners.registry import ABLATIONS, LEARNERS

    regrets = [regret for split in found.normalised_TS.values() for regret in split.items()]
    several = any(regret_TS.shape[1] > 1 for _, regret_TS in regrets)
    over = "tasks and seeds" if several else "tasks"
    lines = [f"normalised: regret over (best - mean of all); low, high: its 95 % interval over {over}"]
    seeded = {learner.name for learner in (*LEARNERS, *ABLATIONS) if learner.seeded}
    if not several and any(name in seeded for name, _ in regrets):
        lines.append("one seed: the intervals leave out how learners differ from seed to seed; --seeds 8 holds that")
    if not leave_one_out:
        lines.append("seen: the training tasks themselves, where nearest is the oracle by construction")
    for split, regret_TS in found.normalised_TS.items():
        if split != "seen" and (line := warning(regret_TS)):
            lines.append(f"{WARNING}{split}: {line}")
    return lines
