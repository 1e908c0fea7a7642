"""What four-legged animals share, in units of the length of the trunk.

Functions take sizes and curves and return solids, or add lumps to a blend.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder
from t2s_offline.render.builtin.shapes.primitives import tube
from t2s_offline.render.builtin.shapes.solid import Solid


def quadruped(
    b: Builder,
    blob: Blob,
    leg: float,
    girth: float,
    wide: float,
    thick: float,
    stance: float = 0.04,
    hock: float = 0.05,
) -> float:
    """Trunk along x from -0.5 to 0.5 and four legs that step; returns the height of the back's middle line."""
    y = leg + girth * 0.8
    blob.ball((-0.3, y, 0), (0.3, girth, wide)).ball((0.27, y + 0.02, 0), (0.28, girth * 1.02, wide))
    blob.bone((-0.3, y, 0), (0.3, y, 0), 0.88 * min(girth, wide))
    for x, bend in ((0.36, 0.4), (-0.4, -1.0)):
        for side in (-1, 1):
            step = b.u(-1, 1) * stance
            z = side * (wide - thick * 0.6)
            blob.limb(
                [(x, y - 0.3 * girth, z), (x - bend * hock + step / 2, 0.5 * leg, z), (x + step, thick * 0.8, z)],
                [thick * 1.5, thick * 0.95, thick * 0.8],
            )
            blob.bone((x + step, thick * 0.7, z), (x + step + 0.5 * thick, thick * 0.6, z), thick * 0.85)
    return y


def ear(height: float, width: float, thick: float = 0.3) -> Solid:
    """An upright pointed ear on y = 0, flat towards +x."""
    t = np.linspace(0, 1, 6)
    return tube(
        np.stack([0 * t, height * t, 0 * t], 1),
        width * np.sin(np.pi * (0.3 + 0.68 * t)) ** 0.9,
        8,
        flat=thick,
        up=(1, 0, 0),
    )
