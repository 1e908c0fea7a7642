"""compare: what learners are worth, beside the baselines."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import click

from t2s_offline.cli.learn import note_of_val, training_tasks
from t2s_offline.cli.options import (
    Bar,
    format_option,
    jobs_option,
    metric_option,
    note,
    print_rows,
    probe_option,
    recipe_option,
    store_option,
)
from t2s_offline.errors import BadInput, check_known
from t2s_offline.learners.compare import Comparison, Fold, Row
from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.store.reward_store import RewardStore

TITLES = {"normalised_regret": "normalised", "ci_low": "low", "ci_high": "high"}


@click.command()
@store_option
@recipe_option
@metric_option
@probe_option
@click.option("--leave-one-out", is_flag=True, help="Leave each task and its relatives out in turn.")
@click.option("--alone", is_flag=True, help="Leave tasks out without their relatives.")
@click.option("--learners", metavar="NAMES", help="Only these, with commas.  [default: all]")
@click.option("--runs", metavar="COUNTS", help="Learn from fractions of so many configurations, such as 16,64.")
@click.option("--measure", metavar="COUNTS", help="Also measure so many backbones first, such as 0,1,2,4,8,16,32.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds of a learner; means are shown."
)
@jobs_option
@format_option("table", "json", "csv")
def compare(
    store_path: Path, recipe: str | None, metric: str, probe: str | None, leave_one_out: bool, alone: bool,
    learners: str | None, runs: str | None, measure: str | None, seeds: int, jobs: int, file_format: str,
) -> None:  # fmt: skip
    """Compare learners with the baselines.

    Reward and regret are percent, means over tasks (and seeds); normalised regret is regret over (best - mean of all
    configurations), with its 95 % interval over tasks, and over seeds where there are several.

    \b
    Examples:
      t2s-offline compare --store rewards.duckdb --seeds 8
      t2s-offline compare --store rewards.duckdb --leave-one-out
      t2s-offline compare --leave-one-out --learners surrogate --measure 0,4,16
    """
    store = RewardStore(store_path)
    matrix, embeddings = store.matrix(recipe, metric), store.embeddings(probe)
    embedded = [task for task in matrix.tasks if task in embeddings.tasks]
    folds = folds_of(store, embedded, leave_one_out, {} if alone else store.relatives())
    counts, seconds = numbers("--measure", measure), store.backbone_seconds(matrix.recipe)
    references = store.references(matrix.recipe, metric)
    rows: list[Row] = []
    for size in numbers("--runs", runs) or [0]:
        taught = fraction(matrix, size) if size else matrix
        found = fit_all(matrix, taught, embeddings, folds, learners, seeds, jobs, references)
        new = [*found.rows, *(curves(matrix, taught, embeddings, folds, counts) if counts else [])]
        seen = size or int(matrix.measured_C.sum())
        rows += [replace(row, runs=seen, hours=None if seconds is None else seen * seconds / 3600) for row in new]
    show(rows, file_format)
    note_of_val(matrix.select([task for task in matrix.tasks if task in embeddings.tasks]))
    if related := related_line(folds, store.relatives()):
        note(related)
    remarks(found, leave_one_out)
    of_references(references, rows)
    about_the_table(store, rows, matrix.recipe)


def show(rows: list[Row], file_format: str) -> None:
    """All columns for programs; for people a table a split, so that a line stays under 80 characters."""
    columns = [field.name for field in fields(Row)]
    if file_format != "table":
        print_rows(columns, [list(vars(row).values()) for row in rows], file_format)
        return
    several = len({row.runs for row in rows}) > 1
    hidden = {"split", "tasks", "hours" if rows[0].hours is None else "", "" if several or rows[0].hours else "runs"}
    hidden |= set() if any(row.measured for row in rows) else {"measured"}
    shown = [name for name in columns if name not in hidden]
    for number, split in enumerate(dict.fromkeys(row.split for row in rows)):
        own = [row for row in rows if row.split == split]
        click.echo(f"{chr(10) if number else ''}{split.replace('_', ' ')}, {own[0].tasks} tasks")
        full = max(1.0, *(row.normalised_regret for row in own))
        print_rows(
            shown, [[getattr(row, name) for name in shown] for row in own], "table", TITLES,
            bars=("normalised_regret", full),
        )  # fmt: skip


def folds_of(store: RewardStore, tasks: list[str], leave_one_out: bool, relatives: dict[str, str]) -> list[Fold]:
    from t2s_offline.learners import compare as comparison

    if leave_one_out:
        return comparison.leave_one_out(tasks, relatives)
    return comparison.seen_unseen(*(training_tasks(store, tasks, split) for split in ("seen", "unseen")))


def related_line(folds: list[Fold], relatives: dict[str, str]) -> str:
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


def numbers(option: str, text: str | None) -> list[int]:
    parts = text.split(",") if text else []
    if not all(part.strip().isdecimal() for part in parts):
        raise BadInput(f"{option} {text}: expected whole numbers with commas, such as 4,8,16")
    return sorted({int(part) for part in parts})


def fraction(matrix: RewardMatrix, runs: int) -> RewardMatrix:
    """What a fractional factorial sweep would have left of the table."""
    import numpy as np

    from t2s_offline.analysis.ties import restrict
    from t2s_offline.sweep.design import fractional

    design = fractional(matrix.space, runs)
    note(f"learners see {design}; all configurations may be chosen")
    return restrict(matrix, np.array([matrix.space.index(configuration) for configuration in design.configurations]))


def fit_all(
    matrix: RewardMatrix,
    taught: RewardMatrix,
    embeddings: Embeddings,
    folds: list[Fold],
    names: str | None,
    seeds: int,
    jobs: int,
    references: dict[str, dict[str, float]],
) -> Comparison:
    from t2s_offline.learners.compare import compare as run
    from t2s_offline.learners.registry import ABLATIONS, LEARNERS

    known = {learner.name: learner for learner in (*LEARNERS, *ABLATIONS)}
    default = [learner.name for learner in LEARNERS]
    everything = matrix.space.domain_randomization
    if names is None and not matrix.measured_C[matrix.space.index(everything)]:
        note(f"{everything} is not measured on all tasks: Domain Randomization is left out")
        default.remove("domain_randomization")
    chosen = [check_known("learner", name.strip(), known) for name in names.split(",")] if names else default
    bar = Bar("compare", "fit")
    try:
        return run(
            matrix,
            embeddings,
            [known[name] for name in chosen],
            folds,
            taught=taught,
            references=references,
            seeds=seeds,
            jobs=jobs,
            progress=bar,
        )
    finally:
        bar.close()


def curves(
    matrix: RewardMatrix, taught: RewardMatrix, embeddings: Embeddings, folds: list[Fold], counts: list[int]
) -> list[Row]:
    """The surrogate's measured shortlist, with prior-top-K, fixed-top-K and random search beside it."""
    from t2s_offline.learners.compare import curve_rows
    from t2s_offline.learners.shortlist import curve
    from t2s_offline.learners.surrogate import Surrogate

    unseen = [fold for fold in folds if not set(fold.test) & set(fold.train)]
    if not unseen:
        raise BadInput("--measure needs tasks that were not trained on; add --leave-one-out")
    pairs = [(fold.train, task) for fold in unseen for task in fold.test]
    rewards = curve(matrix, embeddings, Surrogate(), pairs, counts, taught=taught)
    named = {"surrogate": "surrogate_shortlist", "random": "random_search"}
    return curve_rows(matrix, unseen, counts, {named.get(name, name): rows for name, rows in rewards.items()})


