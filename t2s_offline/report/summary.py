"""The report in words: a few sentences with the figures that decide, and the facts at the head of the page."""

from __future__ import annotations

import numpy as np

from t2s_offline.analysis import effects
from t2s_offline.errors import T2SError
from t2s_offline.report.contest import LABELS, Contest, by_task
from t2s_offline.report.facts import METRIC_NAMES, Facts, counted
from t2s_offline.report.learners import against_fixed, told_apart
from t2s_offline.report.parameters import plain, signed
from t2s_offline.report.tasks import judged
from t2s_offline.store.published import CAVEATS

BEST = """SELECT count(*) AS tasks, count(DISTINCT configuration) AS distinct_best, avg(gain) AS gain,
    arg_max(task, gain) AS most, max(gain) AS most_gain, arg_min(task, gain) AS least, min(gain) AS least_gain
    FROM best_configuration WHERE recipe = $1 AND metric = $2"""
COMPROMISE = """SELECT configuration, accuracy, regret FROM leaderboard
    WHERE recipe = $1 AND metric = $2 AND tasks = $3 ORDER BY regret, configuration LIMIT 1"""
COUNTED = "SELECT count(*) AS rewards, count(DISTINCT seed) AS seeds FROM rewards WHERE recipe = $1 AND metric = $2"


def head(facts: Facts) -> tuple[tuple[str, str], ...]:
    """Names and values at the head of the page."""
    matrix = facts.matrix
    total = facts.ask(COUNTED, matrix.recipe, matrix.metric)[0]
    measured = int(np.isfinite(matrix.reward_TC).sum())
    return (
        ("recipe", matrix.recipe),
        ("reward", METRIC_NAMES[matrix.metric]),
        ("tasks", f"{len(matrix.tasks)}"),
        ("configurations", f"{len(matrix.space)}"),
        ("seeds", f"{total['seeds']}"),
        ("cells measured", f"{100 * measured / matrix.reward_TC.size:.4g} %"),
        ("rewards", f"{total['rewards']:,}"),
    )


def sentences(facts: Facts, contest: Contest) -> tuple[tuple[str, str], ...]:
    """(what it is about, what a reader takes home), most decisive first; what cannot be said is left out."""
    told = (
        ("The published table", " ".join(CAVEATS) if contest.published else None),
        ("What a choice is worth", _choice(facts)),
        ("Unseen tasks", _against(contest, "unseen")),
        ("Leaving tasks out", _against(contest, "leave_one_out")),
        ("Measuring first", _measuring(contest)),
        ("Varying everything", _randomised(facts, contest)),
        ("Worst task", _worst(facts, contest)),
        ("Parameters", _parameters(facts)),
    )
    return tuple((about, line) for about, line in told if line)


def _choice(facts: Facts) -> str:
    """How much there is to choose."""
    matrix = facts.matrix
    best = facts.ask(BEST, matrix.recipe, matrix.metric)[0]
    if best["tasks"] == 1:
        return f"The best configuration of {best['most']} gains {best['gain']:.2f} points over the mean of all."
    line = (
        f"A task's best configuration gains {best['gain']:.2f} points over the mean of all on average, from "
        f"{best['least_gain']:.2f} ({best['least']}) to {best['most_gain']:.2f} ({best['most']}). The {best['tasks']} "
        f"tasks have {best['distinct_best']} different best configurations."
    )
    compromise = facts.ask(COMPROMISE, matrix.recipe, matrix.metric, len(matrix.tasks))
    if compromise:
        one = compromise[0]
        line += f" The best one for all, {one['configuration']}, loses {one['regret']:.2f} points to each task's own."
    return line


def _against(contest: Contest, split: str) -> str | None:
    """The policy, or else the surrogate, beside the best fixed configuration."""
    found = contest.left_out if split == "leave_one_out" else contest.split
    difference = against_fixed(contest, split)
    if found is None or difference is None:
        return None
    rows = {row.learner: row for row in found.rows if row.split == split}
    name, gap = difference
    own, fixed = rows[name], rows["best_fixed"]
    side = "less than" if gap.mean < 0 else "more than"
    apart = f"{abs(gap.mean):.2f} {side}" if abs(gap.mean) >= 0.005 else "the same as"
    interval = (
        f"paired 95 % interval {signed(gap.low)} to {signed(gap.high)}{'' if gap.clear else ', which holds zero'}"
    )
    line = (
        f"Mean reward on {counted(own.tasks, 'task')}: {LABELS[name]} {own.reward:.2f}, best fixed configuration "
        f"{fixed.reward:.2f}, random {rows['random'].reward:.2f}, oracle {rows['oracle'].reward:.2f}. Normalised "
        f"regret of the {LABELS[name]} is {apart} that of best fixed "
        f"({interval if own.tasks > 1 else 'one task has no interval'})."
    )
    told = told_apart(found, split)
    return f"{line} {told[:1].upper()}{told[1:]}." if told else line


def _randomised(facts: Facts, contest: Contest) -> str | None:
    """Whether varying everything pays."""
    rows = by_task(facts, contest.main) if contest.main is not None else []
    own = [row for row in rows if row.learner == "domain_randomization"]
    if not own:
        return None
    below = sum(row.reward < row.mean for row in own)
    return (
        f"Domain Randomization ({facts.matrix.space.domain_randomization}) is worse than a configuration drawn at "
        f"random on {below or 'none'} of {counted(len(own), 'task')}."
    )


def _worst(facts: Facts, contest: Contest) -> str | None:
    """Where most is lost."""
    rows = by_task(facts, contest.main) if contest.main is not None else []
    if not rows:
        return None
    name = judged([row.learner for row in rows])
    worst = max((row for row in rows if row.learner == name), key=lambda row: (row.normalised, row.task))
    return (
        f"{LABELS[name].capitalize()} loses most on {worst.task}: {worst.reward:.2f} where {worst.best:.2f} was to be "
        f"had and the mean is {worst.mean:.2f}."
    )


def _measuring(contest: Contest) -> str | None:
    """What a few measurements on the new task are worth."""
    rows = {row.measured: row for row in contest.curve if row.learner == "surrogate_shortlist"}
    if len(rows) < 2:
        return None
    some = 8 if 8 in rows else max(rows)
    return (
        f"Measuring {some} kept backbones on a new task takes normalised regret from "
        f"{rows[min(rows)].normalised_regret:.2f} to {rows[some].normalised_regret:.2f}."
    )


def _parameters(facts: Facts) -> str | None:
    """The strongest single parameter, and how much single parameters explain."""
    try:
        found = effects.report(facts.matrix)
    except T2SError:
        return None
    main = [effect for effect in found.effects if effect.task == found.effects[0].task and effect.degree == 1]
    if not main:
        return None
    strongest = max(main, key=lambda effect: abs(effect.percent))
    verb = "adds" if strongest.percent > 0 else "takes"
    line = (
        f"Varying {plain(strongest.effect)} matters most: it {verb} {abs(strongest.percent):.2f} points on average "
        f"(95 % interval {signed(strongest.low)} to {signed(strongest.high)})."
    )
    if found.shares:
        line += f" Single parameters explain {100 * found.shares[0].by_degree[0]:.0f} % of the variance within a task."
    return line
