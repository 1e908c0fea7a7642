"""Charts: rows of plain values, in the order in which names stand, become Vega-Lite specifications.

Specifications are dictionaries, as wide as their container. Names reach a chart as data alone, never inside an
expression, so a task may be called anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import log2
from typing import Any

import altair as alt

from t2s_offline.report.model import Key
from t2s_offline.report.theme import var

Rows = Sequence[Mapping[str, Any]]
Spec = dict[str, Any]

SERIES_SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down")
BAR, GAP = 8, 9  # pixels: one bar of a group, between groups
PLANE = 600  # pixels across
ROW = 21  # pixels of a row with one mark


def chart_of(rows: Rows) -> alt.Chart:
    """A chart of these rows, as wide as its container."""
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]), width="container")


def spec_of(chart: alt.Chart | alt.LayerChart | alt.FacetChart, description: str) -> Spec:
    """A chart as a dictionary; the description is its text alternative."""
    spec: Spec = chart.properties(description=description).to_dict()
    spec.pop("config", None)
    return spec


def colours_of(field: str, names: Mapping[str, str]) -> alt.Color:
    """Series by name, each with a colour of the palette. What colours mean stands beside the chart, see `keys`."""
    scale = alt.Scale(domain=list(names), range=[var(colour) for colour in names.values()])
    return alt.Color(f"{field}:N", scale=scale, legend=None)


def shapes_of(names: Mapping[str, str]) -> alt.Scale:
    """Series by name, each with a shape of its own."""
    return alt.Scale(domain=list(names), range=list(SERIES_SHAPES[: len(names)]))


def keys(names: Mapping[str, str], *, shaped: bool = False, shape: str = "circle") -> tuple[Key, ...]:
    """What the colours of a chart mean; `shaped`: series differ in shape too."""
    shapes = cycle(SERIES_SHAPES if shaped else (shape,))
    return tuple(Key(name, var(colour), mark) for (name, colour), mark in zip(names.items(), shapes, strict=False))


def _names(field: str, order: Sequence[str], title: str | None = None) -> alt.Y:
    return alt.Y(f"{field}:N", scale=alt.Scale(domain=list(order)), axis=alt.Axis(title=title, grid=False))


def grouped_bars(
    rows: Rows, order: Sequence[str], bars: Mapping[str, str], ticks: Mapping[str, str], unit: str, description: str
) -> Spec:
    """A group of bars a task, with lines across it. rows: task, learner, value; bars, ticks: learner -> colour."""
    band = BAR * len(bars) + GAP
    colour = colours_of("learner", {**bars, **ticks})
    x = alt.X("value:Q", title=unit)
    tips = ["task:N", "learner:N", alt.Tooltip("value:Q", format=".2f", title=unit)]
    barred = chart_of([row for row in rows if row["learner"] in bars]).mark_bar(height=BAR - 1)
    lined = chart_of([row for row in rows if row["learner"] in ticks]).mark_tick(thickness=2, size=band - GAP + 4)
    y = _names("task", order)
    offset = alt.YOffset("learner:N", scale=alt.Scale(domain=list(bars)))
    layers = alt.layer(
        barred.encode(x=x, y=y, yOffset=offset, color=colour, tooltip=tips),
        lined.encode(x=x, y=y, color=colour, tooltip=tips),
    )
    return spec_of(layers.properties(width="container", height=band * len(order)), description)


def intervals(
    rows: Rows, order: Sequence[str], unit: str, description: str, *, reference: float, colours: Mapping[str, str],
    zero: bool = True,
) -> Spec:  # fmt: skip
    """A dot and its interval a row, and a line at `reference`. rows: name, kind, value, low, high; kind -> colour;
    zero: whether the axis shows zero."""
    colour = colours_of("kind", colours)
    y = _names("name", order)
    offset = alt.YOffset("kind:N", scale=alt.Scale(domain=list(colours), paddingOuter=0.6))
    shared: dict[str, Any] = {"y": y, "color": colour} | ({"yOffset": offset} if len(colours) > 1 else {})
    tips = ["name:N", "kind:N", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high"))]
    base = chart_of(rows)
    layers = alt.layer(
        chart_of([{"at": reference}]).mark_rule(strokeDash=[3, 3]).encode(x=alt.X("at:Q", title=unit)),
        base.mark_rule(strokeWidth=2.5, opacity=0.55).encode(x=alt.X("low:Q", title=unit), x2="high:Q", **shared),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x=alt.X("value:Q", title=unit, scale=alt.Scale(zero=zero)), tooltip=tips, **shared
        ),
    )
    row = ROW + 8 * (len(colours) - 1)
    return spec_of(layers.properties(width="container", height=row * len(order)), description)


def lines(rows: Rows, counts: Sequence[int], colours: Mapping[str, str], unit: str, description: str) -> Spec:
    """A line a strategy, the first with its interval as a band. rows: measured, strategy, value, low, high."""
    x = alt.X(
        "measured:O",
        scale=alt.Scale(domain=list(counts), padding=0.15),
        axis=alt.Axis(title="backbones measured on the new task", labelAngle=0, grid=True),
    )
    colour = colours_of("strategy", colours)
    base = chart_of(rows)
    banded = chart_of([row for row in rows if row["strategy"] == next(iter(colours))])
    scale = alt.Scale(domainMin=0)
    tips = ["strategy:N", "measured:O", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high"))]
    y = alt.Y("value:Q", title=unit, scale=scale)
    layers = alt.layer(
        banded.mark_area(opacity=0.14, aria=False).encode(
            x=x, y=alt.Y("low:Q", title=unit, scale=scale), y2="high:Q", color=colour
        ),
        base.mark_line(strokeWidth=2.2).encode(x=x, y=y, color=colour),
        base.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, color=colour, tooltip=tips),
    )
    return spec_of(layers.properties(width="container", height=300), description)


def sizes(
    rows: Rows, counts: Sequence[int], colours: Mapping[str, str], title: str, unit: str, description: str,
    *, zero: bool = False,
) -> Spec:  # fmt: skip
    """A line a series over a logarithmic axis, with intervals. rows: at, series, value, low, high; counts: the ticks;
    `zero`: a line at zero."""
    # logarithms on a linear axis: of a logarithmic one Vega labels powers alone. Series do not cover each other.
    beside = {name: 0.055 * place for place, name in enumerate(colours)}
    rows = [{**row, "doublings": log2(row["at"]) + beside[row["series"]]} for row in rows]
    ends = log2(counts[0]) - 0.15, log2(counts[-1]) + 0.2
    x = alt.X(
        "doublings:Q",
        scale=alt.Scale(nice=False, zero=False, domain=ends),
        axis=alt.Axis(
            values=[log2(count) for count in counts],
            tickCount=len(counts),  # the page's fewer would leave out those between
            title=title,
            labelExpr="format(round(pow(2, datum.value)), ',')",
        ),
    )
    colour = colours_of("series", colours)
    shape = alt.Shape("series:N", scale=shapes_of(colours), legend=None)
    tips = ["series:N", alt.Tooltip("at:Q", format=",")]
    tips += [alt.Tooltip(f"{name}:Q", format=".2f") for name in ("value", "low", "high")]
    base, scale = chart_of(rows), alt.Scale(zero=zero)
    y = alt.Y("value:Q", title=unit, scale=scale)
    layers = [
        base.mark_rule(strokeWidth=2, opacity=0.45).encode(
            x=x, y=alt.Y("low:Q", title=unit, scale=scale), y2="high:Q", color=colour
        ),
        base.mark_line(strokeWidth=2.2).encode(x=x, y=y, color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=colour, shape=shape, tooltip=tips),
    ]
    if zero:
        layers.insert(0, chart_of([{"zero": 0}]).mark_rule(strokeDash=[3, 3]).encode(y=alt.Y("zero:Q", title=unit)))
    return spec_of(alt.layer(*layers).properties(width="container", height=260), description)


def dots(
    rows: Rows, order: Sequence[str], colours: Mapping[str, str], unit: str, description: str, *, references: Rows = ()
) -> Spec:
    """Dots of several series on a row a name. rows: name, series, value; references: rows with `at`."""
    y = alt.Y("name:N", scale=alt.Scale(domain=list(order)), axis=alt.Axis(title=None, grid=True, gridDash=[1, 3]))
    x = alt.X("value:Q", title=unit)
    layers = [
        chart_of(references).mark_rule(strokeDash=[3, 3]).encode(x=alt.X("at:Q", title=unit)),
        chart_of(rows)
        .mark_point(filled=True, size=75, opacity=0.9)
        .encode(
            x=x,
            y=y,
            color=colours_of("series", colours),
            shape=alt.Shape("series:N", scale=shapes_of(colours), legend=None),
            tooltip=["name:N", "series:N", alt.Tooltip("value:Q", format=".3f", title=unit)],
        ),
    ]
    chosen = layers if references else layers[1:]
    return spec_of(alt.layer(*chosen).properties(width="container", height=ROW * len(order)), description)


def stacked(
    rows: Rows,
    order: Sequence[str],
    colours: Mapping[str, str],
    unit: str,
    description: str,
    *,
    top: float | None = None,
) -> Spec:
    """Parts of a whole a row. rows: name, part, place, value; part -> colour; `top`: where the axis ends."""
    scale = alt.Scale(nice=False, domainMax=top) if top is not None else alt.Scale()
    chart = (
        chart_of([{**row, "said": f"{row['name']}, {row['part']}: {row['value']:.4g}"} for row in rows])
        .mark_bar(height=ROW - 6)
        .encode(
            x=alt.X("value:Q", title=unit, stack="zero", scale=scale),
            y=_names("name", order),
            color=colours_of("part", colours),
            order=alt.Order("place:Q"),
            description="said:N",
            tooltip=["name:N", "part:N", alt.Tooltip("value:Q", format=".2f", title=unit)],
        )
    )
    return spec_of(chart.properties(height=ROW * len(order)), description)
