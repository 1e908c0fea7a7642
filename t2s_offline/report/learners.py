"""Sections about learners: the split's means, leaving one task out, regret against measured backbones.

Each has its intervals, what can be told apart, and the warning when no winner can be named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from t2s_offline.analysis.intervals import Interval, paired
from t2s_offline.analysis.ranks import Ranking
from t2s_offline.analysis.ties import warning
from t2s_offline.learners.compare import TRUE_BEST, Comparison, Row, as_dicts
from t2s_offline.report import charts
from t2s_offline.report.contest import LABELS, POLICY, Contest, label
from t2s_offline.report.facts import Facts, counted
from t2s_offline.report.model import Figure, Panel, Section, ShownTable
from t2s_offline.store.published import FORM_CHOSEN

TITLES = {"normalised_regret": "normalised regret", "ci_low": "low", "ci_high": "high", "measured": "K"}
APART = {
    "cross_regret": "cross-fitted regret", "cross_low": "low", "cross_high": "high",
    "vs_fixed": "minus best fixed", "vs_fixed_low": "low", "vs_fixed_high": "high",
    "vs_portfolio": "minus portfolio", "vs_portfolio_low": "low", "vs_portfolio_high": "high",
    "rank_low": "rank from", "rank_high": "to", "tie_group": "tied in group", "p_best": "chance of best",
    "measured": "K",
}  # fmt: skip
CURVES = {
    "surrogate_shortlist": "policy",
    "prior_top": "surrogate",
    "fixed_top": "fixed",
    "portfolio": "nearest",
    "random_search": "random",
}
SHOWN = ("normalised_regret", "ci_low", "ci_high", "reward", "regret")


def split_means(contest: Contest) -> Section | None:
    """Means over seen and unseen tasks, as `t2s-offline compare` gives them."""
    found = contest.split
    if found is None:
        return None
    splits = list(dict.fromkeys(row.split for row in found.rows))
    told = [f"{split}: {line}" for split in splits if split != "seen" and (line := told_apart(found, split))]
    text = (
        "Learners saw the rewards of the seen tasks; on those, nearest task is the oracle by construction. Intervals "
        "are 95 % of normalised regret over tasks, by studentised bootstrap; learners have one seed here, and what "
        "differs from seed to seed is not in them.",
        *_chosen_here(contest),
    )
    order = _by_regret([row for row in found.rows if row.split == splits[-1]])
    kinds = {"seen": "random", "unseen": "policy"}
    figure = _figure("means", "Normalised regret", found.rows, order, {split: kinds[split] for split in splits})
    tables = tuple((f"{split.capitalize()} tasks", _table(found.rows, split)) for split in splits)
    return Section("means", "Seen and unseen", "Seen and unseen tasks", text, (figure,), tables, warning=" ".join(told))


def left_out(contest: Contest) -> Section | None:
    """Each task reported on by learners that saw all the others."""
    found = contest.left_out
    if found is None:
        return None
    tasks = found.rows[0].tasks
    line = f"Every learner is asked about each of {tasks} tasks after it was fitted without that task"
    related = sum(bool(fold.relatives) for fold in contest.folds)
    line += f", and for {related} of them without their relatives, tasks of the same source." if related else "."
    if any(row.learner == "exact" for row in found.rows):
        line += (
            " Algorithm 1 takes longer and is left to t2s-offline compare --leave-one-out; the exact gradient, which "
            "makes the same kind of policy, stands for it."
        )
    if contest.split is not None and any(row.learner == POLICY for row in contest.split.rows):
        line += " The policy that was given saw some of these tasks and is left out."
    text = (line, *_luck(found.rows), *_chosen_here(contest))
    order = _by_regret(found.rows)
    figure = _figure("leave-one-out", "Normalised regret", found.rows, order, {"leave_one_out": "policy"})
    told = told_apart(found, "leave_one_out") or ""
    table = _table(found.rows, "leave_one_out")
    tables = (("Each task left out", table), *_apart(found.rows, contest.rankings, "leave_one_out"))
    return Section("leave-one-out", "Leave one out", "Leaving one task out", text, (figure,), tables, warning=told)


def _apart(rows: Sequence[Row], rankings: Mapping[str, Ranking], split: str) -> tuple[tuple[str, ShownTable], ...]:
    """A table of ranks, ties and differences to best fixed, captioned with what separates; none of one learner."""
    ranking = rankings.get(split)
    if ranking is None:
        return ()
    own = {row.learner: row for row in rows if row.split == split}
    names = ["vs_fixed", "vs_fixed_low", "vs_fixed_high", "rank_low", "rank_high", "tie_group", "p_best"]
    if any(row.cross_regret is not None for row in own.values()):
        names = ["cross_regret", "cross_low", "cross_high", *names]
    told = [
        {"learner": label(place.name), **{name: getattr(own[place.name], name) for name in names}}
        for place in ranking.places
    ]
    return ((f"What can be told apart: {separating(ranking)}", ShownTable.of(told, APART)),)


def _luck(rows: Sequence[Row]) -> tuple[str, ...]:
    """What the plain oracle owes to noise, where that is known."""
    by_name = {row.learner: row for row in rows}
    best, oracle = by_name.get(TRUE_BEST), by_name["oracle"]
    if best is None:
        return ()
    line = (
        f"The oracle is the highest of many noisy means. Somebody who knew every true mean would still have a "
        f"normalised regret of {best.normalised_regret:.2f} ({best.regret:.2f} points) against it."
    )
    if oracle.cross_regret is not None:
        line += (
            f" Chosen on one seed and scored on another, the best configuration is worth {-oracle.cross_regret:.2f} "
            "points less than the oracle: the cross-fitted regret is against that."
        )
    return (line,)


def separating(ranking: Ranking) -> str:
    """How many pairs separate, and what it would take for the best two."""
    line = f"{ranking.separate} of {counted(ranking.pairs, 'pair')} separate after Holm's correction"
    if ranking.more:
        first, second = (label(place.name) for place in ranking.places[:2])
        line += f"; {first} and {second} would after some {ranking.more:,} more tasks, if they differ as they do here"
    return line


def _differences(contest: Contest) -> tuple[tuple[str, ShownTable], ...]:
    """The shortlist minus best on average and minus the portfolio at each count."""
    names = [f"{of}{end}" for of in ("vs_fixed", "vs_portfolio") for end in ("", "_low", "_high")]
    told = [
        {"measured": row.measured, **{name: getattr(row, name) for name in names}}
        for row in contest.curve
        if row.learner == "surrogate_shortlist"
    ]
    return (("Normalised regret of the surrogate's shortlist minus that of others", ShownTable.of(told, APART)),)


def _chosen_here(contest: Contest) -> tuple[str, ...]:
    """On the authors' table: what the surrogate owes to it."""
    return (f"{FORM_CHOSEN[:1].upper()}{FORM_CHOSEN[1:]}.",) if contest.published else ()


