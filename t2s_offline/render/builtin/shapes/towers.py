"""Towers, bridges and castles.

Each function fills the components of a Builder. They stand on the ground with the front along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift
from t2s_offline.render.builtin.shapes.parts import dome, roof
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, loft, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join, row


@category("buildings", yaw=10)
def lighthouse(b: Builder) -> None:
    h, r, top, n = b.u(1.3, 1.7), b.u(0.24, 0.32), b.u(0.14, 0.19), b.i(4, 7)
    for k in range(n):
        r0, r1 = (r + (top - r) * t for t in (k / n, (k + 1) / n))
        b.add(
            ("tower", "stripes")[k % 2],
            rod((0, h * k / n, 0), (0, h * (k + 1) / n, 0), r0, r1, 24),
            paint=("light", "plastic")[k % 2],
        )
    b.add(
        "gallery",
        disc(top + 0.09, 0.05, 24).at(y=h + 0.02),
        torus(top + 0.08, 0.012, 24, 6).at(y=h + 0.15),
        rod((top + 0.08, h, 0), (top + 0.08, h + 0.15, 0), 0.01, count=5).around(10),
        paint=b.pick("dark", "metal"),
    )
    b.add("lamp", disc(0.62 * top, 0.22, 12).at(y=h + 0.15), paint="light")
    b.add("gallery", rod((0.66 * top, h, 0), (0.66 * top, h + 0.28, 0), 0.012, count=5).around(8))
    b.add(
        "roof",
        dome(0.85 * top, b.u(0.13, 0.2)).at(y=h + 0.26)
        if b.chance()
        else rod((0, h + 0.26, 0), (0, h + 0.46, 0), 0.9 * top, 0.005, 20),
        ball(0.03, count=8).at(y=h + 0.46),
        paint="plastic",
    )
    b.add(
        "door",
        box(0.13, 0.26, 0.1).at(0, 0.13, r - 0.03),
        *(box(0.07, 0.1, 0.1).at(0, y * h, r + (top - r) * y - 0.02) for y in (0.36, 0.66)),
        paint="dark",
    )
    if b.chance(0.6):
        b.add("rock", ball(0.5, 0.16, 0.45, 9), paint="stone")
    if b.chance(0.4):
        b.add("hut", box(0.35, 0.26, 0.3).at(0.42, 0.13), roof(0.35, 0.14, 0.3, 0.03).at(0.42, 0.26), paint="light")


@category("buildings", yaw=20)
def windmill(b: Builder) -> None:
    h, r, top = b.u(0.9, 1.2), b.u(0.3, 0.38), b.u(0.18, 0.24)
    b.add("tower", lathe([(0, 0), (r, 0), (top, h), (0, h)], b.pick(8, 8, 24)), paint=b.pick("stone", "light", "wood"))
    b.add(
        "cap",
        dome(top * 1.12, 0.24, 20).at(y=h) if b.chance(0.6) else rod((0, h, 0), (0, h + 0.26, 0), 1.15 * top, 0.02, 8),
        paint=b.pick("dark", "wood", "food"),
    )
    long, z, n = b.u(0.62, 0.8), top + 0.12, b.pick(4, 4, 6)
    arm = box(0.03, long, 0.025).at(0, long / 2)
    cross = join(
        *(box(0.19, 0.012, 0.012).at(0.07, y) for y in spread(9, 0.22 * long, long)),
        *(box(0.012, 0.8 * long, 0.012).at(x, 0.61 * long) for x in (0.1, 0.165)),
    )
    cloth = box(0.15, 0.76 * long, 0.008).at(0.085, 0.6 * long, -0.01)
    start = b.u(0, 90)
    b.add(
        "arms",
        arm.around(n, axis=2, start=start).at(0, h + 0.1, z),
        rod((0, h + 0.1, 0), (0, h + 0.1, z + 0.04), 0.04),
        cross.around(n, axis=2, start=start).at(0, h + 0.1, z),
        paint="wood",
    )
    if b.chance(0.6):
        b.add("sails", cloth.around(n, axis=2, start=start).at(0, h + 0.1, z), paint="light")
    b.add(
        "door",
        box(0.16, 0.3, 0.1).at(0, 0.15, r - 0.05),
        *(box(0.09, 0.12, 0.09).at(0.05, y * h, r + (top - r) * y - 0.04) for y in (0.45, 0.7)),
        paint="dark",
    )
    if b.chance(0.4):
        b.add(
            "gallery",
            disc(r + 0.18, 0.03, 24).at(y=0.36 * h),
            torus(r + 0.17, 0.012, 24, 5).at(y=0.36 * h + 0.1),
            paint="wood",
        )


@category("buildings", yaw=25)
def castle(b: Builder) -> None:
    w, h, r, th = b.u(1.1, 1.4), b.u(0.4, 0.55), b.u(0.15, 0.2), b.u(0.65, 0.9)
    b.add(
        "walls",
        *(
            box(w, h, 0.09).turn(y=a).at(w / 2 * np.sin(np.radians(a)), h / 2, w / 2 * np.cos(np.radians(a)))
            for a in (0, 90, 180, 270)
        ),
        paint="stone",
    )
    merlon = box(0.075, 0.09, 0.1)
    b.add("walls", row(merlon, [(x, h + 0.045, w / 2) for x in spread(7, -0.33 * w, 0.33 * w)]).around(4))
    pointed = b.chance(0.6)
    tower = [rod((0, 0, 0), (0, th, 0), r, 0.95 * r, 18), disc(1.15 * r, 0.1, 18).at(y=th)]
    b.add("towers", join(*tower).at(w / 2, 0, w / 2).around(4), paint="stone")
    if pointed:
        b.add(
            "roofs",
            rod((0, th + 0.05, 0), (0, th + b.u(0.4, 0.6), 0), 1.25 * r, 0.005, 18).at(w / 2, 0, w / 2).around(4),
            paint="plastic",
        )
    else:
        crown = box(0.07, 0.1, 0.06).at(1.1 * r, th + 0.09).around(7)
        b.add("towers", crown.at(w / 2, 0, w / 2).around(4))
    kw = b.u(0.4, 0.55)
    kh = b.u(0.75, 1.1)
    b.add(
        "keep",
        box(kw, kh, kw).at(0, kh / 2, -0.1),
        row(
            box(0.08, 0.09, 0.08),
            [
                (x, kh + 0.04, z - 0.1)
                for x in spread(4, -kw / 2 + 0.04, kw / 2 - 0.04)
                for z in (-kw / 2 + 0.04, kw / 2 - 0.04)
            ],
        ),
        paint="stone",
    )
    b.add(
        "gate",
        prism(np.concatenate([[(-0.13, 0), (0.13, 0)], arc(0.13, 0, 180, 10, 0, 0.2)]), depth=0.12).at(0, 0, w / 2),
        paint="dark",
    )
    if b.chance(0.7):
        b.add(
            "flag",
            rod((0, kh, -0.1), (0, kh + 0.4, -0.1), 0.012, count=6),
            box(0.2, 0.13, 0.012).at(0.1, kh + 0.33, -0.1),
            paint="plastic",
        )


@category("buildings", yaw=30)
def arch_bridge(b: Builder) -> None:
    long, w, n = b.u(1.5, 1.9), b.u(0.3, 0.4), b.i(1, 3)
    high, rise = b.u(0.3, 0.42), b.u(0.0, 0.25)
    top = np.stack([(x := np.linspace(long / 2, -long / 2, 21)), high + rise * (1 - (2 * x / long) ** 2)], 1)
    span = 0.86 * long / n
    holes = [
        np.concatenate(
            [
                [(cx - 0.42 * span, -0.2), (cx + 0.42 * span, -0.2)],
                arc(
                    0.42 * span,
                    0,
                    180,
                    14,
                    cx,
                    0.0,
                    min(1.0, 0.8 * (high + rise * (1 - (2 * cx / long) ** 2)) / (0.42 * span)),
                ),
            ]
        )
        for cx in spread(n, -0.43 * long + span / 2, 0.43 * long - span / 2)
    ]
    outline = np.concatenate([top, [(-long / 2, -0.2), (long / 2, -0.2)]])
    b.add("span", prism(outline, *holes, depth=w), paint=b.pick("stone", "wood", "metal"))
    rail = tube(np.concatenate([lift(top, 2) + np.array([0, b.u(0.09, 0.16), 0])]), 0.02, 6)
    b.add(
        "rails",
        rail.at(z=w / 2).twin(2),
        *(box(0.03, 0.16, 0.03).at(px, py + 0.06, w / 2).twin(2) for px, py in top[::2]),
        paint=b.pick("stone", "wood", "metal"),
    )
    b.add(
        "deck",
        loft(
            np.stack(
                [lift(np.concatenate([top - [0, -0.015], top[::-1] - [0, 0.005]]), 2, z) for z in (-0.4 * w, 0.4 * w)]
            )
        ),
        paint="dark",
    )


@category("buildings", yaw=30)
def lattice_tower(b: Builder) -> None:
    h, foot, n = b.u(1.5, 1.8), b.u(0.36, 0.46), b.i(6, 8)
    power = b.u(1.6, 2.6)
    ys = np.linspace(0, 1, n + 1)
    half = foot * ((1 - ys) ** power) + 0.03
    corners = [
        np.array([[sx * x, h * y, sz * x] for x, y in zip(half, ys, strict=True)])
        for sx, sz in ((1, 1), (1, -1), (-1, -1), (-1, 1))
    ]
    for k in range(4):
        b.add("legs", tube(corners[k], np.linspace(0.03, 0.014, n + 1), 6), paint=b.pick("metal", "dark", "wood"))
        after = corners[(k + 1) % 4]
        for j in range(n):
            b.add(
                "braces",
                rod(corners[k][j], after[j + 1], 0.011, count=4),
                rod(after[j], corners[k][j + 1], 0.011, count=4),
                rod(corners[k][j + 1], after[j + 1], 0.011, count=4),
                paint="metal",
            )
    for k in (2, 4):
        b.add("decks", box(2.5 * half[k] + 0.05, 0.05, 2.5 * half[k] + 0.05).at(y=h * ys[k]), paint="metal")
    if b.chance(0.5):
        b.add("mast", rod((0, h, 0), (0, h + 0.3, 0), 0.016, 0.006, 6), paint="metal")
    else:
        dish = torus(0.07, 0.02, 16, 6).turn(x=90) + ball(0.07, 0.07, 0.02, 12)
        b.add(
            "mast",
            dish.at(0, 0.93 * h, 0.08),
            dish.turn(y=120).at(0.05, 0.86 * h, 0),
            rod((0, h, 0), (0, h + 0.2, 0), 0.016, count=6),
            paint="light",
        )
