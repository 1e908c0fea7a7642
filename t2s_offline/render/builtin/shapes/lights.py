"""Lamps, candles and clocks.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import helix, smooth
from t2s_offline.render.builtin.shapes.parts import dome, handle, turned_leg
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, loft, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join, row


@category("household")
def table_lamp(b: Builder) -> None:
    h, r, top = b.u(0.7, 0.95), b.u(0.28, 0.38), b.u(0.35, 0.75)
    style = b.i(0, 2)
    foot = b.u(0.14, 0.2)
    if style == 0:
        base = lathe([(0, 0), (foot, 0), (foot, 0.03), (0.03, 0.06), (0.025, h)], 24)
    elif style == 1:
        base = lathe(
            [
                (0, 0),
                *smooth([(0.6 * foot, 0), (foot, 0.18 * h), (0.8 * foot, 0.4 * h), (0.03, 0.6 * h), (0.025, h)], 12),
            ],
            24,
        )
    else:
        base = join(*(ball(foot * s, count=14).at(y=y) for s, y in ((1.0, 0.12), (0.8, 0.32), (0.6, 0.48)))) + rod(
            (0, 0, 0), (0, h, 0), 0.025
        )
    b.add("base", base, disc(foot, 0.03).at(y=0.01), paint=b.pick("ceramic", "metal", "wood"))
    low = 0.62 * h
    shade = lathe(
        [(r, low), (r * top, low + b.u(0.34, 0.45)), (r * top - 0.015, low + 0.36), (r - 0.02, low + 0.005)], 32
    )
    high = shade.vertex[:, 1].max()
    # open below and above: the shade is a closed ring
    ring = np.array([(r, low), (r * top, high), (r * top - 0.015, high), (r - 0.015, low)])
    angle = 2 * np.pi * np.arange(32) / 32
    b.add(
        "shade",
        loft(
            np.stack([np.stack([p[0] * np.cos(angle), np.full(32, p[1]), -p[0] * np.sin(angle)], 1) for p in ring]),
            wrap=True,
        ),
        paint=b.pick("light", "fabric"),
    )
    b.add("bulb", ball(0.07, count=12).at(y=low + 0.12), paint="light")


@category("household", yaw=-15)
def desk_lamp(b: Builder) -> None:
    a1, a2, l1, l2 = np.radians(b.u(100, 125)), np.radians(b.u(20, 50)), b.u(0.4, 0.55), b.u(0.4, 0.5)
    b.add("base", disc(b.u(0.17, 0.22), 0.05, 32, 0.015).at(y=0.025), paint=b.pick("metal", "dark", "plastic"))
    elbow = np.array([l1 * np.cos(a1), 0.05 + l1 * np.sin(a1), 0])
    tip = elbow + np.array([l2 * np.cos(a2), l2 * np.sin(a2), 0])
    for z in (-0.025, 0.025) if b.chance(0.6) else (0.0,):
        b.add(
            "arm",
            rod((0, 0.05, z), elbow + np.array([0, 0, z]), 0.014, count=8),
            rod(elbow + np.array([0, 0, z]), tip + np.array([0, 0, z]), 0.014, count=8),
            paint="metal",
        )
    b.add("joints", *(ball(0.04, count=12).at(*p) for p in (elbow, tip, (0, 0.06, 0))), paint="dark")
    wide = b.u(0.15, 0.19)
    shade = lathe(
        [(0, 0.03), (0.05, 0.03), (0.06, -0.06), (wide, -0.24), (wide - 0.02, -0.235), (0.04, -0.07), (0, -0.07)], 24
    )
    b.add("shade", shade.turn(z=b.u(15, 40)).at(*tip), paint=b.pick("metal", "plastic"))
    b.add("bulb", ball(0.06, count=12).at(tip[0] + 0.06, tip[1] - 0.15, 0), paint="light")


@category("household")
def candlestick(b: Builder) -> None:
    arms = b.pick(0, 0, 2, 4)
    h = b.u(0.5, 0.8)
    stem = smooth([(0.05, 0.1), (0.035, 0.2 * h), (0.07, 0.35 * h), (0.03, 0.6 * h), (0.06, 0.85 * h), (0.04, h)], 14)
    b.add(
        "stick",
        lathe(
            [(0, 0), (0.2, 0), (0.2, 0.03), (0.06, 0.07), *stem, (0.1, h + 0.04), (0.1, h + 0.06), (0, h + 0.06)], 24
        ),
        paint="metal",
    )
    tall = b.u(0.25, 0.45)
    places = [(0.0, h + 0.06, 0.0)]
    reach = b.u(0.28, 0.36)
    for k in range(arms):
        a = 2 * np.pi * k / arms
        x, z = reach * np.cos(a), reach * np.sin(a)
        b.add(
            "stick",
            handle([(0, 0.55 * h, 0), (0.5 * x, 0.42 * h, 0.5 * z), (x, 0.6 * h, z), (x, 0.88 * h, z)], 0.022),
            lathe([(0, 0), (0.09, 0.02), (0.09, 0.04), (0, 0.04)], 16).at(x, 0.87 * h, z),
        )
        places.append((x, 0.9 * h, z))
    one = lathe([(0.05, 0), (0.045, tall), (0, tall + 0.01)], 14)
    b.add("candles", row(one, places), paint=b.pick("light", "plastic"))
    flame = lathe([(0, 0), *smooth([(0.012, 0.01), (0.028, 0.05), (0.012, 0.1)], 5), (0, 0.13)], 10).at(y=tall + 0.02)
    b.add("flames", row(flame, places), paint="food")


@category("household", yaw=20)
def lantern(b: Builder) -> None:
    n, r, h = b.pick(4, 6, 8), b.u(0.2, 0.26), b.u(0.42, 0.6)
    crown = b.u(0.14, 0.26)
    b.add(
        "frame",
        lathe([(0, 0), (r * 1.25, 0), (r * 1.25, 0.05), (r * 1.05, 0.08), (0, 0.08)], n),
        lathe(
            [
                (0, 0),
                (r * 1.3, 0),
                (0.25 * r, crown),
                (0.25 * r, crown + 0.06),
                (0.32 * r, crown + 0.08),
                (0, crown + 0.1),
            ],
            n,
        ).at(y=h + 0.06),
        paint=b.pick("metal", "dark"),
    )
    b.add("frame", rod((r * 1.08, 0.05, 0), (r * 1.08, h + 0.08, 0), 0.018, count=6).around(n))
    b.add("glass", lathe([(0.95 * r, 0.08), (0.95 * r, h + 0.06)], n), paint="light")
    b.add("ring", torus(b.u(0.09, 0.15), 0.015, 24, 8).turn(x=90).at(y=h + crown + 0.24), paint="metal")
    if b.chance(0.4):
        b.add("feet", ball(0.05, count=10).at(r * 0.9, -0.03).around(4, start=45), paint="metal")


@category("household")
def light_bulb(b: Builder) -> None:
    r, h = b.u(0.28, 0.34), b.u(0.5, 0.62)
    if b.chance(0.7):
        glass = smooth([(0.14, 0), (0.17, 0.12), (r, h), (0.75 * r, h + 0.75 * r), (0.3 * r, h + 0.97 * r)], 13)
        b.add("glass", lathe([*glass, (0, h + r)], 28), paint="light")
    else:
        coil = helix(0.15, 0.55, 3.5, 70)
        b.add("glass", tube(coil - [0, -0.05, 0], 0.045, 8, ends=True), paint="light")
        b.add("collar", lathe([(0.13, -0.05), (0.2, 0.0), (0.2, 0.12), (0, 0.14)], 24), paint="light")
    y = -0.2
    screw = np.array([(0.13 + 0.018 * (k % 2), y + 0.2 * k / 8) for k in range(9)])
    b.add(
        "screw", lathe([(0, y - 0.06), (0.06, y - 0.05), (0.1, y), *screw, (0.15, 0.02), (0, 0.03)], 24), paint="metal"
    )


@category("household", yaw=25)
def alarm_clock(b: Builder) -> None:
    r, d = b.u(0.36, 0.42), b.u(0.16, 0.24)
    b.add("case", disc(r, d, 36, 0.04).turn(x=90), paint=b.pick("metal", "plastic"))
    b.add("dial", disc(0.86 * r, 0.03, 32).turn(x=90).at(z=d / 2), paint="light")
    b.add(
        "hands",
        box(0.025, 0.55 * r, 0.015).at(y=0.25 * r).turn(z=b.u(0, 360)).at(z=d / 2 + 0.025),
        box(0.035, 0.4 * r, 0.015).at(y=0.17 * r).turn(z=b.u(0, 360)).at(z=d / 2 + 0.025),
        paint="dark",
    )
    mark = box(0.02, 0.09, 0.012).at(y=0.74 * r, z=d / 2 + 0.015)
    b.add("hands", mark.around(12, axis=2))
    bell = dome(b.u(0.15, 0.19), 0.11).at(y=r + 0.05)
    b.add(
        "bells",
        bell.turn(z=32).twin(),
        rod((0, r - 0.05, 0), (0, r + 0.06, 0), 0.018, count=8).turn(z=32).twin(),
        paint="metal",
    )
    b.add("feet", rod((0, -r, 0), (0, -r - 0.14, 0), 0.03, 0.02, 8).turn(z=32).twin(), paint="metal")
    b.add(
        "bells",
        torus(0.1, 0.016, 20, 6).turn(x=90).at(y=r + 0.16) if b.chance(0.5) else ball(0.04, count=10).at(y=r + 0.13),
    )


@category("household", yaw=18)
def hourglass(b: Builder) -> None:
    h, r, n = b.u(0.8, 1.1), b.u(0.24, 0.32), b.i(3, 5)
    neck = 0.035
    curve = smooth(
        [
            (0.5 * r, 0.05),
            (0.95 * r, 0.2 * h),
            (0.75 * r, 0.35 * h),
            (neck, 0.5 * h),
            (0.75 * r, 0.65 * h),
            (0.95 * r, 0.8 * h),
            (0.5 * r, h - 0.05),
        ],
        17,
    )
    b.add("glass", lathe(curve, 24), paint="light")
    plate = disc(1.35 * r, 0.07, 32 if b.chance(0.6) else n, 0.015)
    b.add("plates", plate.at(y=0.0), plate.at(y=h), paint=b.pick("wood", "metal"))
    b.add(
        "posts",
        turned_leg(h, 0.035, 2 if b.chance(0.5) else 1).at(1.15 * r).around(n, start=90 / n),
        paint=b.pick("wood", "metal"),
    )