def told_apart(found: Comparison, split: str) -> str | None:
    """The warning when no winner can be named, with learners as people call them."""
    if len(next(iter(found.normalised_TS[split].values()))) < 2:
        return "one task names no winner"
    return warning({LABELS[name]: regret_TS for name, regret_TS in found.normalised_TS[split].items()})


def _by_regret(rows: Sequence[Row]) -> list[str]:
    return [row.learner for row in sorted(rows, key=lambda row: row.normalised_regret)]


def _table(rows: Sequence[Row], split: str) -> ShownTable:
    own = sorted((row for row in rows if row.split == split), key=lambda row: row.normalised_regret)
    return ShownTable.of(
        [{"learner": label(row.learner), **{name: getattr(row, name) for name in SHOWN}} for row in own], TITLES
    )


def _figure(key: str, title: str, rows: Sequence[Row], order: Sequence[str], colours: dict[str, str]) -> Figure:
    data = [
        {"name": label(row.learner), "kind": row.split, "value": row.normalised_regret, **_ends(row)}
        for row in rows
        if row.learner != "oracle"
    ]
    names = [label(name) for name in order if name != "oracle"]
    chosen = [row for row in rows if row.learner not in ("oracle", TRUE_BEST) and row.split == rows[-1].split]
    best = min(chosen, key=lambda row: row.normalised_regret)
    where = (
        f"each of {best.tasks} tasks left out"
        if best.split == "leave_one_out"
        else counted(best.tasks, f"{best.split} task")
    )
    summary = (
        f"Normalised regret with 95 % intervals, least first (0 is the oracle, 1 is random). Least on "
        f"{where}: {label(best.learner)}, {best.normalised_regret:.2f}"
        + (f" ({best.ci_low:.2f} to {best.ci_high:.2f})." if best.tasks > 1 else "; one task has no interval.")
    )
    spec = charts.intervals(data, names, "normalised regret", summary, reference=1, colours=colours)
    table = ShownTable.of(as_dicts(rows), {**APART, **TITLES})
    return Figure(key, title, summary, (Panel(spec),), table, charts.keys(colours) if len(colours) > 1 else ())


def _ends(row: Row) -> dict[str, float | None]:
    """The interval's ends for a chart; of one task there is none to draw."""
    return {name: end if isfinite(end) else None for name, end in (("low", row.ci_low), ("high", row.ci_high))}


def curve(facts: Facts, contest: Contest) -> Section | None:
    """Regret after measuring a few kept backbones on a new task."""
    rows = contest.curve
    if not rows:
        return None
    data: list[dict[str, Any]] = [
        {"strategy": LABELS[row.learner], "measured": row.measured, "value": row.normalised_regret, **_ends(row)}
        for row in rows
    ]
    counts = sorted({row.measured for row in rows})
    at = {(row.learner, row.measured): row for row in rows}
    first, last = at["surrogate_shortlist", counts[0]], at["surrogate_shortlist", counts[-1]]
    summary = (
        f"Normalised regret after measuring K backbones on a task that was left out. The surrogate's shortlist goes "
        f"from {first.normalised_regret:.2f} at K = {first.measured} to {last.normalised_regret:.2f} at K = "
        f"{last.measured}; random search ends at {at['random_search', counts[-1]].normalised_regret:.2f}."
    )
    colours = {LABELS[name]: colour for name, colour in CURVES.items()}
    spec = charts.lines(data, counts, colours, "normalised regret", summary)
    figure = Figure(
        "curve",
        "Regret against measured backbones",
        summary,
        (Panel(spec),),
        ShownTable.of(as_dicts(rows), {**APART, **TITLES}),
        charts.keys(colours),
    )
    text = (
        "Backbones are kept, so a new task can measure a few before deciding. The shortlist picks the next one by "
        "expected improvement under a surrogate of the other tasks; the bands are 95 % intervals over tasks. The "
        "greedy portfolio is the K configurations that together serve the other tasks best.",
        *_chosen_here(contest),
    )
    return Section("curve", "Measuring", "Measure a few backbones", text, (figure,), _differences(contest))


def against_fixed(contest: Contest, split: str) -> tuple[str, Interval] | None:
    """The policy's (or, without one, the surrogate's) normalised regret minus best fixed's on the same tasks."""
    found = contest.split if split != "leave_one_out" else contest.left_out
    if found is None or split not in found.normalised_TS:
        return None
    regret = found.normalised_TS[split]
    name = next((name for name in (POLICY, "surrogate") if name in regret), None)
    return None if name is None else (name, paired(regret[name], regret["best_fixed"]))
