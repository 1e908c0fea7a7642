"""Instruments with keys, and the harp.

Each function fills the components of a Builder. The playing side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import rect, smooth
from t2s_offline.render.builtin.shapes.parts import turned_leg
from t2s_offline.render.builtin.shapes.primitives import ball, box, loft, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import Solid, join


@category("instruments", yaw=-35)
def grand_piano(b: Builder) -> None:
    w, long, h = b.u(1.4, 1.55), b.u(1.5, 2.1), 0.32
    plan = np.concatenate(
        [
            [(-w / 2, 0), (w / 2, 0), (w / 2, 0.4 * long)],
            smooth(
                [
                    (0.47 * w, 0.45 * long),
                    (0.15 * w, 0.68 * long),
                    (0.05 * w, 0.9 * long),
                    (-0.15 * w, long),
                    (-0.4 * w, 0.98 * long),
                    (-w / 2, 0.88 * long),
                ],
                16,
            ),
        ]
    )
    flat = prism(plan, depth=h).turn(x=-90).flip(0)
    b.add("case", flat.at(y=0.85), paint=b.pick("dark", "wood", "plastic"))
    lid = prism(plan[(plan[:, 1] > 0.12 * long) | (plan[:, 0] < 9)], depth=0.035).turn(x=-90).flip(0)
    b.add("lid", lid.at(-w / 2).turn(z=-b.u(28, 42)).at(w / 2, 1.03), paint=b.pick("dark", "wood", "plastic"))
    b.add("lid", rod((-0.35 * w, 1.0, -0.4 * long), (-0.18 * w, 1.0 + 0.38 * w, -0.4 * long), 0.018, count=6))
    b.add(
        "inside", prism(plan * 0.93, depth=0.02).turn(x=-90).flip(0).at(0, 1.01, -0.03), paint=b.pick("metal", "wood")
    )
    b.add("keys", box(0.86 * w, 0.04, 0.2).at(0, 0.86, 0.12), paint="light")
    b.add(
        "black_keys", *(box(0.02, 0.04, 0.11).at(x, 0.885, 0.08) for x in spread(15, -0.4 * w, 0.4 * w)), paint="dark"
    )
    b.add("case", box(w, 0.1, 0.24).at(0, 0.78, 0.12), box(0.09, 0.24, 0.26).at(w / 2 - 0.045, 0.86, 0.12).twin())
    leg = turned_leg(0.75, 0.07, b.i(1, 2))
    b.add(
        "legs",
        leg.at(-0.42 * w, 0, 0),
        leg.at(0.42 * w, 0, 0),
        leg.at(0.2 * w, 0, -0.8 * long),
        paint=b.pick("dark", "wood"),
    )


def studs(d: float, away: float, h: float) -> Solid:
    """Round studs on the front of an accordion's left case."""
    return join(*(ball(0.03, 0.03, 0.02, 8).at(-0.12, away + y, d / 2) for y in spread(5, -0.36 * h, 0.36 * h)))


@category("instruments", yaw=15)
def accordion(b: Builder) -> None:
    h, d, folds, fan = b.u(0.6, 0.75), b.u(0.3, 0.36), b.i(6, 10), b.u(10, 26)
    angles = spread(2 * folds + 1, fan, -fan)
    away = 0.9 + h
    rings = []
    for k, angle in enumerate(angles):
        size = 0.97 if k % 2 else 0.88
        flat = rect(d * size, h * size)
        placed = np.stack([0 * flat[:, 0], flat[:, 1] + away, flat[:, 0]], 1)
        a = np.radians(angle * 1.0)
        rings.append(placed @ np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]]))
    b.add("bellows", loft(np.stack(rings)), paint=b.pick("plastic", "fabric", "dark"))
    block = box(0.22, h, d, 0.03)
    b.add(
        "cases",
        block.at(-0.12, away).turn(z=fan),
        block.at(0.12, away).turn(z=-fan),
        paint=b.pick("plastic", "dark", "wood"),
    )
    keys = join(*(box(0.02, 0.05, 0.16).at(0.24, away + y, 0.06) for y in spread(9, -0.42 * h, 0.42 * h)))
    b.add("keys", keys.turn(z=-fan), paint="light")
    buttons = join(
        *(
            ball(0.02, count=6).at(-0.235, away + y, z)
            for y in spread(7, -0.4 * h, 0.4 * h)
            for z in spread(3, -0.1, 0.1)
        )
    )
    grill = join(*(box(0.03, 0.02, 0.5 * d).at(0.12, away + y, d / 2 - 0.1) for y in spread(5, -0.3 * h, 0.3 * h)))
    b.add("buttons", buttons.turn(z=fan), paint=b.pick("metal", "light"))
    b.add(
        "grill",
        join(*(box(0.14, 0.025, 0.02).at(0.12, away + y, d / 2) for y in spread(6, -0.36 * h, 0.36 * h))).turn(z=-fan),
        grill.turn(z=-fan),
        studs(d, away, h).turn(z=fan),
        paint="metal",
    )


@category("instruments", yaw=-22)
def harp(b: Builder) -> None:
    h, w = b.u(1.2, 1.45), b.u(0.62, 0.75)
    column = rod((w / 2, 0.08, 0), (w / 2, h, 0), 0.045, 0.04, 12)
    sound = (
        tube([(w / 2 - 0.1, 0.1, 0), (-w / 2, 0.8 * h, 0)], [0.12, 0.06], 4, up=(0, 0, 1))
        if b.chance(0.5)
        else rod((w / 2 - 0.1, 0.1, 0), (-w / 2, 0.8 * h, 0), 0.13, 0.05, 10)
    )
    neck = smooth(
        [(-w / 2, 0.8 * h, 0), (-0.3 * w, 0.9 * h, 0), (0.0, 0.78 * h, 0), (0.28 * w, 0.9 * h, 0), (w / 2, h, 0)], 18
    )
    b.add(
        "frame",
        column,
        tube(neck, np.linspace(0.055, 0.045, 18), 8),
        ball(0.07, count=12).at(w / 2, h + 0.05),
        box(0.4, 0.09, 0.28, 0.02).at(w / 2 - 0.1, 0.04),
        paint=b.pick("wood", "metal"),
    )
    b.add("soundbox", sound, paint="wood")
    n = b.i(11, 16)
    for k in range(1, n):
        t = k / n
        low = np.array([w / 2 - 0.1, 0.14, 0]) * (1 - t) + np.array([-w / 2, 0.8 * h, 0]) * t
        top = np.interp(low[0], neck[:, 0], neck[:, 1])
        b.add("strings", rod(low, (low[0], top, 0), 0.006, count=4), paint="light")
    if b.chance(0.5):
        b.add(
            "rings",
            *(torus(0.06, 0.018, 16, 6).at(w / 2, y) for y in spread(b.i(2, 4), 0.2 * h, 0.94 * h)),
            paint="metal",
        )
