"""Sections about the table itself: coverage, cost, and whether 5-NN stands for the other metrics.

What is counted is asked of the store in SQL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from t2s_offline.matrix import RewardMatrix
from t2s_offline.report import charts
from t2s_offline.report.facts import METRIC_NAMES, Facts
from t2s_offline.report.model import Figure, Panel, Section, ShownTable

COVERAGE = """SELECT task, seed, cells, total, percent FROM coverage WHERE recipe = $1 AND metric = $2
    ORDER BY percent, task, seed"""
BACKBONES = """SELECT status, device, count(*) AS backbones, sum(render_seconds) / 3600 AS render_hours,
    sum(train_seconds) / 3600 AS train_hours, median(render_seconds + train_seconds) AS median_seconds
    FROM backbones WHERE recipe = $1 GROUP BY ALL ORDER BY ALL"""
SPENT = """SELECT count(*) FILTER (status = 'done') AS done, sum(render_seconds) / 3600 AS render,
    sum(train_seconds) / 3600 AS train FROM backbones WHERE recipe = $1"""
MEASURING = """SELECT count(*) AS cells, count(seconds) AS timed, sum(seconds) / 3600 AS hours, avg(seconds) AS each
    FROM rewards WHERE recipe = $1 AND metric = $2"""
REFERENCES = """SELECT task, configuration, accuracy, val_accuracy, seeds FROM reference_backbones
    WHERE recipe = $1 AND metric = $2 ORDER BY task, configuration"""


def coverage(facts: Facts) -> Section:
    """What is measured, what it took, and what all configurations would take."""
    matrix, space = facts.matrix, facts.matrix.space
    rows = facts.ask(COVERAGE, matrix.recipe, matrix.metric)
    whole = all(row["cells"] == row["total"] for row in rows)
    even = len({row["percent"] for row in rows}) == 1
    if whole:
        measured = f"All {rows[0]['total']} configurations are measured on all {len(matrix.tasks)} tasks"
    else:
        measured = f"{int(matrix.measured_C.sum())} of {len(space)} configurations are measured on all tasks"
    if not even:
        measured += f"; the least covered task is {rows[0]['task']} ({rows[0]['percent']:.1f} %)"
    text = [f"{measured}."]
    figures = [] if even else [_covered(facts, rows)]
    tables = [("Cells measured, by task and seed", ShownTable.of(rows))] if even else []
    one = facts.store.backbone_seconds(matrix.recipe)
    if one is None:
        text.append("The table has no seconds of rendering and pre-training, so costs are not known.")
    else:
        figures.append(_cost(facts, one))
        tables.append(("Attempts at backbones", ShownTable.of(facts.ask(BACKBONES, matrix.recipe))))
    references = facts.ask(REFERENCES, matrix.recipe, matrix.metric)
    if references:
        tables.append(("Backbones beside those of configurations", ShownTable.of(references)))
    return Section("coverage", "Cost", "Coverage and cost", tuple(text), tuple(figures), tuple(tables))


def _covered(facts: Facts, rows: list[dict[str, Any]]) -> Figure:
    seeds = sorted({row["seed"] for row in rows})
    order = list(dict.fromkeys(row["task"] for row in rows))
    colours = ("policy", "fixed", "nearest", "dr", "surrogate", "random")
    series = {f"seed {seed}": colours[at % len(colours)] for at, seed in enumerate(seeds)}
    data = [{"name": row["task"], "series": f"seed {row['seed']}", "value": row["percent"]} for row in rows]
    summary = (
        f"Share of the {rows[0]['total']} configurations that is measured, least covered task first: from "
        f"{rows[0]['percent']:.1f} % to {rows[-1]['percent']:.1f} %."
    )
    spec = charts.dots(data, order, series, "configurations measured (%)", summary, references=[{"at": 0}, {"at": 100}])
    return Figure(
        "coverage", "Coverage", summary, (Panel(spec),), ShownTable.of(rows), charts.keys(series, shaped=True)
    )


def _cost(facts: Facts, one: float) -> Figure:
    """Hours that were spent by stage, and those of the full cube at the same pace. `one`: median seconds a backbone."""
    matrix, seeds = facts.matrix, facts.matrix.accuracy_TCS.shape[2]
    spent = facts.ask(SPENT, matrix.recipe)[0]
    measured = facts.ask(MEASURING, matrix.recipe, matrix.metric)[0]
    backbones = len(matrix.space) * seeds
    cube = backbones * one / 3600
    share = spent["render"] / ((spent["render"] + spent["train"]) or 1.0)
    each = (measured["each"] or 0.0) / 3600 * len(matrix.tasks) * backbones
    rows = [
        {"stage": "render", "spent_hours": spent["render"], "cube_hours": cube * share},
        {"stage": "pre-train", "spent_hours": spent["train"], "cube_hours": cube * (1 - share)},
        {"stage": "measure", "spent_hours": measured["hours"] or 0.0, "cube_hours": each},
    ]
    total = sum(row["spent_hours"] for row in rows)
    said = (
        f"{spent['done']} backbones and {measured['cells']:,} measurements took {hours(total)} of work; at {one:.1f} s "
        f"a backbone, all {len(matrix.space)} configurations"
        + (f" with {seeds} seeds" if seeds > 1 else "")
        + f" would take {hours(cube)} of rendering and pre-training, and {hours(each)} of measuring "
        f"{len(matrix.tasks)} tasks."
    )
    order = [f"spent on {spent['done']} backbones", f"full cube of {backbones}"]
    data = [
        {"name": name, "part": row["stage"], "place": at, "value": row[column]}
        for name, column in zip(order, ("spent_hours", "cube_hours"), strict=True)
        for at, row in enumerate(rows)
    ]
    colours = {"render": "fixed", "pre-train": "policy", "measure": "nearest"}
    spec = charts.stacked(data, order, colours, "hours of work", said)
    keys = charts.keys(colours, shape="square")
    return Figure("cost", "Hours of work", said, (Panel(spec),), ShownTable.of(rows), keys)


def hours(value: float) -> str:
    """Hours for people: minutes below one."""
    if value < 1:
        return f"{60 * value:.1f} min"
    return f"{value:.1f} h" if value < 100 else f"{value:,.0f} h"


def proxy(facts: Facts) -> Section | None:
    """Does the reward metric rank configurations as the others do? Spearman's rank correlation, and what choosing by
    it loses."""
    if not facts.others:
        return None
    rows = [row for metric, other in facts.others.items() for row in agreement(facts.matrix, other, metric)]
    if not rows:
        return None
    own = METRIC_NAMES[facts.matrix.metric]
    colours = dict(
        zip((METRIC_NAMES[metric] for metric in facts.others), ("policy", "surrogate", "nearest"), strict=False)
    )
    data = [
        {"name": row["task"], "series": METRIC_NAMES[row["metric"]], "value": row["spearman"]}
        for row in rows
        if np.isfinite(row["spearman"])
    ]
    ranked = sorted(rows, key=lambda row: (np.isnan(row["spearman"]), -row["spearman"]))
    order = list(dict.fromkeys(row["task"] for row in ranked))
    means = {metric: _mean(rows, metric, "spearman") for metric in facts.others}
    told = ", ".join(f"{METRIC_NAMES[metric]} {value:.2f}" for metric, value in means.items())
    lost = {metric: _mean(rows, metric, "lost") for metric in facts.others}
    losses = ", ".join(f"{value:.2f} of {METRIC_NAMES[metric]}" for metric, value in lost.items())
    summary = f"Rank correlation of {own} with other metrics over the configurations of each task. Means: {told}."
    spec = charts.dots(data, order, colours, "Spearman's rank correlation", summary, references=[{"at": 0}, {"at": 1}])
    text = (f"Choosing each task's configuration by {own} loses on average {losses} against the best by that metric.",)
    figure = Figure(
        "proxy",
        f"{own} against other metrics",
        summary,
        (Panel(spec),),
        ShownTable.of(rows),
        charts.keys(colours, shaped=True),
    )
    return Section("proxy", "Proxy", f"Does {own} stand for the others?", text, (figure,))


def _mean(rows: list[dict[str, Any]], metric: str, name: str) -> float:
    """Mean over tasks of what is known; NaN where nothing is."""
    known = [row[name] for row in rows if row["metric"] == metric and np.isfinite(row[name])]
    return float(np.mean(known)) if known else float("nan")


def agreement(matrix: RewardMatrix, other: RewardMatrix, metric: str) -> list[dict[str, Any]]:
    """For each task that both have, over cells that both have: Spearman's correlation (NaN where one is constant), and
    `lost`: what the best configuration by the first loses in the second's units."""
    rows = []
    for task in matrix.tasks:
        if task in other.tasks:
            first_C = matrix.reward_TC[matrix.position(task)]
            second_C = other.reward_TC[other.position(task)]
            both_C = np.isfinite(first_C) & np.isfinite(second_C)
            if both_C.sum() >= 3:
                first_N, second_N = first_C[both_C], second_C[both_C]
                rows.append(
                    {"task": task, "metric": metric, "cells": int(both_C.sum()),
                     "spearman": rank_correlation(first_N, second_N),
                     "lost": float(second_N.max() - second_N[first_N.argmax()])}
                )  # fmt: skip
    return rows


def rank_correlation(first_N: npt.NDArray[np.float64], second_N: npt.NDArray[np.float64]) -> float:
    """Spearman's correlation; NaN where one of them is constant."""
    if not np.ptp(first_N) or not np.ptp(second_N):
        return float("nan")
    return float(spearmanr(first_N, second_N).statistic)
