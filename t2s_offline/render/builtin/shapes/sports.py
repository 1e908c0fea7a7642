"""Sports.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import circle, lift, smooth, star
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, prism, rod, tube


@category("toys", yaw=12, lean=-28)
def tennis_racket(b: Builder) -> None:
    r, flat, n = b.u(0.26, 0.31), b.u(1.2, 1.4), b.i(8, 12)
    b.add(
        "frame",
        tube(lift(circle(r, 36, 0, 0, flat), 2), 0.026, 8, closed=True),
        rod((0.6 * r, -0.8 * r * flat, 0), (0.03, -r * flat - 0.26, 0), 0.022, count=8).twin(),
        paint=b.pick("wood", "plastic", "metal"),
    )
    for x in spread(n, -0.85 * r, 0.85 * r):
        y = r * flat * np.sqrt(1 - (x / r) ** 2)
        b.add("strings", rod((x, -y, 0), (x, y, 0), 0.006, count=4), paint="light")
    for y in spread(n + 3, -0.87 * r * flat, 0.87 * r * flat):
        x = r * np.sqrt(1 - (y / (r * flat)) ** 2)
        b.add("strings", rod((-x, y, 0.004), (x, y, 0.004), 0.006, count=4))
    long = b.u(0.4, 0.55)
    low = -r * flat - 0.22
    b.add(
        "grip",
        rod((0, low, 0), (0, low - long, 0), 0.04, 0.044, 8),
        disc(0.055, 0.04, 10).at(y=low - long),
        paint=b.pick("dark", "wood", "fabric"),
    )
    if b.chance(0.5):
        b.add("ball", ball(0.1, count=14).at(b.u(0.25, 0.35), low - 0.2, 0.05), paint="leaf")


@category("toys", yaw=10)
def trophy(b: Builder) -> None:
    r, h = b.u(0.26, 0.34), b.u(0.4, 0.55)
    y = 0.42
    b.add(
        "cup",
        lathe(
            [
                (0, y),
                *smooth([(0.05, y), (0.7 * r, y + 0.2 * h), (0.95 * r, y + 0.65 * h), (1.05 * r, y + h)], 11),
                (0.98 * r, y + h),
                (0.6 * r, y + 0.4 * h),
                (0, y + 0.3 * h),
            ],
            26,
        ),
        lathe([(0, 0.15), (0.15, 0.15), (0.04, 0.22), (0.06, 0.32), (0.04, 0.37), (0.08, y + 0.03), (0, y + 0.04)], 18),
        paint="metal",
    )
    ear = handle(
        [
            (0.9 * r, y + 0.85 * h, 0),
            (r + 0.24, y + 0.95 * h, 0),
            (r + 0.2, y + 0.5 * h, 0),
            (0.65 * r, y + 0.25 * h, 0),
        ],
        b.u(0.02, 0.032),
    )
    b.add("handles", ear.twin(), paint="metal")
    b.add(
        "base",
        box(0.42, 0.15, 0.42, 0.015).at(y=0.08) if b.chance() else disc(0.24, 0.16, 26, 0.015).at(y=0.08),
        paint=b.pick("dark", "wood", "stone"),
    )
    b.add("plate", box(0.22, 0.07, 0.02).at(0, 0.08, 0.235), paint="metal")
    if b.chance(0.4):
        b.add("star", prism(star(5, 0.11, 0.05), depth=0.03).at(0, y + 0.55 * h, 0.9 * r), paint="plastic")
    if b.chance(0.3):
        b.add(
            "lid",
            lathe(
                [
                    (1.02 * r, y + h),
                    (0.6 * r, y + h + 0.1),
                    (0.03, y + h + 0.14),
                    (0.05, y + h + 0.22),
                    (0, y + h + 0.24),
                ],
                22,
            ),
            paint="metal",
        )


@category("toys", yaw=20, lean=12)
def dumbbell(b: Builder) -> None:
    long, r, n = b.u(0.32, 0.6), b.u(0.2, 0.27), b.i(1, 3)
    b.add("bar", rod((-long - 0.1 * n - 0.06, 0, 0), (long + 0.1 * n + 0.06, 0, 0), 0.045, count=14), paint="metal")
    for k in range(n):
        b.add(
            "plates",
            disc(r * (1 - 0.17 * k), 0.09, b.pick(6, 28), 0.02).turn(z=90).at(long + 0.1 * k).twin(),
            paint=b.pick("dark", "metal", "plastic"),
        )
    b.add(
        "collars",
        disc(0.075, 0.05, 16).turn(z=90).at(long + 0.1 * n - 0.02).twin(),
        disc(0.07, 0.03, 16).turn(z=90).at(long - 0.06).twin(),
        paint="metal",
    )
    b.add("grip", rod((-0.6 * long, 0, 0), (0.6 * long, 0, 0), 0.054, count=16), paint=b.pick("dark", "plastic"))
