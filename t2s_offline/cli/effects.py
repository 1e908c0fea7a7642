"""effects: what each simulation parameter does, from a reward table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from t2s_offline.cli.options import (
    format_option,
    metric_option,
    note,
    print_rows,
    recipe_option,
    store_option,
    tasks_stored,
)
from t2s_offline.matrix import RewardMatrix
from t2s_offline.store.reward_store import RewardStore


@click.command()
@store_option
@recipe_option
@metric_option
@click.option(
    "--task", "tasks", multiple=True, metavar="TASK", shell_complete=tasks_stored,
    help="Only this task; may be repeated.  [default: all]",
)  # fmt: skip
@click.option("--degrees", is_flag=True, help="Share of variance by degree instead of effects.")
@click.option("--noise", is_flag=True, help="Signal over configurations against noise over seeds, for each task.")
@click.option("--ranks", is_flag=True, help="How sure each task's best configuration is; of one task, every place.")
@click.option("--by-task", is_flag=True, help="Each task's own effects after those over all tasks.")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Strongest effects to list.")
@format_option("table", "json", "csv")
def effects(
    store_path: Path, recipe: str | None, metric: str, tasks: tuple[str, ...], degrees: bool, noise: bool,
    ranks: bool, by_task: bool, top: int, file_format: str,
) -> None:  # fmt: skip
    """Walsh/ANOVA report of a reward table: main effects, pairs, shares of variance, noise.

    An effect is in percent, with its 95 % interval: over tasks for "all tasks", from the noise of a cell otherwise.
    --noise needs a second seed on some configurations: SD over configurations with seed noise taken out, SD of one cell
    over seeds, and a permutation test blocked by seed (p, and p after Holm's correction over tasks).
    --ranks: the best configuration of each task, its chance of being the best, how many are tied with it, pairs of
    configurations that separate after Holm's correction, the regret of somebody who knows every true mean, and further
    seeds that would separate the best two. With one --task: the rank interval of each of its --top configurations.

    \b
    Examples:
      t2s-offline effects --store rewards.duckdb
      t2s-offline effects --store rewards.duckdb --degrees
      t2s-offline effects --store rewards.duckdb --task SVHN --format json
      t2s-offline effects --store tables/cpu --noise
      t2s-offline effects --store tables/cpu --ranks --task digits
    """
    from t2s_offline.analysis.effects import effect_rows, report, share_rows

    matrix = RewardStore(store_path).matrix(recipe, metric)
    if tasks:
        matrix = matrix.select(tasks)
    if noise:
        from t2s_offline.analysis.seed_noise import component_rows, components
        from t2s_offline.seeds import derive_rng

        found = components(matrix, rng=derive_rng("noise", matrix.recipe, metric))
        columns, rows = component_rows(found)
        print_rows(columns, rows, file_format)
        note(f"configurations separate on {sum(part.clear for part in found)} of {len(found)} tasks after Holm")
        return
    if ranks:
        show_ranks(matrix, top, file_format)
        return
    told = report(matrix)
    columns, rows = share_rows(told) if degrees else effect_rows(told, top=top, by_task=by_task)
    if degrees and file_format == "table":
        columns, rows = few_degrees(columns, rows)
    show(columns, rows, file_format, bars=not degrees)
    for line in told.notes:
        note(line)


def show_ranks(matrix: RewardMatrix, top: int, file_format: str) -> None:
    """A row a task; of one task a row a configuration."""
    from t2s_offline.analysis.ranked_tasks import configuration_rows, ranked_tasks, task_rows
    from t2s_offline.analysis.seed_noise import has_replicates

    found = ranked_tasks(matrix)
    columns, rows = task_rows(found) if len(found) > 1 else configuration_rows(found[0], top)
    print_rows(columns, rows, file_format, {"normalised": "norm."})
    if not has_replicates(matrix):
        note("one seed: noise is that of interactions of degree 5 and up, an upper bound")
    if len(found) > 1:
        sure = sum(one.ranking.more == 0 for one in found)
        note(f"the best two differ at 5 % on {sure} of {len(found)} tasks, without correction")
        note("p_best: chance that it is the best; tied: not clearly worse than it; apart: pairs that separate, percent")
        note("floor: regret in points of whoever knows every true mean; seeds: more that would separate the best two")
    else:
        note(f"{found[0].ranking.separate} of {found[0].ranking.pairs} pairs separate; low, high: 95 % rank interval")


def show(columns: list[str], rows: list[list[Any]], file_format: str, *, bars: bool) -> None:
    """For people: one task's name as a line of its own, no column that is empty, and bars of both signs."""
    if file_format != "table" or not bars:
        print_rows(columns, rows, file_format)
        return
    tasks = {row[0] for row in rows}
    kept = [
        at
        for at, name in enumerate(columns)
        if (at or len(tasks) > 1) and (name != "aliased" or any(r[at] for r in rows))
    ]
    if len(tasks) == 1:
        click.echo(rows[0][0])
    largest = max((abs(row[columns.index("percent")]) for row in rows), default=0.0)
    names = [columns[at] for at in kept]
    room = ("percent", -largest) if largest and len(tasks) == 1 and "aliased" not in names else None
    print_rows(names, [[row[at] for at in kept] for row in rows], file_format, bars=room)


def few_degrees(columns: list[str], rows: list[list[Any]]) -> tuple[list[str], list[list[Any]]]:
    """The shares of degree 5 and up as one column, so that a line stays under 80 characters."""
    at = [number for number, name in enumerate(columns) if name[1:].isdecimal() and int(name[1:]) >= 5]
    if len(at) < 2:
        return columns, rows
    first, last = at[0], at[-1] + 1
    merged = [[*row[:first], sum(row[first:last]), *row[last:]] for row in rows]
    return [*columns[:first], "d5+", *columns[last:]], merged
