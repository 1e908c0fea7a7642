"""Charts that are not rows of marks: grids of cells, small histograms, a plane of named points.

Vega-Lite specifications as in `charts.py`, whose pieces are used here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from t2s_offline.report import theme
from t2s_offline.report.charts import PLANE, ROW, Rows, Spec, chart_of, colours_of, shapes_of, spec_of
from t2s_offline.report.theme import var


def heatmap(
    rows: Rows,
    across: Sequence[str],
    down: Sequence[str],
    shades: Sequence[tuple[str, str]],
    value: str,
    description: str,
    *,
    form: str | None = None,
    angle: int = -40,
    row: int = ROW,
) -> Spec:
    """Cells of a shade each. rows: x, y, value, shade, strong (whether text on it must be light); shades: (name,
    colour) in order; `form`: how numbers are written in cells, None for none."""
    shade = alt.Color(
        "shade:N",
        scale=alt.Scale(domain=[name for name, _ in shades], range=[colour for _, colour in shades]),
        legend=None,
    )
    axis = alt.Axis(orient="top", labelAngle=angle, title=None, grid=False, labelLimit=120)
    x = alt.X("x:N", scale=alt.Scale(domain=list(across), paddingInner=0.04), axis=axis)
    y = alt.Y("y:N", scale=alt.Scale(domain=list(down), paddingInner=0.08), axis=alt.Axis(title=None, grid=False))
    tips = ["y:N", "x:N", alt.Tooltip("value:Q", format=".3f", title=value)]
    base = chart_of(rows)
    layers = [base.mark_rect(cornerRadius=2).encode(x=x, y=y, color=shade, tooltip=tips)]
    if form:
        ink = alt.Color(
            "strong:N", scale=alt.Scale(domain=[True, False], range=[var("on-strong"), var("ink")]), legend=None
        )
        text = alt.Text("value:Q", format=form)
        layers.append(base.mark_text(fontSize=10.5, aria=False).encode(x=x, y=y, text=text, color=ink))
    layered = alt.layer(*layers).resolve_scale(color="independent")
    return spec_of(layered.properties(width="container", height=row * len(down)), description)


def histograms(panels: Sequence[tuple[Rows, Rows, str]], colours: Mapping[str, str], unit: str) -> list[Spec]:
    """Counts, with a marked value in a lane of its own under them for each of `colours`. panels: bins (low, high,
    count), marks (kind, value, configuration), description. Specifications differ in their data alone."""
    lane = 0.25
    lanes = {kind: -(at + 0.7) * lane for at, kind in enumerate(colours)}
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-(len(colours) + 0.1) * lane, 1], nice=False))
    x = alt.X("low:Q", title=None, scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=4, grid=False))
    at = alt.X("value:Q", title=None)
    colour, shape = colours_of("kind", colours), alt.Shape("kind:N", scale=shapes_of(colours), legend=None)
    tips = ["kind:N", "configuration:N", alt.Tooltip("value:Q", format=".2f", title=unit)]
    counted = ["count:Q", *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("low", "high"))]
    layers = alt.layer(
        chart_of([])
        .mark_bar(color=var("bars"))
        .encode(x=x, x2="high:Q", y=y, y2="base:Q", tooltip=counted, description="said:N"),
        chart_of([]).mark_rule(strokeWidth=1, opacity=0.7, aria=False).encode(x=at, y=y, y2="top:Q", color=colour),
        chart_of([])
        .mark_point(filled=True, size=65, opacity=1)
        .encode(x=at, y=y, color=colour, shape=shape, tooltip=tips, description="said:N"),
    )
    shared = spec_of(layers.properties(width="container", height=78 + 9 * len(colours)), "")
    specs = []
    for bins, marks, description in panels:
        top = max(bar["count"] for bar in bins)
        filled = [
            {**bar, "y": bar["count"] / top, "base": 0,
             "said": f"{bar['count']} from {bar['low']:.4g} to {bar['high']:.4g}"}
            for bar in bins
        ]  # fmt: skip
        placed = [
            {**mark, "y": lanes[mark["kind"]], "top": 1,
             "said": f"{mark['kind']}: {mark['value']:.4g}, {mark['configuration']}"}
            for mark in marks if mark["kind"] in lanes
        ]  # fmt: skip
        drawn = [
            {**layer, "data": {"values": values}}
            for layer, values in zip(shared["layer"], (filled, placed, placed), strict=True)
        ]
        specs.append({**shared, "description": description, "layer": drawn})
    return specs


def plane(rows: Rows, groups: Mapping[str, str], description: str) -> Spec:
    """Named points; distances are what counts. rows: task, group, x, y, and where the name stands: dx, dy (pixels),
    align."""
    chart = chart_of(rows)
    ends = {name: (min(row[name] for row in rows), max(row[name] for row in rows)) for name in ("x", "y")}
    # the same scale both ways: half of the longer side and room for names, about each middle
    reach = 0.64 * max(high - low for low, high in ends.values()) or 1.0
    height = min(PLANE, max(round(PLANE * (ends["y"][1] - ends["y"][0]) / 2 / reach) + 70, 160))
    across, down = (
        alt.Scale(domain=[(low + high) / 2 - half, (low + high) / 2 + half], nice=False, zero=False)
        for (low, high), half in zip(ends.values(), (reach, reach * height / PLANE), strict=True)
    )
    x, y = alt.X("x:Q", axis=None, scale=across), alt.Y("y:Q", axis=None, scale=down)
    points = chart.mark_point(filled=True, size=75, opacity=1).encode(
        x=x, y=y, color=colours_of("group", groups), shape=alt.Shape("group:N", scale=shapes_of(groups), legend=None),
        tooltip=["task:N", "group:N"], description="task:N",
    )  # fmt: skip
    names = []
    for place in dict.fromkeys((row["align"], row["dx"], row["dy"]) for row in rows):
        align, dx, dy = place
        own = chart_of([row for row in rows if (row["align"], row["dx"], row["dy"]) == place])
        marks = own.mark_text(align=align, dx=dx, dy=dy, baseline="middle", fontSize=10.5, limit=110, aria=False)
        names.append(marks.encode(x=x, y=y, text="task:N"))
    return spec_of(alt.layer(points, *names).properties(width="container", height=height), description)


def shades(kind: str, names: Sequence[str]) -> list[tuple[str, str]]:
    """Names in order with the colours of a ramp."""
    return [(name, var(colour)) for name, colour in zip(names, theme.ramp(kind, len(names)), strict=True)]
