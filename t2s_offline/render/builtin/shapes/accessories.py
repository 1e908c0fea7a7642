"""Things to wear and to carry.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import circle, lift, rounded, smooth
from t2s_offline.render.builtin.shapes.parts import dome, handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, lathe, loft, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import Array


@category("wear", yaw=15)
def crown(b: Builder) -> None:
    r, n, h, low = b.u(0.4, 0.48), b.i(5, 9), b.u(0.25, 0.42), b.u(0.14, 0.2)
    count = 8 * n
    a = 2 * np.pi * np.arange(count) / count
    phase = (np.arange(count) % 8) / 8
    top = low + h * np.abs(2 * phase - 1) ** b.u(0.8, 1.6)
    flare = b.u(1.0, 1.2)

    def ring(size: float, y: Array | float) -> Array:
        return np.stack([size * np.cos(a), np.broadcast_to(y, count), -size * np.sin(a)], 1)

    spread_top = r * (1 + (flare - 1) * top / (low + h))
    outer = np.stack([spread_top * np.cos(a), top, -spread_top * np.sin(a)], 1)
    b.add(
        "band",
        loft(
            np.stack(
                [
                    ring(r, 0.0),
                    ring(r * 1.01, low * 0.6),
                    outer,
                    outer * [0.94, 1, 0.94],
                    ring(0.94 * r, low * 0.6),
                    ring(0.94 * r, 0.0),
                ]
            ),
            wrap=True,
        ),
        paint="metal",
    )
    tip = ball(0.045, count=10).at(r * flare, low + h + 0.02)
    b.add("pearls", tip.around(n), paint=b.pick("light", "plastic", "metal"))
    b.add("jewels", ball(0.03, 0.055, 0.05, 8).at(r * 1.03, 0.55 * low).around(n, start=180 / n), paint="plastic")
    b.add("rims", torus(r, 0.03, 36, 6).at(y=0.02), paint="metal")
    if b.chance(0.4):
        b.add("cap", dome(0.92 * r, low + 0.7 * h, 24), paint="fabric")


@category("wear", yaw=22)
def eyeglasses(b: Builder) -> None:
    r, gap = b.u(0.2, 0.25), b.u(0.06, 0.1)
    style = b.i(0, 2)
    outline = (
        circle(r, 28, 0, 0, b.u(0.8, 1.0))
        if style == 0
        else rounded(2 * r, b.u(1.1, 1.5) * r, b.u(0.05, 0.14), 5)
        if style == 1
        else smooth(
            [
                (-r, 0.5 * r),
                (-0.7 * r, -0.5 * r),
                (0, -0.8 * r),
                (0.8 * r, -0.5 * r),
                (1.1 * r, 0.6 * r),
                (0, 0.62 * r),
            ],
            30,
            closed=True,
        )
    )
    x = r + gap
    thick = b.u(0.018, 0.035)
    b.add("rims", tube(lift(outline, 2), thick, 8, closed=True).at(x).twin(), paint=b.pick("dark", "metal", "plastic"))
    b.add("lenses", prism(outline, depth=0.014).at(x).twin(), paint=b.pick("light", "dark"))
    b.add(
        "frame",
        handle([(-gap - 0.02, 0.25 * r, 0), (0, 0.4 * r, 0.02), (gap + 0.02, 0.25 * r, 0)], thick),
        handle(
            [
                (x + r, 0.35 * r, 0),
                (x + r + 0.05, 0.35 * r, -0.05),
                (x + r + 0.04, 0.35 * r, -0.6),
                (x + r + 0.02, 0.05, -0.82),
            ],
            0.8 * thick,
            16,
        ).twin(),
        paint=b.pick("dark", "metal", "plastic"),
    )


@category("wear", yaw=20, tilt=15)
def diamond_ring(b: Builder) -> None:
    r, s = 0.36, b.u(0.2, 0.3)
    b.add("band", torus(r, b.u(0.035, 0.055), 40, 10).turn(x=90), paint="metal")
    n = b.pick(6, 8, 10)
    stone = lathe([(0, -0.75 * s), (0.85 * s, 0.0), (0.5 * s, 0.28 * s), (0, 0.28 * s)], n)
    b.add("stone", stone.at(y=r + 0.62 * s), paint=b.pick("light", "plastic"))
    b.add(
        "claws",
        rod((0.03, r, 0), (0.75 * s, r + 0.75 * s, 0), 0.02, count=6).around(b.pick(4, 6)),
        lathe([(0, r), (0.06, r), (0.12, r + 0.1), (0, r + 0.1)], 14),
        paint="metal",
    )
    if b.chance(0.4):
        b.add(
            "small_stones",
            *(ball(0.045, count=6).turn(y=20).at(y=r + 0.05).turn(z=a) for a in (-38, -25, 25, 38)),
            paint=b.pick("light", "plastic"),
        )


@category("wear", yaw=20)
def backpack(b: Builder) -> None:
    w, h, d = b.u(0.55, 0.65), b.u(0.75, 0.9), b.u(0.28, 0.36)
    b.add("bag", cushion(w, h, d, 0.35), paint="fabric")
    b.add(
        "pocket",
        cushion(0.75 * w, 0.42 * h, 0.2, 0.35).at(0, -0.2 * h, d / 2 - 0.01),
        cushion(0.2, 0.38 * h, 0.7 * d, 0.4).at(w / 2, -0.22 * h).twin(),
        paint="fabric",
    )
    b.add("flap", cushion(0.95 * w, 0.3 * h, 1.08 * d, 0.45).at(0, 0.34 * h, 0.015), paint="fabric")
    for x in (-0.2 * w, 0.2 * w):
        b.add(
            "buckles",
            box(0.04, 0.34 * h, 0.02).at(x, 0.08 * h, d / 2 + 0.02),
            box(0.07, 0.05, 0.03).at(x, -0.02, d / 2 + 0.09),
            paint=b.pick("dark", "metal", "wood"),
        )
    b.add(
        "straps",
        handle(
            [
                (0.24 * w, 0.45 * h, -0.4 * d),
                (0.36 * w, 0.3 * h, -d),
                (0.4 * w, -0.1 * h, -d),
                (0.36 * w, -0.42 * h, -0.4 * d),
            ],
            0.04,
            14,
            flat=0.5,
        ).twin(),
        handle([(-0.08, 0.47 * h, -0.2 * d), (0, 0.62 * h, -0.2 * d), (0.08, 0.47 * h, -0.2 * d)], 0.02),
        paint=b.pick("dark", "fabric"),
    )
    if b.chance(0.5):
        b.add(
            "roll",
            rod((-0.55 * w, 0.58 * h, 0), (0.55 * w, 0.58 * h, 0), 0.11, count=16),
            torus(0.11, 0.015, 16, 6).turn(z=90).at(0.25 * w, 0.58 * h).twin(),
            paint="fabric",
        )
