"""Things to write, read and paint with.

Each function fills the components of a Builder. Long ones stand upright in the xy plane and are leaned.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import lift, rounded, smooth
from t2s_offline.render.builtin.shapes.primitives import box, cushion, lathe, loft, prism, torus


@category("utensils", lean=-40)
def pencil(b: Builder) -> None:
    long, r = b.u(0.9, 1.3), b.u(0.055, 0.075)
    b.add("shaft", lathe([(0, 0), (r, 0), (r, long), (0, long)], 6), paint=b.pick("plastic", "wood"))
    tip = b.u(0.16, 0.24)
    b.add("wood", lathe([(0, 0.0), (r, 0.0), (0.3 * r, -tip), (0, -tip)][::-1], 16), paint="wood")
    b.add("lead", lathe([(0, -1.4 * tip), (0.32 * r, -tip), (0, -tip + 0.01)], 12), paint="dark")
    b.add(
        "ferrule",
        lathe(
            [
                (0, long),
                (1.06 * r, long),
                (1.0 * r, long + 0.03),
                (1.06 * r, long + 0.06),
                (1.0 * r, long + 0.09),
                (0, long + 0.09),
            ],
            16,
        ),
        paint="metal",
    )
    b.add(
        "eraser",
        lathe(
            [
                (0, long + 0.08),
                (0.95 * r, long + 0.08),
                (0.95 * r, long + 0.15),
                (0.7 * r, long + 0.18),
                (0, long + 0.18),
            ],
            16,
        ),
        paint="plastic",
    )
    if b.chance(0.4):
        b.add(
            "bands",
            *(lathe([(1.03 * r, y), (1.03 * r, y + 0.03)], 6) for y in spread(b.i(1, 3), 0.6 * long, 0.9 * long)),
            paint="metal",
        )
    if b.chance(0.3):
        b.add(
            "shavings",
            *(
                torus(0.1, 0.02, 14, 4).turn(x=b.u(0, 180), z=b.u(0, 90)).at(0.12 * k - 0.1, -1.3 * tip, 0.1)
                for k in range(b.i(1, 3))
            ),
            paint="wood",
        )


@category("utensils", lean=-30)
def paintbrush(b: Builder) -> None:
    w, h, long = b.u(0.16, 0.26), b.u(0.26, 0.36), b.u(0.42, 0.6)
    flat = b.u(0.25, 0.4)
    outline = rounded(1, 1, 0.3, 4)
    hair = [
        lift(outline * [2 * w * s, 2 * w * flat * s2], 1, y)
        for s, s2, y in ((0.9, 0.9, 0), (1.0, 1.1, 0.6 * h), (0.95, 0.35, h))
    ]
    b.add("bristles", loft(np.stack(hair) * [1, 1, -1]), paint=b.pick("fur", "dark"))
    b.add(
        "ferrule",
        loft(np.stack([lift(outline * [2 * w * 0.92, 2 * w * flat], 1, y) for y in (-0.14, 0.02)]) * [1, 1, -1]),
        paint="metal",
    )
    t = smooth([(0.85 * w, -0.13), (0.4 * w, -0.24), (0.26 * w, -0.2 - 0.5 * long), (0.34 * w, -0.15 - long)], 12)
    b.add(
        "handle",
        loft(np.stack([lift(outline * [2 * r, 2 * r * max(flat, 0.5)], 1, y) for r, y in t]) * [1, 1, -1]),
        paint=b.pick("wood", "plastic"),
    )
    for y in spread(b.i(0, 3), -0.1, -0.02) if b.chance(0.6) else []:
        b.add("ferrule", box(1.88 * w, 0.014, 2.06 * w * flat).at(y=y))
    if b.chance(0.5):
        b.add("ring", torus(0.05, 0.014, 16, 6).turn(x=90).at(y=-0.2 - long), paint="metal")
    if b.chance(0.4):
        b.add("wet", cushion(1.75 * w, 0.12, 1.1 * w * flat, 0.5).at(y=h - 0.02), paint="plastic")


@category("utensils", yaw=30)
def book(b: Builder) -> None:
    w, h, d = b.u(0.6, 0.75), b.u(0.85, 1.0), b.u(0.12, 0.28)
    if b.chance(0.45):
        # open on its back, pages arched from the fold
        x = np.linspace(0, 1, 9)
        top = 0.12 * np.sin(np.pi * np.clip(x * 1.05, 0, 1) ** 0.6) + 0.05
        page = np.concatenate([np.stack([w * x, 0 * x + 0.02], 1), np.stack([w * x, top], 1)[::-1]])
        b.add("pages", prism(page, depth=h).twin().turn(x=35), paint="light")
        b.add(
            "cover",
            box(w + 0.04, 0.025, h + 0.06).at((w + 0.04) / 2).twin().turn(x=35),
            paint=b.pick("fabric", "plastic"),
        )
        n = b.i(5, 8)
        for z in spread(n, -0.36 * h, 0.36 * h):
            line = box(b.u(0.5, 0.62) * w, 0.012, 0.035).turn(z=4).at(0.52 * w, 0.166, z)
            b.add("print", line.twin().turn(x=35), paint="dark")
        return
    b.add("pages", box(w - 0.04, h - 0.06, d - 0.03).at(0.01), paint="light")
    b.add(
        "cover",
        box(w, h, 0.025, 0.008).at(z=d / 2).twin(2),
        box(0.025, h, d + 0.02, 0.008).at(-w / 2),
        paint=b.pick("fabric", "plastic", "wood"),
    )
    b.add("title", box(0.6 * w, b.u(0.08, 0.2), 0.012).at(0, b.u(0.1, 0.28) * h, d / 2 + 0.013), paint="metal")
    if b.chance(0.5):
        b.add(
            "title",
            *(torus(d / 2, 0.014, 16, 6).scale(0.2, 1, 1).at(-w / 2 - 0.01, y) for y in spread(3, -0.35 * h, 0.35 * h)),
        )
    if b.chance(0.4):
        b.add("ribbon", box(0.04, 0.3, 0.006).at(0.1, -h / 2 - 0.1), paint="plastic")