def of_references(references: dict[str, dict[str, float]], rows: list[Row]) -> None:
    """What the rows beside learners are, and which are not there."""
    shown = {row.learner for row in rows}
    if "scratch" in shown:
        note("scratch: initial weights, without pre-training, measured like any backbone")
    for name in references.keys() - shown:
        note(f"{name} is not measured on all tasks of a split, and is left out")


def about_the_table(store: RewardStore, rows: list[Row], recipe: str) -> None:
    """What must stand beside figures of the authors' table."""
    from t2s_offline.store.published import CAVEATS, FORM_CHOSEN, is_published

    if is_published(store, recipe):
        for line in CAVEATS:
            note(line)
        if any(row.learner.startswith("surrogate") for row in rows):
            note(FORM_CHOSEN)


def remarks(found: Comparison, leave_one_out: bool) -> None:
    """What a reader must know, and whether a winner can be named."""
    from t2s_offline.analysis.ties import warning
    from t2s_offline.learners.registry import ABLATIONS, LEARNERS

    regrets = [regret for split in found.normalised_TS.values() for regret in split.items()]
    several = any(regret_TS.shape[1] > 1 for _, regret_TS in regrets)
    over = "tasks and seeds" if several else "tasks"
    note(f"normalised: regret over (best - mean of all); low, high: its 95 % interval over {over}")
    seeded = {learner.name for learner in (*LEARNERS, *ABLATIONS) if learner.seeded}
    if not several and any(name in seeded for name, _ in regrets):
        note("one seed: the intervals leave out how learners differ from seed to seed; --seeds 8 holds that")
    if not leave_one_out:
        note("seen: the training tasks themselves, where nearest is the oracle by construction")
    for split, regret_TS in found.normalised_TS.items():
        if split != "seen" and (line := warning(regret_TS)):
            note(f"warning: {split}: {line}")
