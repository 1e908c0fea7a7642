"""Sections about simulation parameters: what a policy turns on, what each parameter does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from t2s_offline.analysis import effects
from t2s_offline.analysis.effects import OVERALL, Effect
from t2s_offline.report import canvases, charts, theme
from t2s_offline.report.facts import Facts, counted
from t2s_offline.report.model import Figure, Panel, Section, ShownTable

PAIRS = 12  # strongest interactions that are shown
DEGREES = 5  # the last part of a stacked bar holds this degree and up


def plain(name: str) -> str:
    """A parameter or effect for people."""
    return name.replace("_", " ")


def signed(value: float) -> str:
    """A number with its sign and two decimals; what rounds to zero has none."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def short(names: Sequence[str]) -> list[str]:
    """Parameters by their last word, where that tells them apart."""
    last = [name.rsplit("_", 1)[-1] for name in names]
    return [word if last.count(word) == 1 else plain(name) for word, name in zip(last, names, strict=True)]


def on_probability(facts: Facts) -> Section | None:
    """Probability that the policy varies each parameter, task by task (the paper's Figure 5)."""
    if facts.policy is None or facts.embeddings is None:
        return None
    space = facts.matrix.space
    trained = facts.policy.card.get("tasks", ())
    heads = facts.policy.policy.marginals(facts.embeddings.unit_TD)
    chance = {
        task: [float(1 - head_TL[row, 0]) for head_TL in heads] for row, task in enumerate(facts.embeddings.tasks)
    }
    figures = []
    for key, title, tasks in (
        ("seen", "Seen tasks", [task for task in chance if task in trained]),
        ("unseen", "Unseen tasks", [task for task in chance if task not in trained]),
    ):
        if tasks:
            figures.append(
                _chances(key, title, sorted(tasks, key=lambda t: tuple(-p for p in chance[t])), chance, space)
            )
    sure = float(np.mean([max(p, 1 - p) > 0.95 for row in chance.values() for p in row]))
    text = (
        "The probability, in percent, that the policy gives to varying a parameter (a digit other than 0). Columns "
        "that are dark or light throughout are decisions for all tasks; the others are where tasks differ. "
        f"{100 * sure:.0f} % of these decisions are made with a probability above 95 %.",
    )
    return Section("policy", "Policy", "What the policy turns on", text, tuple(figures))


def _chances(key: str, title: str, tasks: Sequence[str], chance: dict[str, list[float]], space: Any) -> Figure:
    names = short(space.names)
    steps = [f"{10 * at}" for at in range(10)]
    rows = []
    for task in tasks:
        for name, value in zip(names, chance[task], strict=True):
            step = min(int(value * 10), 9)
            rows.append({"x": name, "y": task, "value": 100 * value, "shade": steps[step], "strong": step >= 6})
    mean = np.mean([chance[task] for task in tasks], axis=0)
    most, least = int(mean.argmax()), int(mean.argmin())
    summary = (
        f"Probability of 1 in percent on {counted(len(tasks), 'task')}; on average highest for {names[most]} "
        f"({100 * mean[most]:.0f} %), lowest for {names[least]} ({100 * mean[least]:.0f} %)."
    )
    spec = canvases.heatmap(
        rows, names, tasks, canvases.shades("seq", steps), "probability of 1 (%)", summary, form=".0f"
    )  # fmt: skip
    table = ShownTable.of([{"task": t, **dict(zip(space.names, chance[t], strict=True))} for t in tasks])
    return Figure(f"probability-{key}", title, summary, (Panel(spec),), table)


def parameter_effects(facts: Facts) -> Section:
    """Main effects, pairs and shares of variance, as `t2s-offline effects` gives them."""
    found = effects.report(facts.matrix)
    first = OVERALL if len(facts.matrix.tasks) > 1 else facts.matrix.tasks[0]
    overall = [effect for effect in found.effects if effect.task == first]
    main = [effect for effect in overall if effect.degree == 1]
    pairs = sorted((effect for effect in overall if effect.degree == 2), key=lambda e: -e.share)[:PAIRS]
    figures = [_dots("effects-main", "Main effects", main, facts)]
    if pairs:
        figures.append(_dots("effects-pairs", f"Strongest {len(pairs)} pairs", pairs, facts))
    if first == OVERALL:
        figures.append(_by_task(facts, [e for e in found.effects if e.degree == 1 and e.task != OVERALL]))
    if found.shares:
        figures.append(_degrees(found.shares))
    text = (
        "An effect is what varying a parameter adds, in points, averaged over all settings of the others; a pair is "
        "what two add together beyond that. Intervals (95 %) are over tasks"
        + (": they count how tasks differ, not only noise." if first == OVERALL else "' noise.")
        + " "
        + " ".join(f"{note[:1].upper()}{note[1:]}." for note in found.notes if not note.startswith("aliased")),
    )
    return Section("effects", "Effects", "What each parameter does", text, tuple(figures))


