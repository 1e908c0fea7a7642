"""Containers of wood, metal and wicker.

Each function fills the components of a Builder. Handles lie in the xy plane; lengths are about decimetres.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import circle, lift
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, disc, lathe, loft, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join


@category("vessels")
def bucket(b: Builder) -> None:
    r, h, foot = b.u(0.42, 0.52), b.u(0.7, 0.9), b.u(0.68, 0.82)
    wall = lathe([(0, 0), (foot * r, 0), (r, h), (r - 0.035, h), (foot * r - 0.03, 0.05), (0, 0.05)], 32)
    b.add("body", wall, paint=b.pick("metal", "plastic", "wood"))
    b.add("rings", torus(r, 0.028, 32, 8).at(y=h), paint=b.pick("metal", "plastic"))
    for y in spread(b.i(0, 2), 0.25 * h, 0.6 * h) if b.chance(0.6) else []:
        b.add("rings", torus(r * (foot + (1 - foot) * y / h), 0.022, 32, 6).at(y=y))
    up, tilt = b.u(0.75, 1.0), b.u(-35, 35)
    bail = tube(np.stack([-r * np.cos(t := np.linspace(0, np.pi, 20)), up * r * np.sin(t), 0 * t], 1), 0.018, 8)
    b.add("bail", bail.turn(x=tilt).at(y=h - 0.03), paint="metal")
    if b.chance(0.6):
        grip = rod((-0.12, up * r, 0), (0.12, up * r, 0), 0.045, count=10)
        b.add("grip", grip.turn(x=tilt).at(y=h - 0.03), paint=b.pick("wood", "plastic"))
    b.add("bail", ball(0.05, count=8).at(r, h - 0.03).twin())


@category("vessels", yaw=20)
def barrel(b: Builder) -> None:
    h, r, n = b.u(0.95, 1.25), b.u(0.3, 0.38), b.i(12, 16)
    bulge = b.u(1.2, 1.38)
    y = np.linspace(0, 1, 9)
    outline = r * (1 + (bulge - 1) * np.sin(np.pi * y))
    # staves: the radius dips at the seams
    angle = 2 * np.pi * np.arange(4 * n) / (4 * n)
    seam = 1 - 0.03 * (np.arange(4 * n) % 4 == 0)

    rings = np.stack(
        [
            np.stack([R * seam * np.cos(angle), np.full(4 * n, h * t), -R * seam * np.sin(angle)], 1)
            for R, t in zip(outline, y, strict=True)
        ]
    )
    staves = loft(rings)
    b.add("staves", staves, paint="wood")
    for t in (0.06, b.u(0.26, 0.34), b.u(0.66, 0.74), 0.94):
        R = r * (1 + (bulge - 1) * np.sin(np.pi * t))
        slope = r * (bulge - 1) * np.pi * np.cos(np.pi * t) / h * 0.035
        b.add(
            "hoops",
            lathe([(R - slope + 0.008, h * t - 0.035), (R + slope + 0.008, h * t + 0.035)], 32),
            paint=b.pick("metal", "dark"),
        )
    side = b.chance(0.3)
    tap = rod((0, 0.25, 0), (0, 0.25, r * 1.5), 0.035, count=8) + rod(
        (0, 0.2, r * 1.42), (0, 0.36, r * 1.42), 0.03, count=8
    )
    if b.chance(0.4):
        b.add("tap", tap, paint="metal")
    if side:
        b.add("lid", torus(r, 0.03, 28, 8).at(y=h), paint="wood")


@category("vessels", yaw=-12)
def watering_can(b: Builder) -> None:
    r, h = b.u(0.36, 0.46), b.u(0.55, 0.8)
    body = lathe([(0, 0), (r, 0), (r * b.u(0.85, 1.0), h), (0.5 * r, h + 0.08), (0, h + 0.08)], 28).scale(
        1, 1, b.u(0.75, 1)
    )
    b.add("body", body, paint=b.pick("metal", "plastic"))
    out, top = b.u(0.75, 1.0), h + b.u(0.05, 0.25)
    end = np.array([-r - out, top, 0])
    b.add("spout", rod((-0.7 * r, 0.15 * h, 0), end, 0.09, 0.05, 12), paint=b.pick("metal", "plastic"))
    rose = lathe([(0.05, 0), (b.u(0.14, 0.2), 0.18), (0, 0.2)], 20).turn(z=58).at(*end)
    b.add("rose", rose, paint="metal")
    b.add(
        "handle",
        handle(
            [
                (0.85 * r, 0.2 * h, 0),
                (r + 0.35, 0.45 * h, 0),
                (r + 0.2, h + 0.2, 0),
                (0.3 * r, h + 0.4, 0),
                (-0.45 * r, h + 0.05, 0),
            ],
            0.035,
            18,
        ),
        paint=b.pick("metal", "plastic"),
    )
    b.add("rings", torus(r, 0.02, 28, 6).at(y=0.02), paint="metal")
    if b.chance(0.5):
        b.add("rings", *(torus(r, 0.016, 28, 6).at(y=y) for y in spread(b.i(1, 3), 0.3 * h, 0.8 * h)))
    if b.chance(0.4):
        b.add(
            "brace",
            rod((-0.9 * r, 0.9 * h, 0), (-r - 0.55 * out, 0.15 * h + 0.72 * (top - 0.15 * h), 0), 0.02, count=6),
            paint="metal",
        )


@category("vessels")
def basket(b: Builder) -> None:
    r, h, foot, flat = b.u(0.48, 0.6), b.u(0.36, 0.52), b.u(0.7, 0.85), b.u(0.65, 0.9)
    n, rows = b.i(15, 18), b.i(5, 6)
    weave = []
    for k, y in enumerate(spread(rows, 0.04, h)):
        path = circle(r * (foot + (1 - foot) * y / h), 2 * n)
        path *= 1 + 0.045 * np.where((np.arange(2 * n) + 2 * (k % 2)) % 4 < 2, 1, -1)[:, None] * 0.6
        weave.append(tube(lift(path, 1, y), 0.55 * h / rows, 5, closed=True))
    b.add("weave", join(*weave).scale(1, 1, flat), paint="wood")
    b.add("floor", disc(foot * r, 0.04, 24).at(y=0.03).scale(1, 1, flat), paint="wood")
    b.add("rim", torus(r * 1.02, 0.04, 32, 6).at(y=h).scale(1, 1, flat), paint="wood")
    up = b.u(0.7, 1.1)
    t = np.linspace(0, np.pi, 18)
    b.add("handle", tube(np.stack([-r * np.cos(t), h + up * r * np.sin(t), 0 * t], 1), 0.035, 8), paint="wood")
    if b.chance(0.6):
        for k in range(7):
            ring, a = (0.0, 0.0) if k == 6 else (0.55 * r, np.pi / 3 * k)
            b.add(
                "eggs",
                ball(0.15, 0.12, 0.13, 12).at(
                    ring * np.cos(a), h - 0.02 + (0.06 if k == 6 else 0), flat * ring * np.sin(a)
                ),
                paint=b.pick("food", "light"),
            )
