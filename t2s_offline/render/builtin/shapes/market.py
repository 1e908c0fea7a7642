"""From the market: pumpkin, croissant, shopping cart, clothes hanger.

Each function fills the components of a Builder.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import arc, lift, smooth
from t2s_offline.render.builtin.shapes.parts import leaf, rim, tyre
from t2s_offline.render.builtin.shapes.primitives import ball, box, rod, tube


@category("food", tilt=12, added=2)
def pumpkin(b: Builder) -> None:
    ribs, high, deep, radius = b.i(7, 12), b.u(0.26, 0.42), b.u(0.08, 0.2), 0.42

    def ribbed(vertex: np.ndarray) -> np.ndarray:
        turn = np.arctan2(vertex[:, 2], vertex[:, 0])
        ring = np.hypot(vertex[:, 0], vertex[:, 2]) / radius
        grow = 1 - deep * (1 - np.abs(np.cos(0.5 * ribs * turn))) * ring
        dent = 0.22 * high * np.exp(-((ring / 0.35) ** 2)) * np.sign(vertex[:, 1])
        return np.stack([vertex[:, 0] * grow, vertex[:, 1] - dent, vertex[:, 2] * grow], 1)

    b.add("fruit", ball(radius, high, count=44).warp(ribbed), paint=b.pick("food", "food", "leaf", "light"))
    lean, tall = b.u(-0.1, 0.1), b.u(0.12, 0.2)
    path = smooth([(0, 0.7 * high, 0), (0.3 * lean, 0.7 * high + 0.5 * tall, 0), (lean, 0.7 * high + tall, 0)], 8)
    b.add("stem", tube(path, np.linspace(0.07, 0.04, 8), 7), paint=b.pick("wood", "leaf"))
    if b.chance():
        b.add("leaf", leaf(0.28, 0.2, bend=0.4).turn(y=b.u(0, 360)).at(y=0.8 * high), paint="leaf")


@category("food", tilt=35, added=2)
def croissant(b: Builder) -> None:
    bend, fat, folds = b.u(75, 115), b.u(0.17, 0.22), 2 * b.i(2, 3) + 1
    count = 12 * folds
    t = np.linspace(-1, 1, count)
    body = np.clip(1 - np.abs(t) ** 1.6, 0.12, None)
    # each fold is a band of dough that lies on the next one outwards
    step = 1.1 - 0.3 * ((np.abs(t) * folds / 2 + 0.5) % 1)
    path = lift(arc(0.36, 270 - bend, 270 + bend, count), 1)
    b.add("dough", tube(path, fat * body * step, 18, ends=True, flat=0.85), paint=b.pick("food", "wood"))


@category("vehicles", yaw=-30, added=2)
def shopping_cart(b: Builder) -> None:
    long, wide, tall, low = b.u(0.5, 0.6), b.u(0.3, 0.36), b.u(0.24, 0.3), b.u(0.3, 0.38)
    bars, thin = b.i(6, 8), 0.011

    def corner(x: float, z: float, up: float) -> tuple[float, float, float]:
        """A point of the basket, which widens upwards and to the back; x and z from -1 to 1, up from 0 to 1."""
        grow = 0.85 + 0.15 * up
        return (x * grow * long / 2 - 0.04 * up, low + up * tall, z * grow * (1 - 0.12 * x) * wide / 2)

    for x in np.linspace(-1, 1, bars):
        for z in (-1, 1):
            b.add("basket", rod(corner(x, z, 0), corner(x, z, 1), thin, count=5), paint=b.pick("metal", "plastic"))
        b.add("basket", rod(corner(x, -1, 0), corner(x, 1, 0), thin, count=5))
    for up in (0.0, 0.35, 0.7, 1.0):
        ends = [corner(-1, -1, up), corner(1, -1, up), corner(1, 1, up), corner(-1, 1, up)]
        for p, q in zip(ends, ends[1:] + ends[:1], strict=True):
            b.add("basket", rod(p, q, thin * (1.8 if up == 1 else 1), count=5))
    for side in (-0.42 * wide, 0.42 * wide):
        path = smooth(
            [
                (0.45 * long, 0.09, side),
                (-0.4 * long, 0.12, side),
                (-0.52 * long, low, side),
                (-0.6 * long, low + tall + 0.1, side),
            ],
            14,
        )
        b.add("frame", tube(path, 0.018, 6), paint="metal")
    y = low + tall + 0.1
    b.add("grip", rod((-0.6 * long, y, -0.5 * wide), (-0.6 * long, y, 0.5 * wide), 0.028, count=10), paint="plastic")
    b.add("shelf", box(0.75 * long, 0.02, 0.8 * wide).at(0.02, 0.12), paint="metal")
    wheels = tyre(0.075, 0.05).at(0.38 * long, 0.075, 0.42 * wide) + rim(0.05, 0.055).at(
        0.38 * long, 0.075, 0.42 * wide
    )
    b.add("wheels", wheels.four(), paint="dark")


@category("wear", added=2)
def clothes_hanger(b: Builder) -> None:
    half, drop, thick = b.u(0.42, 0.5), b.u(0.14, 0.24), b.u(0.018, 0.035)
    paint = b.pick("wood", "plastic", "metal")
    shoulder = smooth([(0, 0, 0), (0.35 * half, -0.25 * drop, 0), (0.8 * half, -0.75 * drop, 0), (half, -drop, 0)], 16)
    b.add("arms", tube(shoulder, thick, 8, ends=True, flat=b.u(0.7, 1.4)).twin(0), paint=paint)
    if b.chance(0.7):
        b.add(
            "bar",
            rod((-0.93 * half, -0.97 * drop, 0), (0.93 * half, -0.97 * drop, 0), b.u(0.5, 0.8) * thick),
            paint=paint,
        )
    hook = lift(arc(0.075, -60, 180, 16, x=0.0, y=0.17))
    neck = np.concatenate([[(0, 0, 0), (0, 0.05, 0), (0.01, 0.085, 0)], hook])
    b.add("hook", tube(neck, 0.014, 8, ends=True), ball(0.035, count=10), paint="metal")