def _dots(key: str, title: str, own: Sequence[Effect], facts: Facts) -> Figure:
    ordered = sorted(own, key=lambda effect: -effect.percent)
    clear = [effect for effect in ordered if effect.low > 0 or effect.high < 0]
    mixed = sum(bool(effect.aliased) for effect in ordered)
    space = facts.matrix.space
    words = dict(zip(space.names, short(space.names), strict=True))
    rows = [
        {"name": _brief(e, words), "kind": "effect", "value": e.percent, "low": e.low, "high": e.high} for e in ordered
    ]
    strongest = max(own, key=lambda effect: abs(effect.percent))
    summary = (
        f"Effects with 95 % intervals, most helpful first. Strongest: {plain(strongest.effect)}, "
        f"{signed(strongest.percent)} points ({signed(strongest.low)} to {signed(strongest.high)}). "
        f"{len(clear)} of {len(own)} intervals leave out zero."
        + (f" {mixed} cannot be told apart from other effects; the numbers say which." if mixed else "")
    )
    order = [row["name"] for row in rows]
    spec = charts.intervals(
        rows,
        [str(name) for name in order],
        f"effect on {facts.unit}",
        summary,
        reference=0,
        colours={"effect": "policy"},
    )
    table = ShownTable.of(
        [
            {"effect": e.effect, "percent": e.percent, "low": e.low, "high": e.high, "share": e.share,
             "aliased": " = ".join(e.aliased)}
            for e in ordered
        ]
    )  # fmt: skip
    return Figure(key, title, summary, (Panel(spec),), table)


def _brief(effect: Effect, words: dict[str, str]) -> str:
    """An effect's name: in full for one parameter, in short for a pair."""
    if effect.degree == 1:
        return plain(effect.effect)
    return " × ".join(words.get(part, plain(part)) for part in effect.effect.split(" × "))


def _by_task(facts: Facts, own: Sequence[Effect]) -> Figure:
    """Main effects of every task in units of its strongest one, so that tasks of small spread show too."""
    names = list(dict.fromkeys(effect.effect for effect in own))
    words = dict(zip(names, short(names), strict=True))
    value = {(effect.task, effect.effect): effect for effect in own}
    tasks = sorted(
        facts.matrix.tasks, key=lambda task: -max(abs(value[task, name].percent) for name in names)
    )  # fmt: skip
    steps = [str(at) for at in range(theme.STEPS)]
    rows = []
    for task in tasks:
        largest = max(abs(value[task, name].percent) for name in names) or 1.0
        for name in names:
            step = round((value[task, name].percent / largest + 1) / 2 * (theme.STEPS - 1))
            rows.append(
                {"x": words[name], "y": task, "value": value[task, name].percent, "shade": steps[step],
                 "strong": step in (0, 1, theme.STEPS - 2, theme.STEPS - 1)}
            )  # fmt: skip
    signs = {name: sum(value[task, name].percent > 0 for task in tasks) for name in names}
    mixed = min(names, key=lambda name: abs(signs[name] - len(tasks) / 2))
    summary = (
        f"Main effect of each parameter on each task, in points; blue takes away, orange adds, shaded by the task's "
        f"strongest effect. Tasks disagree most on {plain(mixed)}: it helps {signs[mixed]} of {len(tasks)}."
    )
    spec = canvases.heatmap(
        rows, list(words.values()), tasks, canvases.shades("div", steps), "effect (points)", summary, form=".1f"
    )  # fmt: skip
    table = ShownTable.of([{"task": t, **{name: value[t, name].percent for name in names}} for t in tasks])
    return Figure("effects-by-task", "Main effects task by task", summary, (Panel(spec),), table)


def _degrees(shares: Sequence[effects.Shares]) -> Figure:
    """Share of variance by how many parameters act together."""
    count = len(shares[0].by_degree)
    merged = min(DEGREES, count)
    parts = ["one parameter", "pairs", *(f"{at} together" for at in range(3, merged)), f"{merged} and more"][:merged]
    ordered = sorted(shares, key=lambda share: (share.task != OVERALL, -share.by_degree[0]))
    rows = []
    for share in ordered:
        values = [*share.by_degree[: merged - 1], sum(share.by_degree[merged - 1 :])]
        rows += [
            {"name": share.task, "part": part, "place": at, "value": 100 * value}
            for at, (part, value) in enumerate(zip(parts, values, strict=True))
        ]
    colours = dict(zip(parts, reversed(theme.ramp("seq", merged + 1)[1:]), strict=True))
    head = ordered[0]
    summary = (
        f"Share of the variance over configurations by how many parameters act together. {head.task.capitalize()}: "
        f"single parameters {100 * head.by_degree[0]:.0f} %"
        + (f", pairs {100 * head.by_degree[1]:.0f} %" if count > 1 else "")
        + (f"; noise of one cell alone would give {100 * head.noise:.0f} %." if np.isfinite(head.noise) else ".")
    )
    spec = charts.stacked(rows, [share.task for share in ordered], colours, "share of variance (%)", summary, top=100)
    columns, own = effects.share_rows(effects.Report(tuple(ordered), (), ()))
    table, keys = ShownTable(tuple(columns), tuple(map(tuple, own))), charts.keys(colours, shape="square")
    return Figure("effects-degrees", "Share of variance by degree", summary, (Panel(spec),), table, keys)
