"""Things of the kitchen drawer.

Each function fills the components of a Builder. Long ones stand upright in the xy plane and are leaned.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import lift, mirrored, rounded, smooth
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, prism, rod, torus, tube, vessel
from t2s_offline.render.builtin.shapes.solid import join
from t2s_offline.render.builtin.shapes.tools import grip


@category("utensils", yaw=-15, lean=-35)
def spoon(b: Builder) -> None:
    long, w, deep = b.u(0.75, 0.95), b.u(0.13, 0.18), b.u(0.05, 0.09)
    bowl = vessel([(0.02, -deep), (0.6 * w, -0.75 * deep), (0.95 * w, -0.25 * deep), (w, 0)], 0.02, 24, 7)
    b.add(
        "bowl", bowl.turn(x=90).scale(1, b.u(1.3, 1.7), 1).at(y=-0.1, z=0.02), paint=b.pick("metal", "wood", "plastic")
    )
    t = np.linspace(0, 1, 10)
    path = np.stack([0 * t, 0.08 + long * t, 0.06 * np.sin(2.5 * t)], 1)
    b.add(
        "handle",
        tube(path, 0.028 + 0.035 * t**2, 8, flat=0.5, up=(0, 0, 1), ends=True),
        paint=b.pick("metal", "wood", "plastic"),
    )


@category("utensils", yaw=-15, lean=-35)
def fork(b: Builder) -> None:
    long, w, n = b.u(0.7, 0.9), b.u(0.16, 0.21), b.i(3, 4)
    root = mirrored(smooth([(0.0, -0.12), (0.03, -0.1), (0.46 * w, 0.0), (0.5 * w, 0.1), (0, 0.1)], 12))
    b.add("head", prism(root, depth=0.035), paint="metal")
    for x in spread(n, -0.43 * w, 0.43 * w):
        b.add("head", tube([(x, 0.08, 0), (x, 0.2, -0.015), (0.96 * x, 0.4, 0.01)], [0.019, 0.017, 0.008], 6))
    t = np.linspace(0, 1, 10)
    path = np.stack([0 * t, -0.08 - long * t, 0.05 * np.sin(2.6 * t)], 1)
    b.add(
        "handle",
        tube(path, 0.026 + 0.032 * t**2, 8, flat=0.5, up=(0, 0, 1), ends=True),
        paint=b.pick("metal", "wood", "plastic"),
    )


@category("utensils", yaw=-8, lean=-40)
def kitchen_knife(b: Builder) -> None:
    long, w, h = b.u(0.6, 0.85), b.u(0.12, 0.22), b.u(0.34, 0.42)
    if b.chance(0.25):
        blade = np.array([(-0.03, 0.0), (1.5 * w, 0.02), (1.5 * w, 0.75 * long), (-0.03, 0.78 * long)])
    else:
        blade = np.concatenate(
            [
                [(-0.03, 0.0), (w, 0.02)],
                smooth([(w, 0.1), (0.85 * w, 0.65 * long), (0.3 * w, 0.93 * long), (-0.02, long)], 9),
            ]
        )
    b.add("blade", prism(blade, depth=0.022, taper=1.0), paint="metal")
    b.add("handle", prism(rounded(0.1, h, 0.04, 4, 0.02, -h / 2), depth=0.07), paint=b.pick("wood", "dark", "plastic"))
    b.add("bolster", box(0.11, 0.05, 0.08, 0.01).at(0.02), paint="metal")
    b.add(
        "rivets",
        *(disc(0.016, 0.085, 10).turn(x=90).at(0.02, y) for y in spread(b.i(2, 3), -0.8 * h, -0.2 * h)),
        paint="metal",
    )


@category("utensils", lean=-25)
def whisk(b: Builder) -> None:
    n, h, r = b.i(4, 6), b.u(0.5, 0.62), b.u(0.14, 0.2)
    half = smooth([(0.025, 0), (0.5 * r, 0.3 * h), (r, 0.72 * h), (0.6 * r, 0.96 * h), (0, h)], 11)
    loop_ = tube(lift(np.concatenate([half, half[-2::-1] * [-1, 1]]), 2), 0.011, 5)
    b.add("wires", join(*(loop_.turn(y=180 * k / n) for k in range(n))), paint="metal")
    b.add("handle", grip(b.u(0.42, 0.55), 0.042), paint=b.pick("wood", "metal", "plastic", "dark"))
    b.add("collar", disc(0.05, 0.06, 14).at(y=0.0), paint="metal")


@category("utensils", yaw=-25)
def frying_pan(b: Builder) -> None:
    r, deep, long = b.u(0.42, 0.52), b.u(0.09, 0.14), b.u(0.5, 0.7)
    b.add(
        "pan",
        lathe([(0, 0), (0.85 * r, 0), (r, deep), (0.97 * r, deep), (0.82 * r, 0.03), (0, 0.03)], 36),
        paint=b.pick("dark", "metal", "ceramic"),
    )
    b.add(
        "handle",
        tube(
            smooth(
                [(-0.93 * r, 0.7 * deep, 0), (-r - 0.2, deep + 0.05, 0), (-r - long, deep + b.u(0.05, 0.14), 0)], 10
            ),
            np.linspace(0.035, 0.055, 10),
            8,
            flat=0.5,
            ends=True,
        ),
        paint=b.pick("dark", "wood", "metal"),
    )
    if b.chance(0.6):
        for _ in range(b.i(1, 2)):
            x, z = b.u(-0.3, 0.3) * r, b.u(-0.3, 0.3) * r
            white = mirrored(smooth([(0, -1), (0.8, -0.7), (1.0, 0.1), (0.7, 0.8), (0, 0.9)], 9)) * 0.22
            b.add("egg", prism(white, depth=0.025).turn(x=-90).at(x, 0.045, z), paint="light")
            b.add("yolk", ball(0.085, 0.05, count=14).at(x, 0.06, z), paint="food")


@category("utensils", yaw=12)
def cooking_pot(b: Builder) -> None:
    r, h = b.u(0.42, 0.52), b.u(0.38, 0.62)
    b.add(
        "pot",
        lathe([(0, 0), (0.92 * r, 0), (r, 0.06), (r, h), (r * 1.04, h), (r * 1.04, h + 0.03), (0, h + 0.03)], 32),
        paint=b.pick("metal", "ceramic", "plastic"),
    )
    ear = handle(
        [(r - 0.02, 0.72 * h, 0.1), (r + 0.13, 0.75 * h, 0.1), (r + 0.13, 0.75 * h, -0.1), (r - 0.02, 0.72 * h, -0.1)],
        0.028,
        14,
    )
    b.add("handles", ear.twin(), paint=b.pick("metal", "dark", "ceramic"))
    up = b.u(0.06, 0.18)
    b.add(
        "lid",
        lathe([(1.02 * r, h + 0.03), (0.9 * r, h + 0.06), (0.5 * r, h + 0.03 + up), (0, h + 0.04 + up)], 32),
        paint=b.pick("metal", "ceramic", "light"),
    )
    b.add(
        "knob",
        ball(0.07, 0.05, count=14).at(y=h + up + 0.1)
        if b.chance(0.6)
        else handle(
            [(-0.09, h + up + 0.02, 0), (-0.07, h + up + 0.12, 0), (0.07, h + up + 0.12, 0), (0.09, h + up + 0.02, 0)],
            0.022,
        ),
        paint=b.pick("dark", "metal"),
    )


@category("utensils", yaw=-15)
def corkscrew(b: Builder) -> None:
    long, turns = b.u(0.5, 0.65), b.u(3.5, 5)
    t = np.linspace(0, 1, 70)
    a = 2 * np.pi * turns * t
    r = 0.07 * np.clip((1 - t) * 6, 0.1, 1)
    worm = np.stack([r * np.cos(a), -0.16 - long * t, r * np.sin(a)], 1)
    b.add(
        "worm",
        tube(worm, np.linspace(0.026, 0.01, 70), 6, ends=True),
        rod((0, 0.05, 0), (0, -0.2, 0), 0.03),
        paint="metal",
    )
    wide = b.u(0.3, 0.42)
    if b.chance(0.5):
        b.add(
            "handle",
            lathe(
                [
                    (0, -wide),
                    *smooth([(0.045, -wide), (0.075, -0.5 * wide), (0.055, 0), (0.075, 0.5 * wide), (0.045, wide)], 13),
                    (0, wide),
                ],
                14,
            )
            .turn(z=90)
            .at(y=0.06),
            paint="wood",
        )
        return
    up = b.u(20, 60)
    arm = join(box(0.42, 0.05, 0.05, 0.012).at(0.24), ball(0.06, 0.05, 0.05, 10).at(0.46)).turn(z=up).at(0.05, 0.02)
    b.add("levers", arm.twin(), paint="metal")
    b.add(
        "frame",
        lathe([(0.1, -0.3), (0.12, -0.42), (0.12, -0.46), (0.0, -0.46), (0, -0.44)][::-1], 18),
        box(0.03, 0.5, 0.03).at(0.1, -0.15).twin(),
        box(0.24, 0.14, 0.09, 0.02),
        paint="metal",
    )
    b.add(
        "handle",
        torus(0.09, 0.025, 20, 8).turn(x=90).at(y=0.3),
        rod((0, 0, 0), (0, 0.22, 0), 0.03),
        paint=b.pick("metal", "plastic"),
    )
