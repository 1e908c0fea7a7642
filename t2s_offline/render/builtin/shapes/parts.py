"""Pieces that several families share: wheels, drawers, knobs, eyes, leaves, windows.

Functions take sizes and return solids, or lists of solids for different components.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from t2s_offline.render.builtin.shapes.outline import arc, smooth
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, hull, lathe, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import Array, Point, Solid, join


def tyre(radius: float, width: float, count: int = 20) -> Solid:
    """A full tyre whose axle lies along z."""
    w = width / 2
    profile = [(0.6 * radius, -w), (0.9 * radius, -w), (radius, -0.6 * w)]
    profile += [(r, -y) for r, y in reversed(profile)]
    return lathe(
        [(0, -0.8 * w), (0.6 * radius, -0.8 * w), *profile, (0.6 * radius, 0.8 * w), (0, 0.8 * w)], count
    ).turn(x=90)


def rim(radius: float, width: float, count: int = 14) -> Solid:
    """The metal disc of a wheel whose axle lies along z."""
    return lathe([(0, -0.6 * width), (0.3 * radius, -0.6 * width), (radius, -0.45 * width), (radius, 0.45 * width),
                  (0.3 * radius, 0.6 * width), (0, 0.6 * width)], count).turn(x=90)  # fmt: skip


def spoked(radius: float, thick: float, spokes: int, count: int = 28, spoke: float = 0.3) -> tuple[Solid, Solid]:
    """A hoop and its hub with spokes, the axle along z."""
    hoop = torus(radius - thick, thick, count, 6).turn(x=90)
    arm = rod((0, 0, 0), (0, radius - thick, 0), spoke * thick, count=6)
    hub = disc(0.13 * radius, 3 * thick, 12).turn(x=90)
    return hoop, hub + arm.around(spokes, axis=2)


def eyes(x: float, y: float, z: float, radius: float) -> Solid:
    """Two eyes left and right of the plane z = 0."""
    return ball(radius, count=10).at(x, y, z).twin(2)


def leaf(
    length: float, width: float, bend: float = 0.3, thick: float = 0.08, steps: int = 7, tip: float = 0.6
) -> Solid:
    """A leaf from the origin along +x that curves down by `bend`; `tip` moves its widest place (0 to 1)."""
    t = np.linspace(0, 1, steps)
    path = np.stack([length * t, length * (0.3 * np.sin(np.pi * t) - bend * t**2), 0 * t], 1)
    half = width / 2 * np.sin(np.pi * (0.04 + 0.95 * t) ** tip)
    return tube(path, np.maximum(half, 0.02 * width), 6, flat=thick)


def handle(points: Sequence[Point] | Array, radius: float, steps: int = 12, flat: float = 1.0) -> Solid:
    """A smooth bar through control points (N, 3)."""
    return tube(smooth(points, steps), radius, 8, flat=flat)


def loop(x: float, low: float, high: float, reach: float, thick: float, pointed: float = 0.0) -> Solid:
    """A jug's handle in the xy plane: from (x, high) out by `reach` and back to (x, low)."""
    middle = (low + high) / 2
    points = [(x, high, 0), (x + 0.75 * reach, high + pointed, 0), (x + reach, middle + 0.1 * (high - low), 0),
              (x + 0.6 * reach, low + 0.12 * (high - low), 0), (x, low, 0)]  # fmt: skip
    return handle(points, thick)


def knob(radius: float) -> Solid:
    """A drawer's knob that looks along +z."""
    return ball(radius, radius, 0.8 * radius, 10)


def panes(width: float, height: float, columns: int, rows: int, gap: float, depth: float) -> Solid:
    """A grid of boxes in the xy plane that together fill width x height, `gap` between neighbours."""
    w, h = (width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows
    one = box(w, h, depth)
    return join(*(one.at((c - (columns - 1) / 2) * (w + gap), (r - (rows - 1) / 2) * (h + gap))
                  for c in range(columns) for r in range(rows)))  # fmt: skip


def roof(width: float, height: float, depth: float, over: float = 0.0, ridge: float = 1.0) -> Solid:
    """A roof on y = 0 with its ridge along x; `ridge` is the share of the width that the ridge keeps (0: a pyramid)."""
    w, d = width / 2 + over, depth / 2 + over
    r = max(ridge * w, 1e-3)
    base = [(sx * w, 0.0, sz * d) for sx in (-1, 1) for sz in (-1, 1)]
    eaves = [(x, -0.06 * height, z) for x, _, z in base]
    return hull([*base, *eaves, (-r, height, 0), (r, height, 0)])


def turned_leg(height: float, radius: float, style: int) -> Solid:
    """A leg that stands on y = 0: straight, tapered, or turned on a lathe."""
    if style == 0:
        return box(1.7 * radius, height, 1.7 * radius).at(y=height / 2)
    if style == 1:
        return rod((0, 0, 0), (0, height, 0), 0.55 * radius, radius, 10)
    profile = [
        (0.5, 0),
        (0.8, 0.05),
        (0.5, 0.12),
        (0.9, 0.3),
        (0.6, 0.55),
        (0.95, 0.7),
        (0.6, 0.76),
        (1.0, 0.82),
        (1.0, 1.0),
    ]
    return lathe([(radius * r, height * y) for r, y in profile], 10)


def dome(radius: float, height: float, count: int = 20, steps: int = 7) -> Solid:
    """Half an ellipsoid on y = 0."""
    curve = arc(1.0, 0, 90, steps)
    return lathe(curve * np.array([radius, height]), count)
