"""Birds.

Each function fills the components of a Builder. They face +x with their plane of symmetry at z = 0; penguin and owl
face +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, smooth
from t2s_offline.render.builtin.shapes.parts import eyes, handle
from t2s_offline.render.builtin.shapes.primitives import ball, loft, prism, rod, tube
from t2s_offline.render.builtin.shapes.solid import join


def _feet(b: Builder, x: float, z: float, top: float, thick: float, paint: str = "food") -> None:
    b.add("legs", rod((x, top, z), (x, 0.02, z), thick, count=8).twin(2), paint=paint)
    for a in (-25, 0, 25):
        b.add("legs", rod((0, 0, 0), (0.13, 0, 0), thick * 0.9, thick * 0.5, 6).turn(y=a).at(x, 0.015, z).twin(2))


@category("creatures", yaw=-30)
def duck(b: Builder) -> None:
    neck = b.u(0.3, 0.42)
    blob = Blob(0.03).ball((0, 0.25, 0), (0.4, 0.22, 0.24)).bone((-0.3, 0.3, 0), (-0.5, b.u(0.42, 0.5), 0), 0.11, 0.02)
    hx, hy = 0.32, 0.32 + neck
    blob.bone((0.26, 0.3, 0), (hx, hy, 0), 0.13, 0.1).ball((hx + 0.02, hy + 0.02, 0), (0.15, 0.135, 0.13))
    b.add("body", blob.solid(36), paint=b.pick("light", "fur", "plastic"))
    bill = loft(
        np.stack(
            [
                lift(arc(1.0, 0, 324, 10), 0, x) * [1, h, w]
                for x, h, w in ((0, 0.05, 0.06), (0.1, 0.03, 0.07), (0.2, 0.015, 0.075), (0.23, 0.01, 0.05))
            ]
        )
    )
    b.add("bill", bill.at(hx + 0.13, hy - 0.01), paint="food")
    b.add(
        "wings",
        ball(0.27, 0.15, 0.05, 14).turn(z=12).at(-0.06, 0.3, 0.22).twin(2),
        paint=b.pick("light", "fur", "plastic"),
    )
    b.add("eyes", eyes(hx + 0.08, hy + 0.06, 0.1, 0.025), paint="dark")


@category("creatures", yaw=-30)
def rooster(b: Builder) -> None:
    blob = (
        Blob(0.03)
        .ball((0, 0.5, 0), (0.28, 0.22, 0.19))
        .limb([(0.16, 0.56, 0), (0.28, 0.78, 0), (0.3, 0.92, 0)], [0.17, 0.1, 0.085])
        .bone((-0.15, 0.55, 0), (-0.32, 0.68, 0), 0.15, 0.07)
    )
    b.add("body", blob.solid(36), paint=b.pick("fur", "light", "wood"))
    n = b.i(5, 8)
    for k, a in enumerate(spread(n, -12, 55)):
        long = b.u(0.4, 0.55)
        plume = smooth(
            [(0, 0, 0), (-0.4 * long, 0.55 * long, 0), (-0.9 * long, 0.6 * long, 0), (-1.15 * long, 0.15 * long, 0)], 9
        )
        b.add(
            "tail",
            tube(plume, 0.05 * np.sin(np.pi * np.linspace(0.15, 0.98, 9)) + 0.006, 6, flat=0.3, up=(0, 0, 1))
            .turn(z=-a + 20, y=4.0 * (k - n / 2))
            .at(-0.25, 0.62),
            paint=b.pick("leaf", "dark", "plastic"),
        )
    comb = join(*(ball(0.035, 0.07, 0.018, 8).at(0.22 + 0.06 * k, 1.03 + 0.02 * np.sin(k)) for k in range(4)))
    b.add("comb", comb, ball(0.035, 0.06, 0.02, 8).at(0.37, 0.8), paint="food")
    b.add("beak", rod((0.36, 0.92, 0), (0.48, 0.89, 0), 0.04, 0.004, 8), paint="food")
    b.add("wings", ball(0.2, 0.13, 0.04, 12).turn(z=-15).at(-0.02, 0.52, 0.18).twin(2), paint=b.pick("fur", "wood"))
    _feet(b, 0.02, 0.09, 0.36, 0.022)
    b.add("eyes", eyes(0.34, 0.95, 0.07, 0.018), paint="dark")


@category("creatures", yaw=15)
def penguin(b: Builder) -> None:
    h, r = b.u(0.85, 1.0), b.u(0.22, 0.28)
    blob = (
        Blob(0.03)
        .ball((0, 0.42 * h, 0), (r, 0.42 * h, r))
        .ball((0, 0.86 * h, 0), (0.155, 0.15, 0.155))
        .bone((0, 0.5 * h, 0), (0, 0.85 * h, 0), 0.18, 0.13)
    )
    # built facing +z: the white front is what is known
    b.add("body", blob.solid(32), paint="dark")
    b.add(
        "belly",
        ball(0.82 * r, 0.36 * h, 0.5 * r, 16).at(0, 0.42 * h, 0.58 * r),
        ball(0.11, 0.1, 0.06, 12).at(0, 0.86 * h, 0.11),
        paint="light",
    )
    b.add(
        "beak",
        rod((0, 0.85 * h, 0.13), (0, 0.83 * h, 0.32), 0.045, 0.005, 8),
        ball(0.1, 0.03, 0.16, 10).at(0.11, 0.02, 0.12).twin(),
        paint="food",
    )
    b.add(
        "wings",
        ball(0.045, 0.27 * h, 0.1, 12).at(0, -0.25 * h).turn(z=b.u(12, 40)).at(0.9 * r, 0.66 * h).twin(),
        paint="dark",
    )
    b.add("eyes", ball(0.022, count=8).at(0.06, 0.9 * h, 0.15).twin(), paint="dark")


@category("creatures", yaw=-28)
def flamingo(b: Builder) -> None:
    leg, neck = b.u(0.6, 0.75), b.u(0.5, 0.65)
    y = leg + 0.13
    blob = Blob(0.025).ball((0, y, 0), (0.27, 0.15, 0.14)).bone((-0.15, y, 0), (-0.38, y - 0.04, 0), 0.11, 0.03)
    hx, hy = 0.42, y + neck
    curve = smooth(
        [
            (0.2, y + 0.04, 0),
            (0.42, y + 0.12, 0),
            (0.44, y + 0.3, 0),
            (0.3, y + 0.5, 0),
            (0.3, hy - 0.03, 0),
            (hx, hy, 0),
        ],
        14,
    )
    blob.limb(curve, np.linspace(0.065, 0.045, 14)).ball((hx, hy, 0), (0.085, 0.07, 0.06))
    b.add("body", blob.solid(46), paint=b.pick("skin", "plastic", "food"))
    b.add(
        "beak",
        tube(
            smooth([(hx + 0.05, hy, 0), (hx + 0.16, hy - 0.03, 0), (hx + 0.17, hy - 0.14, 0)], 7),
            np.linspace(0.045, 0.012, 7),
            8,
        ),
        paint=b.pick("dark", "light"),
    )
    b.add(
        "wings", ball(0.26, 0.12, 0.04, 12).turn(z=10).at(-0.06, y + 0.02, 0.12).twin(2), paint=b.pick("skin", "food")
    )
    _feet(b, 0.02, 0.05, leg, 0.018) if b.chance(0.5) else b.add(
        "legs",
        rod((0.02, leg, 0.05), (0.02, 0.0, 0.05), 0.018, count=8),
        handle([(0.02, leg, -0.05), (0.16, 0.6 * leg, -0.05), (-0.05, 0.52 * leg, -0.05)], 0.017),
        rod((-0.03, 0.015, 0.05), (0.14, 0.015, 0.05), 0.02, count=6),
        paint="food",
    )


@category("creatures", yaw=12)
def owl(b: Builder) -> None:
    h, r = b.u(0.62, 0.75), b.u(0.24, 0.3)
    # faces +z
    blob = (
        Blob(0.03)
        .ball((0, 0.42 * h, 0), (r, 0.44 * h, 0.85 * r))
        .ball((0, 0.85 * h, 0), (0.88 * r, 0.24 * h, 0.75 * r))
    )
    b.add("body", blob.solid(30), paint=b.pick("fur", "wood", "stone"))
    disc_ = ball(0.46 * r, 0.46 * r, 0.04, 16).turn(y=18)
    b.add(
        "face",
        disc_.at(0.4 * r, 0.86 * h, 0.68 * r).twin(),
        ball(0.6 * r, 0.28 * h, 0.3 * r, 14).at(0, 0.36 * h, 0.62 * r),
        paint="light",
    )
    b.add("eyes", ball(0.2 * r, 0.2 * r, 0.05, 12).at(0.42 * r, 0.87 * h, 0.73 * r).twin(), paint="dark")
    b.add("beak", rod((0, 0.83 * h, 0.72 * r), (0, 0.72 * h, 0.92 * r), 0.05, 0.006, 8), paint="food")
    b.add(
        "wings",
        ball(0.07, 0.33 * h, 0.55 * r, 12).turn(z=8).at(0.98 * r, 0.42 * h).twin(),
        rod((0.5 * r, 1.0 * h, 0.2 * r), (0.75 * r, 1.0 * h + b.u(0.12, 0.2), 0.25 * r), 0.07, 0.005, 8).twin(),
        paint=b.pick("fur", "wood"),
    )
    if b.chance(0.7):
        b.add(
            "branch",
            tube(
                smooth([(-0.6, -0.06, 0.1), (0, -0.03, 0.08), (0.6, 0.04, 0.1)], 8),
                np.linspace(0.055, 0.04, 8),
                8,
                ends=True,
            ),
            paint="wood",
        )
    b.add("beak", *(ball(0.035, 0.05, 0.06, 8).at(x, 0.02, 0.14).twin() for x in (0.07, 0.14)))


@category("creatures", yaw=-20, tilt=15)
def eagle(b: Builder) -> None:
    span, up = b.u(0.75, 0.95), b.u(0.2, 0.5)
    blob = Blob(0.025).ball((0, 0, 0), (0.3, 0.12, 0.13)).bone((0.2, 0.03, 0), (0.4, 0.08, 0), 0.09, 0.075)
    b.add("body", blob.solid(28), paint=b.pick("fur", "wood", "dark"))
    outline = smooth(
        [
            (0.16, 0),
            (0.2, 0.45 * span),
            (0.1, 0.9 * span),
            (-0.04, span),
            (-0.14, 0.8 * span),
            (-0.2, 0.45 * span),
            (-0.22, 0),
        ],
        15,
    )
    wing = (
        prism(np.concatenate([outline, [[-0.1, 0]]]), depth=0.025)
        .turn(x=90)
        .warp(lambda v: v + np.stack([0 * v[:, 0], up * (np.abs(v[:, 2]) / span) ** 1.5 * 0.9, 0 * v[:, 0]], 1))
    )
    b.add("wings", wing.twin(2), paint=b.pick("fur", "wood", "dark"))
    n = b.i(4, 8)
    for k in range(n):
        t = 0.62 + 0.38 * k / n
        root = (0.0 - 0.02 * k, up * t**1.5 * 0.9, span * t)
        b.add(
            "wings", ball(0.035, 0.01, 0.16, 8).turn(y=-70 + 11 * k).at(root[0] - 0.1, root[1], root[2] + 0.02).twin(2)
        )
    b.add(
        "tail",
        prism(np.array([(0, -0.07), (0, 0.07), (-0.3, 0.17), (-0.33, 0), (-0.3, -0.17)])[::-1], depth=0.025)
        .turn(x=90)
        .at(-0.22),
        paint=b.pick("light", "fur"),
    )
    b.add("head", ball(0.1, 0.085, 0.08, 12).at(0.42, 0.1), paint="light")
    b.add(
        "beak",
        tube(smooth([(0.49, 0.1, 0), (0.57, 0.1, 0), (0.6, 0.04, 0)], 6), np.linspace(0.04, 0.006, 6), 8),
        ball(0.04, 0.07, 0.03, 8).at(-0.02, -0.13, 0.07).twin(2),
        paint="food",
    )
