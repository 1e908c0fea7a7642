"""Sections about tasks: bars against the baselines, worst tasks first, how rewards are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from t2s_offline.analysis.ties import noise_sd_T, tied_TC
from t2s_offline.learners.baselines import BestFixed
from t2s_offline.report import canvases, charts
from t2s_offline.report.contest import LABELS, POLICY, Contest, TaskReward, by_task, chosen
from t2s_offline.report.facts import Facts, counted
from t2s_offline.report.model import Figure, Panel, Section, ShownTable

#: learner -> colour of the palette, in the order in which series stand
BARS = {
    "domain_randomization": "dr",
    "best_fixed": "fixed",
    "nearest": "nearest",
    "surrogate": "surrogate",
    POLICY: "policy",
}
LINES = {"random": "random", "oracle": "oracle"}
SPLITS = {
    "seen": "that learners trained on",
    "unseen": "that learners never saw",
    "leave_one_out": "left out one by one",
}
BINS = 32


def against_baselines(facts: Facts, contest: Contest) -> list[Section]:
    """Bars of each task (the paper's Figures 3 and 4) and the tasks on which most is lost."""
    if contest.main is None:
        return []
    rows = by_task(facts, contest.main)
    figures = [_bars(facts, split, rows) for split in dict.fromkeys(row.split for row in rows)]
    text = (
        "Lines across a group mark the oracle (the best configuration measured for that task) and random (the mean "
        "over all configurations): a learner is worth having when its bar goes beyond the second towards the first. "
        "Tasks stand in the order of what is still lost, worst first.",
    )
    worst, line = _worst(facts, contest, rows)
    return [
        Section("tasks", "Tasks", "Tasks against the baselines", text, tuple(figures)),
        Section("worst", "Worst first", "Worst tasks first", (line,), (worst,)),
    ]


def judged(learners: Sequence[str]) -> str:
    """Whose losses order the tasks: the policy's, or the most able learner's that there is."""
    return next(name for name in (POLICY, "surrogate", "nearest", "best_fixed", "random") if name in learners)


def _ordered(rows: Sequence[TaskReward]) -> list[str]:
    """Tasks, worst first."""
    name = judged([row.learner for row in rows])
    own = sorted((row for row in rows if row.learner == name), key=lambda row: (-row.normalised, row.task))
    return [row.task for row in own]


def _bars(facts: Facts, split: str, rows: Sequence[TaskReward]) -> Figure:
    own = [row for row in rows if row.split == split]
    present = {row.learner for row in own}
    data: list[dict[str, Any]] = [
        {"task": row.task, "learner": LABELS[row.learner], "value": row.reward} for row in own if row.learner in LABELS
    ]
    bars, ticks = (
        {LABELS[name]: colour for name, colour in series.items() if name in present} for series in (BARS, LINES)
    )
    order = _ordered(own)
    name = judged(sorted(present))
    means = {learner: np.mean([row.reward for row in own if row.learner == learner]) for learner in present}
    summary = (
        f"{facts.unit} on {counted(len(order), 'task')} {SPLITS[split]}. Means: "
        + ", ".join(
            f"{LABELS[learner]} {means[learner]:.2f}"
            for learner in dict.fromkeys(("oracle", name, "best_fixed", "random"))
        )
        + "."
        + (f" {LABELS[name].capitalize()} loses most on {order[0]}, least on {order[-1]}." if len(order) > 1 else "")
    )
    table = ShownTable.of(
        [
            {"task": task, **{row.learner: row.reward for row in own if row.task == task}}
            for task in order
        ],
        LABELS,
    )  # fmt: skip
    spec = charts.grouped_bars(data, order, bars, ticks, facts.unit, summary)
    title = {"seen": "Seen tasks", "unseen": "Unseen tasks", "leave_one_out": "Each task left out in turn"}[split]
    shown = (*charts.keys(ticks, shape="stroke"), *charts.keys(bars, shape="square"))
    return Figure(f"bars-{split.replace('_', '-')}", title, summary, (Panel(spec),), table, shown)


def _worst(facts: Facts, contest: Contest, rows: Sequence[TaskReward]) -> tuple[Figure, str]:
    """Normalised regret of every task, most first, with what noise alone could cause."""
    name = judged([row.learner for row in rows])
    shown = {key: BARS[key] for key in (name, "best_fixed", "nearest") if key in {row.learner for row in rows}}
    order = _ordered(rows)
    matrix = facts.matrix.select(order)
    noise_T, _ = noise_sd_T(matrix)
    tied_T = tied_TC(matrix, noise_T).sum(axis=1)
    of = {(row.task, row.learner): row for row in rows}
    table = ShownTable.of(
        [
            {
                "task": task,
                "split": of[task, name].split,
                "reward": of[task, name].reward,
                "best": of[task, name].best,
                "regret": of[task, name].best - of[task, name].reward,
                **{f"normalised_{key}": of[task, key].normalised for key in shown},
                "noise_sd": float(noise),
                "tied": int(tied),
            }
            for task, noise, tied in zip(order, noise_T, tied_T, strict=True)
        ],
        {f"normalised_{key}": f"normalised, {LABELS[key]}" for key in shown} | {"noise_sd": "noise SD"},
    )
    data = [
        {"name": row.task, "series": LABELS[row.learner], "value": row.normalised}
        for row in rows
        if row.learner in shown
    ]
    first = of[order[0], name]
    line = (
        f"Regret is what a task still loses to its best configuration; normalised by what the best gains over the mean "
        f"of all, 0 is the oracle and 1 is random. {LABELS[name].capitalize()} loses most on {first.task}: "
        f"{first.best - first.reward:.2f} points, normalised {first.normalised:.2f}. “Tied” counts configurations "
        f"within one noise SD of the best."
    )
    spec = charts.dots(
        data,
        order,
        {LABELS[key]: colour for key, colour in shown.items()},
        "normalised regret",
        line,
        references=[{"at": 0}, {"at": 1}],
    )
    summary = f"Normalised regret of {', '.join(LABELS[key] for key in shown)} on each task, worst first."
    shapes = charts.keys({LABELS[key]: colour for key, colour in shown.items()}, shaped=True)
    return Figure("worst", "What each task still loses", summary, (Panel(spec),), table, shapes), line


def distribution(facts: Facts) -> Section:
    """Rewards of every task over its configurations, with what was chosen marked (histograms)."""
    matrix = facts.matrix
    fixed = _fixed(facts)
    picked = chosen(facts) if facts.policy is not None else {}
    colours = {"best": "oracle", **({"chosen by the policy": "policy"} if picked else {})}
    colours |= {"best fixed": "fixed"} if fixed else {}
    colours |= {"Domain Randomization": "dr"}
    drawn, rows = [], []
    gains = np.nanmax(matrix.reward_TC, axis=1) - np.nanmean(matrix.reward_TC, axis=1)
    for at in np.argsort(-gains, kind="stable"):
        task, reward_C = matrix.tasks[at], matrix.reward_TC[at]
        wanted = {
            "best": matrix.space.configurations[int(np.nanargmax(reward_C))],
            "chosen by the policy": picked.get(task),
            "best fixed": fixed,
            "Domain Randomization": matrix.space.domain_randomization,
        }
        marks = _marks(facts, task, {kind: wanted[kind] for kind in colours})
        known_C = reward_C[np.isfinite(reward_C)]
        rows.append(_spread(task, known_C, marks))
        drawn.append((_counted(known_C), marks, _said(rows[-1])))
    specs = canvases.histograms(drawn, colours, facts.unit)
    panels = [Panel(spec, row["task"]) for spec, row in zip(specs, rows, strict=True)]
    summary = (
        f"{facts.unit} of every configuration, one histogram a task with a scale of its own, tasks with most to gain "
        f"first: {rows[0]['task']} gains {rows[0]['best'] - rows[0]['mean']:.1f} points from its best configuration "
        f"over the mean, {rows[-1]['task']} {rows[-1]['best'] - rows[-1]['mean']:.1f}."
    )
    figure = Figure(
        "distribution", "Rewards over configurations", summary, tuple(panels), ShownTable.of(rows),
        charts.keys(colours, shaped=True),
    )  # fmt: skip
    text = "How much a task depends on the configuration at all, and where each choice falls."
    return Section("distribution", "Distribution", "How rewards are distributed", (text,), (figure,))


def _fixed(facts: Facts) -> str | None:
    """The best fixed configuration on the training tasks; None where no configuration is measured on all."""
    if not facts.matrix.select(facts.contested).measured_C.any():
        return None
    return next(iter(chosen(facts, BestFixed()).values()))


def _marks(facts: Facts, task: str, wanted: Mapping[str, str | None]) -> list[dict[str, Any]]:
    reward_C, space = facts.matrix.reward_TC[facts.matrix.position(task)], facts.matrix.space
    found = []
    for kind, configuration in wanted.items():
        value = float(reward_C[space.index(configuration)]) if configuration else float("nan")
        if configuration and np.isfinite(value):
            found.append({"kind": kind, "configuration": configuration, "value": value})
    return found


def _counted(value_N: Any) -> list[dict[str, Any]]:
    """Bars of a histogram; a single value gives one bar, and so do means over seeds that differ by rounding alone."""
    spread = np.ptp(value_N) > 1e-9 * max(1.0, float(np.abs(value_N).max()))
    bins = min(BINS, max(int(np.sqrt(len(value_N)) * 2), 4)) if spread else 1
    count, edge = np.histogram(value_N, bins=bins)
    return [
        {"low": float(low), "high": float(high), "count": int(number)}
        for low, high, number in zip(edge[:-1], edge[1:], count, strict=True)
    ]


def _spread(task: str, known_C: Any, marks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    low, quarter, median, upper, high = np.quantile(known_C, [0, 0.25, 0.5, 0.75, 1])
    row = {
        "task": task, "configurations": len(known_C), "worst": float(low), "quarter": float(quarter),
        "median": float(median), "mean": float(known_C.mean()), "upper_quarter": float(upper), "best": float(high),
    }  # fmt: skip
    for kind, name in (
        ("best", "best_configuration"), ("chosen by the policy", "chosen"), ("best fixed", "fixed"),
        ("Domain Randomization", "domain_randomization"),
    ):  # fmt: skip
        mark = next((mark for mark in marks if mark["kind"] == kind), None)
        row[name] = mark["configuration"] if mark and kind in ("best", "chosen by the policy") else None
        if kind != "best":
            row[f"{name}_reward"] = mark["value"] if mark else None
    del row["fixed"], row["domain_randomization"]
    return row


def _said(row: Mapping[str, Any]) -> str:
    return f"{row['task']}: from {row['worst']:.1f} to {row['best']:.1f}, mean {row['mean']:.1f}."
