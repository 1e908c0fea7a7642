"""Bodies and wheels of vehicles.

Functions take sizes and curves and return solids, or add lumps to a blend.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder
from t2s_offline.render.builtin.shapes.outline import lift
from t2s_offline.render.builtin.shapes.parts import rim, tyre
from t2s_offline.render.builtin.shapes.primitives import loft
from t2s_offline.render.builtin.shapes.solid import Array, Solid


def shell(side: Array, width: float, waist: float, roof: float) -> Solid:
    """A body from its side outline (N, 2): rounded across, narrowed from `waist` height up to `roof` by a tenth."""
    rings = []
    for share, inset in ((-0.5, 0.05), (-0.46, 0.0), (0.46, 0.0), (0.5, 0.05)):
        centre = side.mean(0)
        ring = lift(side + (centre - side) * inset, 2)
        narrow = 1 - 0.24 * np.clip((ring[:, 1] - waist) / max(roof - waist, 1e-6), 0, 1)
        ring[:, 2] = share * width * narrow
        rings.append(ring)
    return loft(np.stack(rings))


def wheels(b: Builder, places: list[tuple[float, float]], radius: float, width: float) -> None:
    """Tyres and rims at (x, z)."""
    for x, z in places:
        b.add("tyres", tyre(radius, width, 18).at(x, radius, z), paint="dark")
        b.add("rims", rim(0.6 * radius, width, 12).at(x, radius, z), paint="metal")
