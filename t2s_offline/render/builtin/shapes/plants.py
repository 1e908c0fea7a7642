"""Trees, flowers and other plants.

Each function fills the components of a Builder. They grow along +y.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.parts import dome, handle, leaf
from t2s_offline.render.builtin.shapes.primitives import ball, disc, lathe, loft, rod, tube


def pot(b: Builder, r: float, h: float) -> None:
    """A flower pot whose rim is at y = 0, filled with earth."""
    b.add(
        "pot",
        lathe(
            [
                (0, -h),
                (0.7 * r, -h),
                (0.93 * r, -0.22 * h),
                (1.08 * r, -0.22 * h),
                (1.1 * r, 0),
                (0.95 * r, 0),
                (0.9 * r, -0.08),
                (0, -0.08),
            ],
            24,
        ),
        paint=b.pick("ceramic", "plastic", "stone"),
    )
    b.add("earth", disc(0.92 * r, 0.04, 20).at(y=-0.05), paint="dark")


@category("plants")
def broadleaf_tree(b: Builder) -> None:
    h, r = b.u(0.5, 0.8), b.u(0.05, 0.09)
    trunk = lathe(
        [(0, 0), *smooth([(1.8 * r, 0), (r, 0.15 * h), (0.8 * r, h), (0.5 * r, h + 0.3)], 8), (0, h + 0.3)], 12
    )
    b.add("trunk", trunk, paint="wood")
    for k in range(b.i(2, 4)):
        a = 2.1 * k + b.u(0, 1)
        b.add("trunk", rod((0, 0.7 * h, 0), (0.25 * np.cos(a), h + 0.2, 0.25 * np.sin(a)), 0.5 * r, 0.25 * r, 8))
    crown = Blob(0.03)
    wide, tall = b.u(0.25, 0.4), b.u(0.8, 1.3)
    for k in range(b.i(7, 11)):
        a, y = 2.4 * k, b.u(0, 1)
        q = wide * np.sqrt(max(1 - (2 * y - 1) ** 2, 0.15))
        crown.ball((q * np.cos(a), h + 0.2 + 0.45 * y * tall, q * np.sin(a)), b.u(0.17, 0.26))
    b.add("crown", crown.solid(26), paint="leaf")
    if b.chance(0.35):
        for k in range(10):
            a = 2.4 * k
            b.add(
                "fruit",
                ball(0.045, count=8).at(
                    1.35 * wide * np.cos(a), h + 0.2 + 0.4 * tall * ((k * 7) % 10) / 10, 1.35 * wide * np.sin(a)
                ),
                paint="food",
            )


@category("plants")
def fir_tree(b: Builder) -> None:
    n, h, r = b.i(3, 6), b.u(1.2, 1.6), b.u(0.36, 0.5)
    b.add("trunk", rod((0, -0.22, 0), (0, 0.3, 0), 0.08, 0.07), paint="wood")
    spikes = b.pick(10, 12, 14)
    angle = np.pi * np.arange(2 * spikes) / spikes
    for k in range(n):
        low, size = h * k / n, r * (1 - 0.82 * k / n)
        zig = np.where(np.arange(2 * spikes) % 2, 0.86, 1.0)
        droop = np.where(np.arange(2 * spikes) % 2, 0.04, 0.0)
        ring = np.stack([size * zig * np.cos(angle), low + droop, -size * zig * np.sin(angle)], 1)
        top = np.stack([0.02 * np.cos(angle), np.full(2 * spikes, low + 1.7 * h / n), -0.02 * np.sin(angle)], 1)
        b.add("branches", loft(np.stack([ring, ring * 0.5 + top * 0.5 - [0, 0.04, 0], top])), paint="leaf")
    if b.chance(0.4):
        for k in range(16):
            y, a = h * (0.06 + 0.85 * k / 16), 2.4 * k
            b.add(
                "baubles",
                ball(0.05, count=8).at(r * (1 - 0.8 * y / h) * np.cos(a), y, r * (1 - 0.8 * y / h) * np.sin(a)),
                paint="plastic",
            )
        b.add("star", ball(0.1, 0.1, 0.03, 10).at(y=h * (1 + 0.7 / n) + 0.05), paint="metal")


@category("plants")
def palm_tree(b: Builder) -> None:
    h, bend, n = b.u(1.0, 1.4), b.u(0.05, 0.35), b.i(7, 10)
    line = smooth([(0, 0, 0), (0.25 * bend, 0.5 * h, 0), (bend, h, 0)], 12)
    radius = np.linspace(0.085, 0.05, 12) * np.where(np.arange(12) % 2, 1.12, 0.95)
    b.add("trunk", tube(line, radius, 10), paint="wood")
    for k in range(n):
        long = b.u(0.5, 0.65)
        frond = leaf(long, 0.2, b.u(0.35, 0.8), 0.06, 9, 0.6).turn(z=b.u(5, 45))
        b.add("fronds", frond.turn(y=360 * k / n + b.u(-8, 8)).at(bend, h), paint="leaf")
    for k in range(b.i(2, 4)):
        b.add(
            "nuts",
            ball(0.07, count=12).at(bend + 0.08 * np.cos(2.1 * k), h - 0.06, 0.08 * np.sin(2.1 * k)),
            paint=b.pick("wood", "food"),
        )


@category("plants")
def cactus(b: Builder) -> None:
    n, h, r = b.i(8, 11), b.u(0.8, 1.2), b.u(0.13, 0.18)

    def column(points: list[tuple[float, float, float]], radius: float) -> None:
        count = 3 * n
        a = 2 * np.pi * np.arange(count) / count
        ribs = np.stack([np.cos(a), np.sin(a)], 1) * (1 - 0.16 * (np.arange(count) % 3 == 0))[:, None]
        path = smooth(points, 9)
        grow = radius * np.array([0.9, 1, 1, 1, 1, 0.98, 0.9, 0.7, 0.3])
        b.add("stem", tube(path, grow, section=ribs), paint="leaf")

    column([(0, -0.05, 0), (0, 0.4 * h, 0), (0, 0.8 * h, 0), (0, h, 0)], r)
    for side in (-1, 1)[: b.i(1, 2)] if b.chance(0.9) else ():
        y, out, up = b.u(0.25, 0.5) * h, b.u(0.3, 0.4), b.u(0.25, 0.45) * h
        column(
            [(side * 0.05, y, 0), (side * 0.75 * out, y + 0.02, 0), (side * out, y + 0.15, 0), (side * out, y + up, 0)],
            0.62 * r,
        )
    pot(b, b.u(0.24, 0.32), b.u(0.25, 0.4))
    if b.chance(0.5):
        b.add(
            "flower",
            *(ball(0.03, 0.07, 0.03, 8).at(y=0.05).turn(z=40).at(0, h - 0.02).turn(y=60.0 * k) for k in range(6)),
            paint="plastic",
        )


@category("plants", yaw=15)
def sunflower(b: Builder) -> None:
    h, r, n = b.u(0.8, 1.1), b.u(0.16, 0.22), b.i(12, 16)
    long = b.u(0.2, 0.3)
    head = [disc(r, 0.1, 24, 0.03).turn(x=90)]
    petal = leaf(long, 0.13, 0.0, 0.12, 6, 0.8).turn(x=90).at(0.9 * r)
    tip = -12.0
    b.add("seeds", *(s.turn(x=tip).at(0, h, 0.06) for s in head), paint=b.pick("wood", "dark"))
    b.add(
        "petals",
        petal.around(n, axis=2).turn(x=tip).at(0, h, 0.06),
        petal.around(n, axis=2, start=180 / n).turn(x=tip).at(0, h, 0.03),
        paint=b.pick("food", "plastic"),
    )
    b.add("stem", handle([(0, -0.1, 0), (0.04, 0.5 * h, 0), (0, h, 0)], 0.032), paint="leaf")
    for k in range(b.i(2, 4)):
        b.add(
            "leaves",
            leaf(0.36, 0.22, 0.5).turn(z=20, y=180.0 * k + b.u(-40, 40)).at(0.02, (0.15 + 0.17 * k) * h),
            paint="leaf",
        )


@category("plants")
def tulip(b: Builder) -> None:
    for k in range(b.pick(1, 1, 3)):
        x, h = (0.0, -0.25, 0.25)[k], b.u(0.7, 1.0) - 0.15 * (k > 0)
        r, cup = b.u(0.15, 0.2), b.u(0.3, 0.38)
        petal = tube(
            smooth([(0.02, 0, 0), (r, 0.3 * cup, 0), (0.95 * r, 0.75 * cup, 0), (0.6 * r + 0.05, cup, 0)], 8),
            [0.03, 0.09, 0.125, 0.135, 0.125, 0.1, 0.06, 0.012],
            8,
            flat=0.18,
            up=(1, 0, 0),
        )
        b.add(
            "petals",
            petal.around(3).at(x, h),
            petal.scale(0.9, 1.03, 0.9).around(3, start=60).at(x, h),
            paint=b.pick("plastic", "food"),
        )
        b.add("stem", handle([(0.3 * x, -0.1, 0), (0.8 * x, 0.5 * h, 0), (x, h + 0.03, 0)], 0.026), paint="leaf")
    for k in range(b.i(2, 4)):
        blade = leaf(b.u(0.55, 0.75), 0.16, b.u(0.0, 0.25), 0.14, 8, 0.7).turn(z=b.u(55, 75))
        b.add("leaves", blade.turn(y=180.0 * k + b.u(-35, 35)).at(y=-0.08), paint="leaf")


@category("plants")
def potted_plant(b: Builder) -> None:
    pot(b, b.u(0.26, 0.34), b.u(0.34, 0.5))
    for k in range(b.i(8, 13)):
        up, long = b.u(25, 78), b.u(0.5, 0.8)
        b.add(
            "leaves",
            leaf(long, b.u(0.14, 0.24), b.u(0.2, 0.7), 0.07, 8, b.u(0.6, 1.2)).turn(z=up).turn(y=137.5 * k).at(y=-0.05),
            paint="leaf",
        )


@category("plants")
def bonsai(b: Builder) -> None:
    w = b.u(0.38, 0.48)
    b.add(
        "pot",
        lathe([(0, -0.16), (0.85, -0.16), (1.0, -0.02), (1.06, 0), (0.9, 0), (0, -0.03)], 4 if b.chance(0.5) else 24)
        .turn(y=45)
        .scale(w * 1.25, 1, 0.75 * w),
        paint=b.pick("ceramic", "dark"),
    )
    line = smooth([(-0.05, -0.05, 0), (b.u(0.05, 0.2), 0.25, 0), (-0.08, 0.48, 0.03), (b.u(0.05, 0.2), 0.75, 0)], 12)
    b.add("trunk", tube(line, np.linspace(0.085, 0.03, 12), 10), paint="wood")
    places = [(line[-1][0], 0.8, 0.0), (-0.36, b.u(0.45, 0.6), 0.05), (0.42, b.u(0.4, 0.52), 0.0), (-0.15, 0.62, -0.2)][
        : b.i(3, 4)
    ]
    for k, (x, y, z) in enumerate(places):
        foot = line[min(5 + 2 * k, 11)] if k else line[-1]
        b.add("trunk", rod(foot, (x, y, z), 0.03, 0.018, 8))
        pad = Blob(0.02)
        for j in range(5):
            a = 1.3 * j
            pad.ball((0.12 * np.cos(a), 0.02 * (j % 2), 0.1 * np.sin(a)), (0.12, 0.08, 0.11))
        b.add("crown", pad.solid(14, 500).at(x, y + 0.03, z), paint="leaf")
    b.add("moss", dome(0.8 * w, 0.06).scale(1, 1, 0.6).at(y=-0.03), paint="leaf")
