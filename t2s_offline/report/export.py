"""Figures as files: PNG and SVG without a browser, and the numbers behind each as CSV.

Each figure is `KEY.png`, `KEY.svg` and `KEY.csv` in a folder; a file is whole or not there.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from t2s_offline.errors import BadFile
from t2s_offline.files import write_whole
from t2s_offline.report import theme
from t2s_offline.report.model import Figure, Report
from t2s_offline.text_tables import render

WIDTH, PANEL_WIDTH, COLUMNS = 720, 180, 4  # pixels, pixels, panels beside each other
VEGA_STROKE = "M-0.1,-0.6h0.2v1.2h-0.2z"  # Vega's own stroke has no area to fill
KEY_WIDTH, LINE = 180, 18  # pixels of an explained mark
MARGIN = 60  # pixels beside a panel: its axis and the space to the next
SCALE = 2.0  # pixels of a PNG per pixel of the page


def write_figures(report: Report, folder: Path) -> list[Path]:
    """Write every figure; returns the files. BadFile when the folder cannot be written."""
    import vl_convert

    written = []
    for figure in report.figures:
        spec = theme.concrete(standing(figure))
        files = {
            "png": smaller(vl_convert.vegalite_to_png(spec, scale=SCALE)),
            "svg": vl_convert.vegalite_to_svg(spec).encode(),
            "csv": (render(figure.table.columns, figure.table.rows, "csv") + "\n").encode(),
        }
        for kind, content in files.items():
            path = folder / f"{figure.key}.{kind}"
            try:
                write_whole(path, content)
            except OSError as error:
                message = f"cannot write {path}: {error.strerror or error}; choose another --figures"
                raise BadFile(message) from error
            written.append(path)
    return written


def smaller(png: bytes) -> bytes:
    """The same pixels in fewer bytes: on an opaque ground, and packed well."""
    from PIL import Image

    packed = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(packed, "PNG", optimize=True)
    return packed.getvalue()


def standing(figure: Figure) -> dict[str, Any]:
    """A specification that stands alone: of fixed width, on white, with its title and what colours mean."""
    config = {**theme.config(), "background": theme.var("surface"), "padding": 12}
    schema = figure.panels[0].spec["$schema"]
    several = len(figure.panels) > 1
    beside = min(len(figure.panels), COLUMNS)
    panel_width = max(PANEL_WIDTH, WIDTH // beside - MARGIN) if several else WIDTH
    parts = [_sized(panel.spec, panel_width) | ({"title": panel.heading} if several else {}) for panel in figure.panels]
    datasets = {name: rows for part in parts for name, rows in part.pop("datasets", {}).items()}
    # each panel has its own series, as on the page
    own = {"scale": {"color": "independent", "shape": "independent"}}
    body = {"concat": parts, "columns": COLUMNS, "spacing": 24, "resolve": own} if several else parts[0]
    whole = {"vconcat": [_legend(figure), body]} if figure.keys else body
    return {"$schema": schema, "title": figure.title, **whole, "datasets": datasets, "config": config}


def _sized(spec: Any, width: int) -> dict[str, Any]:
    """A copy with `width` pixels instead of the container's, in its layers too."""
    copy: dict[str, Any] = json.loads(json.dumps(spec))
    copy.pop("$schema", None)
    for part in (copy, *copy.get("layer", [])):
        if part.get("width") == "container":
            part["width"] = width
    return copy


def _legend(figure: Figure) -> dict[str, Any]:
    """What the page says beside the figure in HTML, as marks and text in rows."""
    beside = WIDTH // KEY_WIDTH
    rows = [
        {
            "text": key.text,
            "colour": key.colour,
            "shape": VEGA_STROKE if key.shape == "stroke" else key.shape,
            "x": at % beside,
            "y": -(at // beside),
        }
        for at, key in enumerate(figure.keys)
    ]

    def place(field: str, top: int) -> dict[str, Any]:
        low, high = (0, top) if field == "x" else (-top, 0)
        return {"field": field, "type": "quantitative", "axis": None, "scale": {"domain": [low, high], "nice": False}}

    lines = -(-len(rows) // beside)
    where = {"x": place("x", beside), "y": place("y", max(lines - 1, 1))}
    given = {"field": "colour", "type": "nominal", "scale": None, "legend": None}
    shape = {"field": "shape", "type": "nominal", "scale": None, "legend": None}
    text = {"field": "text", "type": "nominal"}
    return {
        "data": {"values": rows},
        "width": WIDTH,
        "height": LINE * (lines - 1) + 1,
        "layer": [
            {"mark": {"type": "point", "filled": True, "size": 80, "opacity": 1, "clip": False},
             "encoding": {**where, "color": given, "shape": shape}},
            {"mark": {"type": "text", "align": "left", "dx": 10}, "encoding": {**where, "text": text}},
        ],
    }  # fmt: skip
