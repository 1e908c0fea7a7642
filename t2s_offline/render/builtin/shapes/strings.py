"""Instruments with a neck.

Each function fills the components of a Builder. The playing side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, mirrored, smooth
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import Solid, join


def pegs(y: float, n: int, out: float) -> Solid:
    """Tuning pegs left and right of x = 0 above height y."""
    return join(
        *(
            rod((0, y + 0.07 * k, 0), (out, y + 0.07 * k, 0), 0.012, count=6)
            + ball(0.026, 0.018, 0.014, 8).at(out, y + 0.07 * k)
            for k in range(n)
        )
    ).twin()


def strings(n: int, width: float, low: float, high: float, z: float) -> Solid:
    """Vertical strings from y = low to high."""
    return join(*(rod((x, low, z), (0.7 * x, high, z), 0.0045, count=4) for x in spread(n, -width / 2, width / 2)))


@category("instruments", yaw=18, lean=-18)
def acoustic_guitar(b: Builder) -> None:
    w, waist, h, d = b.u(0.38, 0.46), b.u(0.68, 0.8), b.u(0.5, 0.58), b.u(0.1, 0.14)
    half = smooth(
        [
            (0, 0),
            (0.4 * w, 0.02),
            (0.5 * w, 0.3 * h),
            (0.5 * w * waist, 0.58 * h),
            (0.4 * w, 0.84 * h),
            (0.2 * w, h),
            (0, h),
        ],
        22,
    )
    b.add("body", prism(mirrored(half), depth=d), paint="wood")
    b.add("top", prism(mirrored(half) * 0.96 + [0, 0.02 * h], depth=0.012).at(z=d / 2), paint="wood")
    b.add(
        "rose",
        disc(0.14 * w + 0.03, 0.02, 24).turn(x=90).at(0, 0.64 * h, d / 2),
        box(0.3 * w, 0.035, 0.03).at(0, 0.26 * h, d / 2 + 0.01),
        paint="dark",
    )
    neck = h + b.u(0.42, 0.52)
    b.add(
        "neck",
        box(0.058, neck - 0.6 * h, 0.045, 0.01).at(0, (neck + 0.75 * h) / 2 - 0.03, d / 2),
        prism(np.array([(-0.035, 0), (0.035, 0), (0.05, 0.18), (-0.05, 0.18)]), depth=0.03)
        .turn(x=-8)
        .at(0, neck, d / 2),
        paint=b.pick("wood", "dark"),
    )
    b.add("pegs", pegs(neck + 0.03, b.i(2, 4), 0.085).at(z=d / 2), paint=b.pick("metal", "light"))
    b.add("strings", strings(6, 0.05, 0.26 * h, neck + 0.03, d / 2 + 0.04), paint="metal")
    if b.chance(0.4):
        guard = smooth(
            [(0.1 * w, 0.35 * h), (0.36 * w, 0.3 * h), (0.3 * w, 0.5 * h), (0.14 * w, 0.58 * h)], 14, closed=True
        )
        b.add("rose", prism(guard, depth=0.012).at(z=d / 2 + 0.004))
    if b.chance(0.3):
        strap = handle(
            [(0, 0, -d / 2), (0.55 * w, 0.3 * h, -0.2), (0.3 * w, 0.9 * h, -0.24), (0, neck, -0.02)], 0.03, 14, flat=0.4
        )
        b.add("strap", strap, paint="fabric")


@category("instruments", yaw=18, lean=15)
def electric_guitar(b: Builder) -> None:
    w, h = b.u(0.4, 0.46), b.u(0.5, 0.58)
    if b.chance(0.6):
        outline = smooth(
            [
                (0, 0),
                (0.42 * w, 0.03),
                (0.5 * w, 0.3 * h),
                (0.33 * w, 0.58 * h),
                (0.42 * w, 0.9 * h),
                (0.3 * w, 0.98 * h),
                (0.1 * w, 0.76 * h),
                (-0.1 * w, 0.76 * h),
                (-0.3 * w, 1.12 * h),
                (-0.44 * w, 1.05 * h),
                (-0.34 * w, 0.58 * h),
                (-0.5 * w, 0.3 * h),
                (-0.42 * w, 0.03),
            ],
            44,
            closed=True,
        )
    else:
        outline = np.array(
            [
                (0, 0.16 * h),
                (0.45 * w, -0.16 * h),
                (0.6 * w, -0.05 * h),
                (0.12 * w, 0.95 * h),
                (-0.12 * w, 0.95 * h),
                (-0.6 * w, -0.05 * h),
                (-0.45 * w, -0.16 * h),
            ]
        )
    b.add("body", prism(outline, depth=0.07), paint=b.pick("plastic", "wood", "metal"))
    b.add(
        "plate",
        prism(
            smooth(
                [
                    (0.05 * w, 0.12 * h),
                    (0.36 * w, 0.15 * h),
                    (0.3 * w, 0.55 * h),
                    (0.1 * w, 0.72 * h),
                    (-0.1 * w, 0.7 * h),
                ],
                18,
                closed=True,
            ),
            depth=0.012,
        ).at(z=0.04),
        paint=b.pick("light", "dark"),
    )
    for y in spread(b.i(2, 3), 0.3 * h, 0.62 * h):
        b.add("pickups", box(0.1, 0.035, 0.03).at(0, y, 0.045), paint=b.pick("dark", "metal"))
    b.add(
        "pickups",
        box(0.09, 0.03, 0.03).at(0, 0.18 * h, 0.045),
        *(disc(0.022, 0.03, 12).turn(x=90).at(0.3 * w, y * h, 0.05) for y in (0.14, 0.25)),
    )
    neck = h + b.u(0.45, 0.55)
    b.add(
        "neck",
        box(0.052, neck - 0.62 * h, 0.04, 0.01).at(0, (neck + 0.68 * h) / 2 - 0.03, 0.04),
        prism(np.array([(-0.03, 0), (0.03, 0), (0.075, 0.17), (-0.045, 0.2)]), depth=0.028).at(0, neck - 0.01, 0.035),
        paint="wood",
    )
    peg = join(*(ball(0.018, count=6).at(-0.075, neck + 0.03 + 0.028 * k, 0.035) for k in range(6)))
    b.add("pegs", peg, paint="metal")


@category("instruments", yaw=20, lean=-22)
def violin(b: Builder) -> None:
    w, h, d = b.u(0.32, 0.38), b.u(0.5, 0.58), 0.075
    half = smooth(
        [
            (0, 0),
            (0.34 * w, 0.03 * h),
            (0.5 * w, 0.2 * h),
            (0.42 * w, 0.36 * h),
            (0.28 * w, 0.48 * h),
            (0.28 * w, 0.58 * h),
            (0.4 * w, 0.68 * h),
            (0.41 * w, 0.84 * h),
            (0.25 * w, 0.98 * h),
            (0, h),
        ],
        30,
    )
    b.add("body", prism(mirrored(half), depth=d), paint="wood")
    b.add(
        "board",
        box(0.05, 0.62, 0.025).turn(x=-3).at(0, 0.85 * h + 0.05, d / 2 + 0.05),
        prism(np.array([(-0.03, 0), (0.03, 0), (0.05, 0.2), (-0.05, 0.2)]), depth=0.03).at(0, 0.04, d / 2 + 0.02),
        paint="dark",
    )
    b.add(
        "board",
        *(
            tube(smooth([(x, 0.3 * h, d / 2), (1.3 * x, 0.4 * h, d / 2), (1.05 * x, 0.5 * h, d / 2)], 6), 0.009, 6)
            for x in (-0.09, 0.09)
        ),
    )
    neck = h + 0.3
    scroll = (
        tube(lift(np.concatenate([[(-0.0, -0.12)], arc(0.035, -30, 300, 10, -0.01, 0.03)]), 2), 0.02, 8)
        .turn(y=90)
        .at(0, neck + 0.06, d / 2 + 0.02)
    )
    b.add("neck", box(0.04, 0.34, 0.035, 0.01).at(0, h + 0.14, d / 2), scroll, paint="wood")
    b.add("pegs", pegs(neck - 0.06, 2, 0.075).at(z=d / 2), paint="dark")
    b.add("bridge", box(0.09, 0.012, 0.05).at(0, 0.4 * h, d / 2 + 0.03), paint="light")
    if b.chance(0.75):
        bow = join(
            rod((0, 0, 0), (0, 0.95, 0), 0.01, count=6),
            box(0.006, 0.86, 0.012).at(0.04, 0.48),
            box(0.045, 0.06, 0.016).at(0.02, 0.05),
            box(0.045, 0.02, 0.014).at(0.02, 0.93),
        )
        b.add("bow", bow.turn(z=b.u(-18, 10)).at(0.32, 0), paint="wood")


@category("instruments", yaw=15, lean=15)
def banjo(b: Builder) -> None:
    r, long = b.u(0.26, 0.32), b.u(0.62, 0.78)
    b.add("pot", disc(r, 0.12, 32).turn(x=90), paint=b.pick("wood", "metal"))
    b.add("skin", disc(0.93 * r, 0.13, 32).turn(x=90), paint="light")
    b.add(
        "hooks",
        torus(r, 0.016, 32, 6).turn(x=90).at(z=0.06),
        ball(0.02, count=6).at(1.04 * r, 0, 0.03).around(b.i(12, 18), axis=2),
        box(0.1, 0.02, 0.03).at(0, -0.45 * r, 0.08),
        paint="metal",
    )
    b.add(
        "neck",
        box(0.05, long, 0.04, 0.008).at(0, 0.8 * r + long / 2, 0.05),
        prism(np.array([(-0.03, 0), (0.03, 0), (0.06, 0.1), (0.035, 0.2), (-0.035, 0.2), (-0.06, 0.1)]), depth=0.03).at(
            0, 0.8 * r + long - 0.01, 0.05
        ),
        paint=b.pick("wood", "dark"),
    )
    b.add(
        "pegs",
        pegs(0.8 * r + long + 0.05, 2, 0.09).at(z=0.05),
        rod((0, 0.35 * long + r, 0.05), (-0.07, 0.35 * long + r, 0.05), 0.014, count=6),
        paint="metal",
    )
    b.add("strings", strings(5, 0.045, -0.45 * r, 0.8 * r + long, 0.09), paint="metal")
