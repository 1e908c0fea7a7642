"""Things of the bathroom.

Each function fills the components of a Builder. The front looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import circle, smooth
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, loft, rod, torus, tube, vessel


@category("appliances", yaw=25)
def toilet(b: Builder) -> None:
    r, h, long = b.u(0.19, 0.22), b.u(0.36, 0.42), b.u(1.2, 1.4)
    bowl = vessel([(0.6 * r, 0), (0.55 * r, 0.3 * h), (0.85 * r, 0.7 * h), (r, h)], 0.045, 28, 9).scale(1, 1, long)
    b.add("bowl", bowl, box(0.22, 0.3 * h, 0.3, 0.03).at(0, 0.15 * h, -0.1), paint=b.pick("light", "ceramic"))
    b.add(
        "seat",
        torus(0.86 * r, 0.035, 30, 8, flat=0.5).scale(1, 1, long).at(y=h + 0.015),
        paint=b.pick("light", "wood", "plastic"),
    )
    b.add(
        "lid",
        disc(1.02 * r, 0.025, 30)
        .scale(1, 1, long)
        .at(z=r * long)
        .turn(x=-b.u(82, 98))
        .at(0, h + 0.05, -r * long + 0.02),
        paint=b.pick("light", "wood", "plastic"),
    )
    tw, th = b.u(0.4, 0.5), b.u(0.3, 0.4)
    b.add(
        "tank",
        box(tw, th, 0.17, 0.03).at(0, h + th / 2 - 0.02, -r * long - 0.13),
        box(tw + 0.03, 0.04, 0.2, 0.01).at(0, h + th, -r * long - 0.13),
        box(0.2, 0.2, 0.3).at(0, h - 0.12, -r * long - 0.02),
        paint=b.pick("light", "ceramic"),
    )
    b.add(
        "lever",
        rod((-0.16, h + 0.8 * th, -r * long - 0.03), (-0.08, h + 0.8 * th - 0.02, -r * long - 0.02), 0.015, count=8),
        paint="metal",
    )


@category("appliances", yaw=20)
def bathtub(b: Builder) -> None:
    w, h, ratio = b.u(1.3, 1.6), b.u(0.42, 0.52), b.u(0.42, 0.5)
    low, high = b.u(0.72, 0.85), b.u(0.08, 0.2)
    shape = circle(0.5, 36)
    shape = np.sign(shape) * np.abs(2 * shape) ** 0.7 / 2
    levels = [
        (low, 0.0),
        (0.97 * low + 0.03, 0.35 * h),
        (0.97, 0.85 * h),
        (1.03, h),
        (0.97, h),
        (0.92, 0.85 * h),
        (0.92 * low, 0.3 * h),
        (0.85 * low, 0.1 * h),
    ]
    rings = np.stack(
        [
            np.stack(
                [
                    w * s * shape[:, 0],
                    y + high * np.clip(2 * shape[:, 0], 0, 1) ** 2 * (y > 0.8 * h),
                    w * ratio * s * shape[:, 1],
                ],
                1,
            )
            for s, y in levels
        ]
    )
    b.add("tub", loft(rings), paint=b.pick("light", "ceramic", "plastic"))
    foot = lathe([(0, -0.16), (0.05, -0.15), (0.03, -0.1), (0.07, -0.02), (0.06, 0.06)], 12)
    b.add("feet", foot.at(0.32 * w, 0, 0.3 * w * ratio).four(), paint="metal")
    tap = handle(
        [(-0.5 * w, h - 0.1, 0), (-0.5 * w, h + 0.22, 0), (-0.4 * w, h + 0.26, 0), (-0.36 * w, h + 0.12, 0)], 0.025
    )
    b.add("tap", tap, rod((-0.5 * w, h + 0.06, -0.12), (-0.5 * w, h + 0.06, 0.12), 0.025, count=8), paint="metal")
    if b.chance(0.5):
        foam = [
            ball(b.u(0.1, 0.17), count=10).at(b.u(-0.32, 0.32) * w, 0.86 * h, b.u(-0.25, 0.25) * w * ratio)
            for _ in range(9)
        ]
        b.add("foam", *foam, disc(0.46 * w, 0.02, 28).scale(1, 1, 0.85 * ratio).at(y=0.8 * h), paint="light")


@category("appliances", yaw=-12)
def hair_dryer(b: Builder) -> None:
    r, long = b.u(0.19, 0.23), b.u(0.5, 0.62)
    barrel = lathe(
        [
            (0, -0.36),
            *smooth([(0.5 * r, -0.36), (r, -0.24), (1.05 * r, 0.0), (0.72 * r, 0.35), (0.62 * r, long)], 10),
            (0.5 * r, long),
            (0.45 * r, long - 0.1),
            (0, long - 0.1),
        ],
        24,
    ).turn(z=90)
    b.add("barrel", barrel, paint="plastic")
    nozzle = (
        lathe([(0.62 * r, 0), (0.7 * r, 0.04), (0.6 * r, 0.18), (0.5 * r, 0.18), (0, 0.05)], 20)
        .scale(1, 1, 1)
        .turn(z=90)
        .at(-long)
    )
    b.add("nozzle", nozzle.scale(1, 1, b.u(0.8, 1.2)), paint="dark")
    lean = b.u(-12, 14)
    b.add(
        "handle",
        tube([(0, 0, 0), (0, -0.3, 0), (0, -0.62, 0)], [0.1, 0.085, 0.1], 12, ends=True).turn(z=lean).at(0.06, -0.06),
        paint=b.pick("plastic", "dark"),
    )
    b.add("switch", box(0.04, 0.14, 0.07, 0.01).at(-0.085, -0.28).turn(z=lean).at(0.05), paint="dark")
    grille = torus(0.6 * r, 0.014, 20, 6).turn(z=90) + torus(0.35 * r, 0.014, 16, 6).turn(z=90)
    grille = grille + box(0.012, 1.2 * r, 0.02).around(b.i(1, 4), axis=0, sweep=135)
    b.add("grille", grille.at(0.355), paint="metal")
    tail = rod((0, -0.6, 0), (0, -0.75, 0), 0.02, count=6).turn(z=lean).at(0.06, -0.06)
    b.add("switch", tail)
