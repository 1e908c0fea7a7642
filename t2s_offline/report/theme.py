"""Colours and type of the report, for light and dark.

The palette is CSS custom properties. Charts name colours as ``var(--policy)``, so that a page changes between light,
dark and print without drawing anything again; files without CSS (PNG and SVG) get the values in place of names. Series
colours are those of Okabe and Ito (2008), told apart with the common colour-vision deficiencies; ramps run from one
lightness to another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"

#: marks as Vega names them -> the same in a square of 12 pixels
SHAPES = {
    "circle": "M6 1.5a4.5 4.5 0 1 0 .01 0z",
    "square": "M2 2h8v8h-8z",
    "diamond": "M6 .5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
    "triangle-up": "M6 1l5 9.5h-10z",
    "cross": "M4.3 1h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3z",
    "triangle-down": "M6 11l-5 -9.5h10z",
    "stroke": "M5 0h2v12h-2z",
}

STEPS = 9
_RAMP = {
    "seq": (
        ("#f1f5f9", "#dce8f2", "#c3dbec", "#a1c8e2", "#76afd5", "#3579b1", "#22649b", "#144e83", "#0a396b"),
        ("#1a212a", "#1e3043", "#22415e", "#27547b", "#2e6999", "#3e81b7", "#599bd1", "#7fb7e6", "#b2d6f5"),
    ),
    "div": (
        ("#1b5a9c", "#3a7ab0", "#92c1de", "#d3e4ef", "#f2f2f2", "#fbdcc6", "#f0ae85", "#bf551d", "#9c370c"),
        ("#7ab8f0", "#4e8cc4", "#356896", "#264661", "#222a33", "#573a26", "#8a5427", "#c07736", "#f2a862"),
    ),
}
#: name -> (light, dark)
COLOURS: dict[str, tuple[str, str]] = {
    "surface": ("#ffffff", "#11161c"),
    "raised": ("#f6f8fa", "#19202a"),
    "ink": ("#17202a", "#e7edf3"),
    "muted": ("#56626f", "#9caab8"),
    "line": ("#d9e0e7", "#2e3946"),
    "accent": ("#0b5fad", "#6cb6ff"),
    "warn": ("#8a5300", "#f2b457"),
    "on-strong": ("#ffffff", "#0d1218"),
    "oracle": ("#17202a", "#e7edf3"),
    "random": ("#8b96a1", "#7d8995"),
    "policy": ("#0072b2", "#56b4e9"),
    "nearest": ("#009e73", "#2cc39a"),
    "fixed": ("#e69f00", "#f0b429"),
    "dr": ("#cc79a7", "#e09cc2"),
    "surrogate": ("#d55e00", "#ff8c42"),
    "bars": ("#b4c0cc", "#495867"),
    **{
        f"{kind}-{step}": (light, dark)
        for kind, (lights, darks) in _RAMP.items()
        for step, (light, dark) in enumerate(zip(lights, darks, strict=True))
    },
}


def css(*, dark: bool) -> str:
    """The palette as declarations of CSS custom properties."""
    return " ".join(f"--{name}: {pair[dark]};" for name, pair in COLOURS.items())


def var(name: str) -> str:
    """A colour by its name; KeyError for one that is not in the palette."""
    COLOURS[name]
    return f"var(--{name})"


def ramp(kind: str, steps: int = STEPS) -> list[str]:
    """Names of `steps` colours of the ramp ``seq`` (little to much) or ``div`` (negative to positive), evenly
    spread."""
    return [f"{kind}-{round(at * (STEPS - 1) / max(steps - 1, 1))}" for at in range(steps)]


def concrete(spec: Mapping[str, Any]) -> str:
    """A specification as JSON with the light palette's values in place of names."""
    text = json.dumps(spec, ensure_ascii=False, allow_nan=False)
    for name, (light, _) in COLOURS.items():
        text = text.replace(f'"var(--{name})"', f'"{light}"')
    return text


def config() -> dict[str, Any]:
    """Vega-Lite configuration: quiet axes, text and lines in the page's colours."""
    return {
        "background": None,
        "numberFormat": ".4~r",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": var("muted"), "titleColor": var("muted"), "gridColor": var("line"), "domain": False,
            "ticks": False, "labelPadding": 6, "titleFontWeight": 500, "titleFontSize": 12, "labelFontSize": 11.5,
            "titlePadding": 8, "labelLimit": 165, "labelFlush": False,
        },
        # fewer ticks where the page is narrow
        "axisXQuantitative": {"tickCount": {"expr": "max(2, ceil(width / 110))"}},
        "axisY": {"labelColor": var("ink")},
        "text": {"fill": var("ink"), "fontSize": 11},
        "title": {"color": var("ink"), "fontSize": 13, "fontWeight": 600, "anchor": "start"},
        "rule": {"stroke": var("muted")},
    }  # fmt: skip
