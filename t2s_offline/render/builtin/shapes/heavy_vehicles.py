"""Heavy vehicles.

Each function fills the components of a Builder. They drive towards +x and are turned to show side and front; lengths
are metres.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.bodies import wheels
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, rounded
from t2s_offline.render.builtin.shapes.parts import spoked
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, hull, lathe, loft, prism, rod, torus


@category("vehicles", yaw=-35)
def lorry(b: Builder) -> None:
    long, w, h, r = b.u(5.5, 7.5), 2.2, b.u(2.6, 3.0), 0.46
    cab, kind = b.u(1.5, 1.9), b.i(0, 3)
    x0 = long / 2 - cab
    b.add(
        "cab",
        loft(
            np.stack(
                [
                    lift(rounded(w * s, (h - 0.5) * s2, 0.15, 4, 0, 0.5 + (h - 0.5) * s2 / 2), 2, z)
                    for s, s2, z in ((1, 0.95, x0), (1, 0.95, long / 2 - 0.35), (0.96, 0.55, long / 2))
                ]
            )
        ).turn(y=90),
        paint=b.pick("plastic", "metal"),
    )
    b.add(
        "glass",
        box(0.5, 0.55, w + 0.03).at(x0 + 0.75, 0.66 * h),
        hull(
            [(long / 2 - 0.36, 0.84 * h, z) for z in (-0.9, 0.9)]
            + [(long / 2 - 0.08, 0.6 * h, z) for z in (-0.95, 0.95)]
            + [(long / 2 - 0.4, 0.6 * h, z) for z in (-0.9, 0.9)]
        ),
        paint="dark",
    )
    b.add("chassis", box(long - 0.3, 0.22, 1.2).at(-0.1, 0.62), box(0.2, 0.3, w, 0.04).at(long / 2, 0.55), paint="dark")
    load, mid = x0 - 0.15 + long / 2, (x0 - 0.15 - long / 2) / 2
    if kind == 0:
        b.add(
            "load", box(load, h - 0.5, w, 0.03).at(mid, 0.75 + (h - 0.5) / 2), paint=b.pick("plastic", "metal", "light")
        )
    elif kind == 1:
        b.add(
            "load",
            lathe(
                [
                    (0, -load / 2),
                    (0.6, -load / 2 + 0.05),
                    (0.9, -load / 2 + 0.3),
                    (0.9, load / 2 - 0.3),
                    (0.6, load / 2 - 0.05),
                    (0, load / 2),
                ],
                24,
            )
            .turn(z=90)
            .at(mid, 1.65),
            paint=b.pick("metal", "plastic"),
        )
    elif kind == 2:
        low, top = load, h - 1.3
        bin_ = loft(
            np.stack(
                [
                    lift(np.array([[-low / 2, -1.0], [low / 2, -1.0], [low / 2, 1.0], [-low / 2, 1.0]]) * s, 1, y)
                    * [1, 1, -1]
                    for s, y in ((0.85, 0), (1, top), (0.94, top), (0.8, 0.1))
                ]
            )
        )
        b.add("load", bin_.turn(z=-b.u(0, 22)).at(mid, 0.95), paint=b.pick("metal", "plastic"))
        b.add("heap", ball(0.42 * load, 0.5, 0.85, 14).at(mid, 0.75 + top), paint="stone")
    else:
        b.add("load", box(load, 0.14, w).at(mid, 0.85), paint=b.pick("metal", "wood"))
        for k in range(6):
            b.add(
                "logs",
                rod((mid - 0.46 * load, 0, 0), (mid + 0.46 * load, 0, 0), 0.34, 0.32, 12).at(
                    0, 1.25 + 0.6 * (k // 3), -0.68 + 0.68 * (k % 3) * (1 if k < 3 else 0.5) + (0.34 if k > 2 else 0)
                ),
                paint="wood",
            )
    xs = [long / 2 - 0.75, -long / 2 + 0.7] + ([-long / 2 + 1.7] if long > 6 else [])
    wheels(b, [(x, z) for x in xs for z in (-w / 2 + 0.15, w / 2 - 0.15)], r, 0.34)
    if b.chance(0.5):
        b.add("chassis", rod((x0 - 0.05, 0.8, 0.8), (x0 - 0.05, h + 0.4, 0.8), 0.07, count=8).twin(2))


@category("vehicles", yaw=-30)
def steam_locomotive(b: Builder) -> None:
    long, r = b.u(4.0, 5.0), b.u(0.5, 0.62)
    y, front = 1.35, long / 2
    boiler = lathe(
        [
            (0, -0.28 * long),
            (r, -0.28 * long),
            (r, front - 0.4),
            (0.9 * r, front - 0.35),
            (0.9 * r, front - 0.1),
            (0, front - 0.02),
        ],
        24,
    ).turn(z=-90)
    b.add("boiler", boiler.at(0, y), paint=b.pick("dark", "plastic", "metal"))
    for x in spread(b.i(2, 4), -0.2 * long, 0.3 * long):
        b.add("bands", torus(r, 0.03, 24, 6).turn(z=90).at(x, y), paint="metal")
    up, flare = b.u(0.6, 0.85), b.u(1.0, 1.9)
    b.add(
        "funnel",
        lathe(
            [(0.2, 0), (0.15, 0.1), (0.17 * (flare + 1) / 2, 0.8 * up), (0.17 * flare, up), (0.1, up), (0, up - 0.1)],
            16,
        ).at(front - 0.65, y + r - 0.05),
        paint=b.pick("dark", "metal"),
    )
    for x in spread(b.i(1, 2), -0.05 * long, 0.14 * long):
        b.add("bands", lathe([(0.2, 0), (0.2, 0.16), (0.12, 0.3), (0, 0.33)], 14).at(x, y + r - 0.05))
    cab = 0.26 * long
    b.add(
        "cab",
        box(cab, 0.9, 1.6).at(-0.5 * long + cab / 2, 1.1),
        box(cab + 0.3, 0.1, 1.8, 0.03).at(-0.5 * long + cab / 2, 2.45),
        paint="plastic",
    )
    b.add(
        "cab",
        box(0.09, 1.0, 0.09).at(-0.5 * long + 0.06, 1.95, 0.75).twin(2),
        box(0.12, 1.0, 1.6).at(-0.5 * long + cab - 0.06, 1.95),
    )
    b.add(
        "frame",
        box(long - 0.1, 0.18, 1.2).at(0, 0.72),
        hull(
            [
                (front - 0.1, 0.65, 0.6),
                (front - 0.1, 0.65, -0.6),
                (front - 0.1, 0.1, 0.6),
                (front - 0.1, 0.1, -0.6),
                (front + 0.5, 0.1, 0.0),
                (front, 0.6, 0),
            ]
        ),
        paint="plastic",
    )
    big, n = b.u(0.42, 0.52), b.i(2, 3)
    for x in spread(n, -0.3 * long, -0.3 * long + 1.15 * (n - 1)):
        hoop, inside = spoked(big, 0.06, 5, 13, 0.6)
        b.add("wheels", (hoop + inside).at(x, big, 0.62).twin(2), paint=b.pick("dark", "plastic"))
    for x in spread(2, 0.24 * long, 0.38 * long):
        b.add("wheels", disc(0.26, 0.12, 14).turn(x=90).at(x, 0.26, 0.6).twin(2))
    b.add("bands", box(1.15 * (n - 1) + 0.9, 0.09, 0.06).at(-0.3 * long + 1.15 * (n - 1) / 2 + 0.3, big, 0.74).twin(2))


@category("vehicles", yaw=-28)
def army_tank(b: Builder) -> None:
    long, w, n = b.u(2.6, 3.2), b.u(1.4, 1.7), b.i(5, 7)
    outline = np.concatenate([arc(0.3, 90, 270, 9, -long / 2, 0.34), arc(0.3, -90, 90, 9, long / 2, 0.34)])
    links = prism(outline, depth=0.42)
    b.add("tracks", links.at(z=w / 2).twin(2), paint="dark")
    for x in spread(n, -long / 2, long / 2):
        b.add("rollers", disc(0.22, 0.08, 14).turn(x=90).at(x, 0.32, w / 2 + 0.22).twin(2), paint="metal")
    for x in spread(18, -long / 2 + 0.05, long / 2 - 0.05):
        b.add("tracks", box(0.07, 0.05, 0.44).at(x, 0.655, w / 2).twin(2))
    hull_ = np.array(
        [
            (-long / 2 - 0.15, 0.55),
            (-long / 2 - 0.1, 0.95),
            (0.3 * long, 0.95),
            (long / 2 + 0.15, 0.62),
            (long / 2, 0.4),
            (-long / 2, 0.4),
        ]
    )
    b.add("hull", prism(hull_[::-1], depth=w), paint=b.pick("leaf", "stone", "metal"))
    turret = (
        loft(
            np.stack(
                [
                    lift(rounded(1.3 * s, 1.1 * s, 0.3 * s, 4), 1, y) * [1, 1, -1]
                    for s, y in ((1.0, 0.0), (1.02, 0.2), (0.75, b.u(0.4, 0.5)))
                ]
            )
        )
        if b.chance(0.6)
        else lathe([(0.65, 0), (0.65, 0.12), (0.45, 0.42), (0, 0.48)], 20)
    )
    yaw = b.u(-20, 30)
    gun = rod((0.5, 0.25, 0), (b.u(1.7, 2.2), 0.34, 0), 0.08, 0.065, 12)
    b.add(
        "turret",
        turret.turn(y=yaw).at(-0.05 * long, 0.95),
        disc(0.2, 0.12, 16).at(-0.05 * long - 0.15, 1.44, -0.15),
        paint=b.pick("leaf", "stone", "metal"),
    )
    b.add("gun", gun.turn(y=yaw).at(-0.05 * long, 0.95), paint=b.pick("metal", "leaf"))
