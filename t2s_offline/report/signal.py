"""The section on noise: does a task's spread over configurations stand out of what seeds alone would give?

With several seeds on some configurations its figures are those of `t2s-offline
effects --noise`; with one, noise is bounded by the interactions of high degree, or not known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from t2s_offline.analysis.ranked_tasks import ranked_tasks, task_rows
from t2s_offline.analysis.seed_noise import SIGNIFICANT, component_rows, components
from t2s_offline.analysis.ties import noise_sd_T, tied_TC
from t2s_offline.errors import BadInput
from t2s_offline.report import charts
from t2s_offline.report.facts import Facts
from t2s_offline.report.model import Figure, Panel, Section, ShownTable
from t2s_offline.seeds import derive_rng

RANKED = {
    "best": "best configuration", "p_best": "chance of best", "tied": "not clearly worse", "apart": "pairs apart, %",
    "floor": "floor, points", "normalised": "floor, normalised", "seeds": "more seeds",
}  # fmt: skip
SERIES = {"SD over configurations": "policy", "noise of a cell": "surrogate"}
TITLES = {"signal_sd": "SD over configurations", "noise_sd": "noise SD of a cell", "tied": "tied with best"}
TIED = "Configurations within one noise SD of a task's best are tied with it: choosing among them is no choice."


def noise(facts: Facts) -> Section:
    """Signal against noise, and how many configurations tie with the best of each task."""
    noise_T, how = noise_sd_T(facts.matrix)
    tied_T = tied_TC(facts.matrix, noise_T).sum(axis=1)
    tied = {task: int(count) for task, count in zip(facts.matrix.tasks, tied_T, strict=True)}
    try:
        found = components(facts.matrix, rng=derive_rng("noise", facts.matrix.recipe, facts.matrix.metric))
    except BadInput:  # one seed everywhere
        return _bounded(facts, noise_T, how, tied)
    columns, values = component_rows(found)
    rows = [{**dict(zip(columns, row, strict=True)), "tied": tied[str(row[0])]} for row in values]
    clear = sum(part.clear for part in found)
    known = sum(np.isfinite(part.p) for part in found)
    text = (
        f"Configurations separate on {clear} of {known} tasks: their spread is more than seeds alone would give, by a "
        f"permutation test within seeds at {100 * SIGNIFICANT:.0f} % after Holm's correction. The spread has the noise "
        f"of seeds taken out; noise is that of one cell over seeds. {TIED}",
    )
    return Section("noise", "Noise", "Signal and noise", text, (_figure(rows),), (_ranked(facts),))


def _ranked(facts: Facts) -> tuple[str, ShownTable]:
    """How sure the best configuration of each task is: `t2s-offline effects --ranks`."""
    columns, rows = task_rows(ranked_tasks(facts.matrix))
    caption = (
        "How sure each task's best configuration is; floor: regret of somebody who knows every true mean; more "
        "seeds: that would separate the best two"
    )
    return caption, ShownTable.of([dict(zip(columns, row, strict=True)) for row in rows], RANKED)


def _bounded(facts: Facts, noise_T: Any, how: str, tied: dict[str, int]) -> Section:
    """What can be said with one seed."""
    matrix = facts.matrix
    rows: list[dict[str, Any]] = [
        {"task": task, "signal_sd": float(signal), "noise_sd": float(value), "tied": tied[task]}
        for task, signal, value in zip(matrix.tasks, np.nanstd(matrix.reward_TC, axis=1), noise_T, strict=True)
    ]
    rows.sort(key=lambda row: -row["signal_sd"])
    if how == "none":
        text = (
            "There is one seed and the table is a fraction: the noise of a cell is not known. Measure a second seed of "
            "some configurations.",
        )
        table = ShownTable.of(rows, TITLES)
        return Section("noise", "Noise", "Signal and noise", text, (), (("Spread of rewards, points", table),))
    text = (
        "There is one seed: noise is taken from interactions of degree 5 and up, an upper bound, and is within the "
        f"spread. {TIED}",
    )
    return Section("noise", "Noise", "Signal and noise", text, (_figure(rows),), (_ranked(facts),))


def _figure(rows: list[dict[str, Any]]) -> Figure:
    known = [row for row in rows if np.isfinite(row["noise_sd"])]
    ratio = {row["task"]: row["signal_sd"] / (row["noise_sd"] or np.inf) for row in known}
    most, least = (pick(known, key=lambda row: ratio[row["task"]]) for pick in (max, min))
    summary = (
        f"SD of rewards over configurations beside the noise SD of one cell, in points. Clearest: {most['task']} "
        f"({most['signal_sd']:.2f} against {most['noise_sd']:.2f}); least clear: {least['task']} "
        f"({least['signal_sd']:.2f} against {least['noise_sd']:.2f})."
    )
    data = [
        {"name": row["task"], "series": name, "value": row[column]}
        for row in known
        for name, column in zip(SERIES, ("signal_sd", "noise_sd"), strict=True)
    ]
    spec = charts.dots(data, [row["task"] for row in known], SERIES, "points", summary)
    keys = charts.keys(SERIES, shaped=True)
    return Figure("noise", "Spread and noise", summary, (Panel(spec),), ShownTable.of(rows, TITLES), keys)
