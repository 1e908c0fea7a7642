"""Dishes and sweets.

Each function fills the components of a Builder. They stand on their bottom, their telling side along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.csg import cut
from t2s_offline.render.builtin.shapes.outline import arc, smooth
from t2s_offline.render.builtin.shapes.parts import dome, handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, disc, lathe, loft, prism, rod, torus, tube


@category("food", yaw=10)
def ice_cream_cone(b: Builder) -> None:
    h, r, n = b.u(0.7, 0.9), b.u(0.22, 0.27), b.i(1, 3)
    b.add("cone", lathe([(0, -h), (0.02, -h), (r, 0), (r * 1.05, 0.03), (0, 0.03)], 24), paint=b.pick("wood", "food"))
    for k in range(10):
        line = rod((0.02, -h, 0), (r * 1.01, 0, 0), 0.01, count=4)
        b.add("cone", line.turn(y=36.0 * k))
    places = [(0, 0.14, 0)] if n == 1 else [(-0.13, 0.13, 0), (0.13, 0.13, 0.02), (0, 0.34, 0)][:n]
    for k, place in enumerate(places):
        b.add(
            ("scoop", "second_scoop", "third_scoop")[k],
            ball(r * b.u(0.9, 1.05), count=18).at(*place),
            torus(0.85 * r, 0.05, 18, 6).at(place[0], place[1] - 0.1, place[2]),
            paint="food",
        )
    if b.chance(0.6):
        top = places[-1]
        b.add(
            "cherry",
            ball(0.08, count=12).at(top[0], top[1] + r + 0.05, top[2]),
            handle(
                [
                    (top[0], top[1] + r + 0.1, 0),
                    (top[0] + 0.04, top[1] + r + 0.2, 0),
                    (top[0] + 0.1, top[1] + r + 0.26, 0),
                ],
                0.012,
            ),
            paint="food",
        )


@category("food", yaw=10)
def hamburger(b: Builder) -> None:
    r, y = b.u(0.48, 0.56), 0.0
    b.add(
        "bun", lathe([(0, 0), (0.88 * r, 0), (r, 0.07), (0.97 * r, 0.16), (0, 0.16)], 28), paint=b.pick("wood", "food")
    )
    y = 0.16
    for _ in range(b.i(1, 3)):
        b.add(
            "patty",
            lathe([(0, y), (0.95 * r, y), (1.02 * r, y + 0.05), (0.95 * r, y + 0.1), (0, y + 0.1)], 24),
            paint=b.pick("wood", "dark"),
        )
        y += 0.1
        if b.chance(0.8):
            b.add("cheese", box(1.5 * r, 0.025, 1.5 * r).turn(y=b.u(0, 90)).at(y=y + 0.01), paint="food")
            y += 0.02
    t = 2 * np.pi * np.arange(48) / 48
    wave = np.stack([(1.08 * r) * np.cos(t), y + 0.04 + 0.035 * np.sin(9 * t), (1.08 * r) * np.sin(t)], 1)
    b.add(
        "lettuce",
        loft(
            np.stack(
                [
                    wave * [0.5, 1, 0.5],
                    wave,
                    wave + np.array([0, 0.02, 0]),
                    (wave + np.array([0, 0.03, 0])) * [0.5, 1, 0.5],
                ]
            )
        ),
        paint="leaf",
    )
    if b.chance(0.6):
        b.add("tomato", disc(0.95 * r, 0.05, 24).at(y=y + 0.1), paint="food")
    b.add("bun", dome(r, b.u(0.26, 0.36), 28).at(y=y + 0.11))
    for _ in range(16):
        a, s = b.u(0, 6.28), b.u(0.1, 0.75)
        b.add(
            "seeds",
            ball(0.03, 0.016, 0.02, 6).at(s * r * np.cos(a), y + 0.115 + 0.3 * np.sqrt(1 - s * s), s * r * np.sin(a)),
            paint="light",
        )


@category("food", yaw=20, tilt=10)
def layer_cake(b: Builder) -> None:
    r, tiers, y = b.u(0.5, 0.6), b.i(1, 3), 0.03
    b.add(
        "plate",
        lathe([(0, 0), (1.15 * r, 0), (1.3 * r, 0.06), (1.2 * r, 0.05), (0, 0.03)], 32),
        paint=b.pick("light", "ceramic"),
    )
    for k in range(tiers):
        size, h = r * (1 - 0.28 * k), b.u(0.22, 0.32)
        b.add(("cake", "second_tier", "third_tier")[k], disc(size, h, 32).at(y=y + h / 2), paint="food")
        t = 2 * np.pi * np.arange(60) / 60
        drip = np.where(np.arange(60) % 6 < 3, 0.09, 0.04)
        edge = np.stack([1.03 * size * np.cos(t), y + h - drip, -1.03 * size * np.sin(t)], 1)
        b.add("icing", loft(np.stack([edge, edge * [1, 0, 1] + [0, y + h + 0.02, 0]])), paint=b.pick("light", "food"))
        y += h + 0.02
    if b.chance(0.5):
        n = b.i(3, 8)
        b.add(
            "candles",
            (
                rod((0.6 * size, y, 0), (0.6 * size, y + 0.2, 0), 0.02, count=8)
                + ball(0.018, 0.04, 0.018, 8).at(0.6 * size, y + 0.24)
            ).around(n),
            paint="plastic",
        )
    else:
        b.add("cherries", ball(0.065, count=10).at(0.75 * size, y + 0.04).around(b.i(6, 9)), paint="food")


@category("food", yaw=10, tilt=25)
def doughnut(b: Builder) -> None:
    r, t = b.u(0.32, 0.38), b.u(0.15, 0.2)
    b.add("dough", torus(r, t, 30, 14), paint=b.pick("wood", "food"))
    a = 2 * np.pi * np.arange(36) / 36
    edge = 0.02 * np.sin(b.i(5, 8) * a + b.u(0, 6))
    rings = []
    for phi in np.radians([-8, 20, 50, 80, 110, 140, 165, 188]):
        radius = r + (1.06 * t + edge * (abs(phi - 1.57) > 1.5)) * np.cos(phi)
        rings.append(
            np.stack(
                [radius * np.cos(a), 1.06 * t * np.sin(phi) + edge * (abs(phi - 1.57) > 1.5), -radius * np.sin(a)], 1
            )
        )
    b.add("icing", loft(np.stack(rings), wrap=True), paint=b.pick("food", "plastic", "light"))
    for _ in range(b.i(18, 34)):
        angle, phi = b.u(0, 6.28), b.u(0.5, 2.6)
        place = np.array(
            [
                (r + 1.1 * t * np.cos(phi)) * np.cos(angle),
                1.08 * t * np.sin(phi),
                (r + 1.1 * t * np.cos(phi)) * np.sin(angle),
            ]
        )
        b.add(
            b.pick("sprinkles", "more_sprinkles"),
            rod((-0.035, 0, 0), (0.035, 0, 0), 0.014, count=5).turn(y=b.u(0, 180)).at(*place),
            paint="plastic",
        )


@category("food", yaw=0, tilt=20)
def pretzel(b: Builder) -> None:
    thick = b.u(0.055, 0.08)
    w, waist = b.u(0.9, 1.15), b.u(-0.06, 0.04)
    side = [
        (0.25, -0.36),
        (0.1, -0.14),
        (-0.06, waist + 0.06),
        (-0.3, 0.36),
        (-0.5, 0.14),
        (-0.36, -0.26),
        (-0.12, -0.44),
    ]
    line = [*side, *[(-x, y) for x, y in side[::-1]]]
    flat = smooth([(x * w, y) for x, y in line], 64)
    # the two ends lie on top of the loop, and cross at the waist
    lift_ = 0.07 * np.clip(np.abs(np.linspace(-1, 1, 64)) * 3 - 1.6, -0.3, 1)
    lift_[:20] += 0.05
    path = np.concatenate([flat, lift_[:, None]], 1)
    t = np.linspace(-1, 1, 64)
    b.add("dough", tube(path, thick * (1.15 - 0.5 * np.abs(t) ** 3), 9, ends=True), paint=b.pick("wood", "food"))
    for _ in range(b.i(16, 30)):
        k = b.i(8, 55)
        b.add(
            "salt",
            box(0.025, 0.025, 0.025).turn(z=b.u(0, 90)).at(path[k, 0], path[k, 1], path[k, 2] + thick * 1.05),
            paint="light",
        )


@category("food", yaw=25)
def cheese(b: Builder) -> None:
    long, h, angle = b.u(0.8, 1.0), b.u(0.3, 0.42), b.u(30, 55)
    wedge = (
        prism(np.concatenate([[(0, 0)], arc(long, -angle / 2, angle / 2, 10)]), depth=h)
        .turn(x=-90)
        .turn(y=b.u(160, 200))
        .at(0.5 * long)
    )
    corner = wedge.vertex[wedge.face]
    area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    seen = np.clip(area[:, 2], 0, None) + np.clip(area[:, 1], 0, None) + 1e-9
    holes = []
    for _ in range(b.i(7, 12)):
        spot = corner[int(b.rng.choice(len(corner), p=seen / seen.sum()))]
        holes.append(ball(b.u(0.04, 0.09), count=12).at(*(b.rng.dirichlet([1, 1, 1]) @ spot)))
    body = wedge
    for hole in holes:
        body = cut(body, hole)
    b.add("cheese", body, paint="food")
    if b.chance(0.5):
        b.add("board", box(1.3 * long, 0.05, 0.9 * long, 0.02).at(0, -h / 2 - 0.03), paint="wood")


@category("food", yaw=-18, tilt=24)
def hot_dog(b: Builder) -> None:
    long, r = b.u(0.85, 1.05), b.u(0.085, 0.105)
    bun = cushion(long, 0.25, 0.27, 0.6, 18)
    b.add("bun", bun.turn(x=25).at(0, -0.02, 0.16), bun.turn(x=-25).at(0, 0, -0.16), paint=b.pick("wood", "food"))
    bend = b.u(0, 0.1)
    b.add(
        "sausage",
        tube(
            smooth([(-0.56 * long, 0.13 + bend, 0), (0, 0.11, 0), (0.56 * long, 0.13 + bend, 0)], 8), r, 12, ends=True
        ),
        paint="food",
    )
    x = np.linspace(-0.46 * long, 0.46 * long, 40)
    sauce = np.stack([x, 0.115 + r + bend * (x / (0.56 * long)) ** 2, 0.05 * np.sin(b.i(9, 13) * x / long * 4)], 1)
    b.add("sauce", tube(sauce, 0.022, 6, ends=True), paint="food")
    if b.chance(0.3):
        b.add("plate", lathe([(0, -0.18), (0.5, -0.18), (0.66, -0.12), (0, -0.14)], 28), paint="light")
