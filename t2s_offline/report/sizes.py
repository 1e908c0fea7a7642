"""The section on sizes: accuracy against the number of classes, objects and pictures (the paper's Figures 6 to 8).

One figure for each number that the store's recipes differ in, and a sentence that says whether varying everything
catches up. The numbers are those of `scaling.py`; only recipes that differ from the report's own in one number count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from t2s_offline.analysis.intervals import Interval
from t2s_offline.analysis.ladders import CLASSES, IMAGES, OBJECTS, Ladder
from t2s_offline.errors import BadInput
from t2s_offline.report import charts, scaling
from t2s_offline.report.facts import Facts, counted
from t2s_offline.report.model import Figure, Panel, Section, ShownTable
from t2s_offline.report.parameters import signed
from t2s_offline.report.scaling import Curve, Trend
from t2s_offline.store.reward_store import RewardStore

#: field -> (figure of the paper, axis, what there is more of)
NAMES = {
    CLASSES: ("figure6", "classes", "classes"),
    OBJECTS: ("figure7", "objects a class, pictures in proportion", "objects"),
    IMAGES: ("figure8", "pictures", "pictures"),
}
TRAINED = """SELECT recipe, configuration, avg(train_accuracy) AS train, avg(val_accuracy) AS val FROM backbones
    WHERE status = 'done' AND configuration IN ($1, $2) GROUP BY ALL"""
TITLES = {
    "chosen_minus_everything": "chosen minus everything", "everything": "everything varied",
    "all_tasks": "the same, all tasks", "everything_low": "low", "everything_high": "high", "chosen_low": "low",
    "chosen_high": "high", "low": "low", "high": "high", "all_low": "low", "all_high": "high",
    "chosen_train": "pre-training, chosen", "chosen_val": "its val", "everything_train": "pre-training, everything",
    "everything_val": "its val",
}  # fmt: skip


@dataclass(frozen=True)
class Sized:
    """A curve and its trends: head, of the `fresh` tasks that the configuration was not chosen on; whole, of all."""

    curve: Curve
    head: Trend
    whole: Trend
    fresh: int


def sized(facts: Facts, chosen_on: Collection[str] = ()) -> tuple[list[Sized], list[str]]:
    """A curve for every ladder that holds the report's recipe, and lines about what they lack. chosen_on: tasks that
    the configuration was chosen on."""
    own = [
        ladder
        for ladder in scaling.ladders_of(facts.store)
        if any(facts.matrix.recipe in names for names in ladder.recipes)
    ]
    found, missing = [], []
    for ladder in own:
        one, lines = _sized(facts, ladder, chosen_on)
        found += [one] if one else []
        missing += lines
    return found, missing


def _sized(facts: Facts, ladder: Ladder, chosen_on: Collection[str]) -> tuple[Sized | None, list[str]]:
    figure, axis, _ = NAMES[ladder.field]
    curve = scaling.read_curve(facts.store, ladder, facts.matrix.metric)
    place = f"Figure {figure[-1]} (accuracy against {axis.split(',')[0]})"
    if curve is None:
        line = (
            f"{place}: fewer than two of {', '.join(map(str, ladder.counts))} have Domain Randomization and another "
            "configuration on the same tasks; sweep the others."
        )
        return None, [line]
    missing = []
    if curve.absent:
        missing.append(f"{place}: not measured with both configurations at {_of(curve.field, curve.absent)}.")
    if short := [str(count) for count, part in zip(curve.counts, curve.accuracy_K, strict=True)
                 if part.shape[2] < max(other.shape[2] for other in curve.accuracy_K)]:  # fmt: skip
        missing.append(f"{place}: fewer seeds at {', '.join(short)}; slopes use the {curve.seeds} that all have.")
    if curve.partial:
        missing.append(f"{place}: {counted(len(curve.partial), 'task')} not measured at every point, left out.")
    whole = scaling.trend(curve)
    try:
        fresh = curve.without(chosen_on)
    except BadInput:  # nothing was measured on other tasks
        fresh = curve
        missing.append(f"{place}: every task is one that the configuration was chosen on, which flatters it.")
    head = whole if fresh is curve else scaling.trend(fresh)
    return Sized(curve, head, whole, len(fresh.tasks)), missing


def _of(field: str, counts: Sequence[int]) -> str:
    unit = {CLASSES: "classes", OBJECTS: "objects a class", IMAGES: "pictures a class"}[field]
    return f"{', '.join(map(str, counts))} {unit}"


def answers(found: Sequence[Sized]) -> tuple[tuple[str, str], ...]:
    """(what it is about, the answer in a sentence) for each curve."""
    return tuple((f"Varying everything, with more {NAMES[one.curve.field][2]}", answer(one)) for one in found)


def answer(one: Sized) -> str:
    """Does varying everything catch up? With the figures that decide, and what is not measured yet."""
    curve, head, whole = one.curve, one.head, one.whole
    more = NAMES[curve.field][2]
    first, last = head.points[0], head.points[-1]
    line = (
        f"Does varying everything catch up with more {more}? {head.catches_up.capitalize()}: {head.why}. On "
        f"{_tasks(one)} {curve.chosen} minus {curve.everything} is {said(first.difference)} points at "
        f"{_of(curve.field, (first.count,))} and {said(last.difference)} at {_of(curve.field, (last.count,))}; it "
        f"changes by {said(head.difference)} a doubling."
    )
    if one.fresh < len(curve.tasks):
        same = f"{whole.catches_up}, too" if whole.catches_up == head.catches_up else f"{whole.catches_up}: {whole.why}"
        line += (
            f" On all {len(curve.tasks)}: {same} ({said(whole.points[0].difference)}, then "
            f"{said(whole.points[-1].difference)})."
        )
    if curve.absent:
        line += f" Not measured yet: {_of(curve.field, curve.absent)}."
    if curve.seeds == 1:
        line += " The change is of one seed, and leaves out what differs from seed to seed."
    return line


def _tasks(one: Sized) -> str:
    left = len(one.curve.tasks) - one.fresh
    return counted(one.fresh, "task") + (f" ({left} that it was chosen on left out)" if left else "")


def said(interval: Interval) -> str:
    """A mean with its interval: +1.20 (+0.30 to +2.10)."""
    return f"{signed(interval.mean)} ({signed(interval.low)} to {signed(interval.high)})"


def sizes(facts: Facts, found: Sequence[Sized]) -> Section | None:
    """Curves, differences, slopes, and the pre-training behind them; None when no recipe stands in a ladder."""
    if not found:
        return None
    curve = found[0].curve
    how = (
        f"the best by val accuracy of {curve.rivals} on these very recipes" if curve.rivals > 1
        else "the only other one at every point"
    )  # fmt: skip
    text = (
        f"Recipes of this store differ in one number alone, so it is known what more of it does. {curve.everything} "
        f"varies everything (Domain Randomization); {curve.chosen} is the chosen configuration ({how}). Intervals are "
        "95 % over tasks and seeds; those of the difference are paired. Epochs are the same at every point, so steps "
        "grow with the pictures.",
        *(answer(one) for one in found),
    )
    figures = tuple(_figure(facts, one) for one in found)
    return Section("sizes", "Sizes", "More classes, objects, pictures", text, figures, (("Slopes", _slopes(found)),))


def _slopes(found: Sequence[Sized]) -> ShownTable:
    rows = []
    for one in found:
        for tasks, trend in {one.fresh: one.head, len(one.curve.tasks): one.whole}.items():
            for name, slope in (
                (one.curve.chosen, trend.chosen),
                (one.curve.everything, trend.everything),
                ("difference", trend.difference),
            ):
                rows.append(
                    {"more": NAMES[one.curve.field][2], "tasks": tasks, "of": name, "points_a_doubling": slope.mean,
                     "low": slope.low, "high": slope.high, "catches_up": trend.catches_up}
                )  # fmt: skip
    return ShownTable.of(rows)


def _figure(facts: Facts, one: Sized) -> Figure:
    curve, head, whole = one.curve, one.head, one.whole
    key, axis, more = NAMES[curve.field]
    trained = _trained(facts.store, curve)
    rows, accuracy, difference = [], list[dict[str, object]](), list[dict[str, object]]()
    series = {curve.chosen: "policy", f"{curve.everything} (everything)": "dr"}
    others = f"difference, {counted(one.fresh, 'task')}", f"difference, all {len(curve.tasks)}"
    gaps = {others[0]: "ink", others[1]: "random"} if one.fresh < len(curve.tasks) else {others[0]: "ink"}
    for point, all_tasks in zip(head.points, whole.points, strict=True):
        at = point.pictures if curve.field == IMAGES else point.count
        rows.append(
            {
                more if curve.field != OBJECTS else "objects_a_class": at, "pictures": point.pictures,
                "seeds": point.seeds,
                **_columns("chosen", point.chosen, "chosen_"),
                **_columns("everything", point.everything, "everything_"),
                **_columns("chosen_minus_everything", point.difference, ""),
                **(_columns("all_tasks", all_tasks.difference, "all_") if len(gaps) > 1 else {}),
                **trained.get(point.recipe, {}),
            }
        )  # fmt: skip
        accuracy += _marks(at, series, (point.chosen, point.everything))
        difference += _marks(at, gaps, (point.difference, all_tasks.difference))
    counts = curve.pictures if curve.field == IMAGES else curve.counts
    summary = answer(one)
    unit, of = _axis(curve), counted(one.fresh, "task")
    panels = (
        Panel(charts.sizes(accuracy, counts, series, unit, facts.unit, summary), f"mean of {of}"),
        Panel(
            charts.sizes(difference, counts, gaps, unit, "difference (points)", summary, zero=True),
            f"{curve.chosen} minus {curve.everything}",
        ),
    )
    marks = (*charts.keys(series, shaped=True), *charts.keys(gaps, shaped=True))
    title = f"Figure {key[-1]} of the paper: accuracy against {axis.split(',')[0]}"
    return Figure(key, title, summary, panels, ShownTable.of(rows, TITLES), marks)


def _marks(at: int, names: Iterable[str], means: Sequence[Interval]) -> list[dict[str, object]]:
    """A mark a series at one number; the second mean is left out where there is one series."""
    return [
        {"at": at, "series": name, **_columns("value", interval, "")}
        for name, interval in zip(names, means, strict=False)
    ]


def _axis(curve: Curve) -> str:
    """The title of the horizontal axis, with what stays the same."""
    axis = NAMES[curve.field][1]
    each = curve.pictures[0] // curve.counts[0]  # pictures a class, or classes
    return {CLASSES: f"{axis} ({each} pictures each)", IMAGES: f"{axis} ({each} classes)"}.get(curve.field, axis)


def _columns(name: str, interval: Interval, prefix: str) -> dict[str, float | None]:
    """A mean and its ends as columns; the ends of one task alone are not known."""
    ends = {"low": interval.low, "high": interval.high}
    return {name: interval.mean} | {f"{prefix}{end}": at if isfinite(at) else None for end, at in ends.items()}


def _trained(store: RewardStore, curve: Curve) -> dict[str, dict[str, float | None]]:
    """Accuracies of the pre-training by recipe, mean over seeds, percent; empty where the store has none."""
    with store.reader() as con:
        rows = con.execute(TRAINED, [curve.chosen, curve.everything]).fetchall()
    known = {(recipe, configuration): values for recipe, configuration, *values in rows}
    if not any(value is not None for values in known.values() for value in values):
        return {}
    return {
        recipe: {
            f"{name}_{part}": known.get((recipe, configuration), [None, None])[at]
            for name, configuration in (("chosen", curve.chosen), ("everything", curve.everything))
            for at, part in enumerate(("train", "val"))
        }
        for recipe in curve.recipes
    }
