"""The report of one prediction: what was measured on a folder of pictures, what the answer is worth, what it is like.

`folder_report` takes a prediction and, where pictures are wanted, an `Album` that makes them (`folder_pictures.py`).
Nothing here measures anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t2s_offline.learners.predict import Prediction
from t2s_offline.recipe import ACCURACY_METRICS
from t2s_offline.report import charts
from t2s_offline.report.folder_pictures import Album
from t2s_offline.report.model import Figure, Panel, Report, Section, ShownTable

HOW = {"kept": "policy", "trained": "surrogate"}  # how a backbone came to be measured -> colour
SPAN = 1.96  # SDs to each side of an interval of 95 %
NOTE = "Accuracies are percent of the folder's own train and val pictures, each left out in turn."


def folder_report(found: Prediction, metric: str, recipe: str, album: Album | None = None) -> Report:
    """The page of a prediction. metric: the target; recipe: whose backbones were measured."""
    percent = metric in ACCURACY_METRICS
    unit = f"{metric}, %" if percent else f"{metric} score"
    sections = [made for made in (path(found, unit), worth(found, unit), candidates(found)) if made is not None]
    missing = (
        [] if found.measured else ["Measured backbones: nothing was measured; see predict --measure and --budget."]
    )
    if album is not None:
        added, lines = album(found)
        sections += added
        missing += lines
    facts = [
        ("answer", found.configuration),
        ("metric", metric),
        ("recipe", recipe),
        ("backbones measured", str(len(found.measured))),
    ]
    if found.worth is not None:
        facts.insert(1, ("expected", said(found.worth["expected"], percent)))
    return Report(
        f"Which synthetic pre-training suits {found.task}", tuple(facts), summary(found, percent), tuple(sections),
        tuple(missing), NOTE,
    )  # fmt: skip


def said(value: float, percent: bool) -> str:
    """A reward for people."""
    return f"{value:.1f} %" if percent else f"{value:.3f}"


def summary(found: Prediction, percent: bool) -> tuple[tuple[str, str], ...]:
    """The answer in sentences."""
    lines = [("Answer", f"Pre-train with configuration {found.configuration}.")]
    if found.worth is not None:
        about = found.worth
        low, high = said(about["low"], percent), said(about["high"], percent)
        lines.append(("Worth", f"Expected {said(about['expected'], percent)}, with 95 % between {low} and {high}."))
        gains = "; ".join(
            f"{gain['gain']:+.{1 if percent else 3}f} over {gain['over']}"
            for gain in about["gains"]
            if not gain["over"].endswith(found.configuration)
        )
        lines.append(("Gain", f"{gains}." if gains else "It is what would be chosen without measuring."))
        tied = len(about["tied"])
        sure = f"It is the best of all with probability {about['p_best']:.2f}."
        matters = (
            f"{tied} other configuration{'s' if tied > 1 else ''} cannot be told from it by what was measured. {sure}"
        )
        lines.append(("Ties", matters if tied else f"No other configuration is as good. {sure}"))
    if found.measured and "pictures" in found.measured[0]:
        passes = sum(step["pictures"] for step in found.measured)
        seconds = sum(step["seconds"] for step in found.measured)
        lines.append(("Cost", f"{len(found.measured)} backbones, {passes:,} forward passes, {seconds:.0f} s."))
    if found.nearest:
        near = ", ".join(f"{row['task']} ({row['similarity']:.2f})" for row in found.nearest)
        lines.append(("Nearest tasks", f"{near}, by the cosine of Task2Vec vectors."))
    return tuple(lines)


def path(found: Prediction, unit: str) -> Section | None:
    """What is believed of each measured backbone, in the order in which they were measured."""
    steps = [step for step in found.measured if "expected" in step and "sd" in step]
    if not steps:
        return None
    rows = [
        {
            "name": f"{number}. {step['configuration']}",
            "kind": step.get("how", "kept"),
            "value": step["expected"],
            "low": step["expected"] - SPAN * step["sd"],
            "high": step["expected"] + SPAN * step["sd"],
        }
        for number, step in enumerate(steps, 1)
    ]
    best = max(steps, key=lambda step: step["configuration"] == found.configuration)
    kinds = {kind: colour for kind, colour in HOW.items() if any(row["kind"] == kind for row in rows)}
    text = (
        f"{len(steps)} backbones from the first to the last that was measured: what is believed of each given all "
        f"measurements, with 95 % intervals. The dashed line is the answer's, {found.configuration}."
    )
    spec = charts.intervals(
        rows, [str(row["name"]) for row in rows], unit, text, reference=best["expected"], colours=kinds, zero=False
    )
    figure = Figure("path", "Measured backbones", text, (Panel(spec),), ShownTable.of(steps), charts.keys(kinds))
    lead = (
        "The next backbone is the one of highest expected improvement. All metrics of the table are measured on the "
        "same features and weighed as the table's tasks teach.",
    )
    return Section("measured", "Measured", "The path of measuring", lead, (figure,))


def worth(found: Prediction, unit: str) -> Section | None:
    """What is gained over other choices."""
    if found.worth is None:
        return None
    gains: list[Mapping[str, Any]] = found.worth["gains"]
    rows = [
        {"name": gain["over"], "kind": "gain", "value": gain["gain"], "low": gain["low"], "high": gain["high"]}
        for gain in gains
    ]
    if not rows:
        return None
    text = (
        f"Expected gain of {found.configuration} over other choices, with 95 % intervals; right of zero it is better."
    )
    spec = charts.intervals(
        rows, [str(row["name"]) for row in rows], f"gain in {unit}", text, reference=0.0, colours={"gain": "policy"}
    )
    figure = Figure("gains", "Gain over other choices", text, (Panel(spec),), ShownTable.of(gains))
    return Section("worth", "Worth", "What the answer is worth", figures=(figure,))


def candidates(found: Prediction) -> Section:
    """The likeliest configurations and the ties."""
    titles = {"probability": "probability of being best", "expected": "expected"}
    rows = [{name: value for name, value in row.items() if value is not None} for row in found.top]
    tables = [("The likeliest configurations", ShownTable.of(rows, titles))]
    digits = [
        {"parameter": name, "answer": digit, **{f"P({level})": value for level, value in enumerate(levels)}}
        for (name, levels), digit in zip(found.probabilities.items(), found.configuration, strict=True)
    ]
    if len({len(row) for row in digits}) == 1:
        tables.append(
            ("Levels of each parameter: probability that the best configuration has it", ShownTable.of(digits))
        )
    text: tuple[str, ...] = ()
    if found.worth is not None and found.worth["tied"]:
        names = ", ".join(found.worth["tied"][:12])
        more = len(found.worth["tied"]) - 12
        text = (f"Tied with the answer, the likeliest best first: {names}{f' and {more} more' if more > 0 else ''}.",)
    return Section("ties", "Ties", "What else would do", text, tables=tuple(tables))
