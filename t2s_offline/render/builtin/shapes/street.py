"""Things that stand in streets.

Each function fills the components of a Builder. The front looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import arc, lift, rounded, star
from t2s_offline.render.builtin.shapes.parts import dome, handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, disc, lathe, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join


@category("street", yaw=20)
def street_lamp(b: Builder) -> None:
    h, arms = b.u(1.3, 1.7), b.pick(0, 1, 2)
    b.add(
        "post",
        lathe([(0, 0), (0.12, 0), (0.12, 0.05), (0.06, 0.12), (0.07, 0.3), (0.035, 0.36), (0.025, h), (0, h)], 16),
        paint=b.pick("dark", "metal", "leaf"),
    )
    if arms == 0:
        places = [(0.0, h, 0.0)]
    else:
        reach = b.u(0.25, 0.4)
        curve = handle([(0, 0.85 * h, 0), (0.1, h + 0.02, 0), (0.6 * reach, h + 0.12, 0), (reach, h - 0.02, 0)], 0.02)
        b.add("post", curve if arms == 1 else curve.twin())
        places = [(reach, h - 0.24, 0.0), (-reach, h - 0.24, 0.0)][:arms]
    n = b.pick(4, 6, 16)
    for x, y, z in places:
        b.add("glass", lathe([(0, y), (0.055, y), (0.09, y + 0.2), (0, y + 0.2)], n).at(x, 0, z), paint="light")
        b.add(
            "caps",
            lathe([(0.12, y + 0.2), (0.1, y + 0.23), (0.03, y + 0.29), (0, y + 0.33)], n).at(x, 0, z),
            disc(0.07, 0.03, 12).at(x, y, z),
            paint=b.pick("dark", "metal"),
        )


@category("street", yaw=22)
def traffic_light(b: Builder) -> None:
    h, w = b.u(0.6, 0.72), b.u(0.2, 0.26)
    b.add("box", prism(rounded(w, h, 0.05), depth=0.2), paint=b.pick("dark", "plastic", "leaf"))
    for name, y in (("red", 0.31 * h), ("amber", 0.0), ("green", -0.31 * h)):
        b.add(name, ball(0.36 * w, 0.36 * w, 0.04, 14).at(0, y, 0.1), paint=b.pick("plastic", "food"))
        hood = tube(
            lift(arc(0.4 * w, 10, 170, 9), 2),
            0.014,
            section=np.array([[-6, -0.5], [6, -0.5], [6, 0.5], [-6, 0.5]]) * np.array([1.0, 1.0]),
        )
        b.add("hoods", hood.at(0, y, 0.16), paint="dark")
    long = b.u(0.6, 1.1)
    b.add(
        "post",
        rod((0, -h / 2, 0), (0, -h / 2 - long, 0), 0.035, count=12),
        disc(0.13, 0.05, 20).at(y=-h / 2 - long),
        paint="metal",
    )
    if b.chance(0.4):
        b.add("plate", prism(rounded(w + 0.14, h + 0.14, 0.07), depth=0.015).at(z=-0.05), paint=b.pick("dark", "light"))


@category("street", yaw=15)
def fire_hydrant(b: Builder) -> None:
    h, r = b.u(0.6, 0.75), b.u(0.16, 0.2)
    b.add(
        "body",
        lathe(
            [
                (0, 0),
                (1.4 * r, 0),
                (1.4 * r, 0.07),
                (r, 0.09),
                (r, h),
                (1.25 * r, h + 0.01),
                (1.25 * r, h + 0.06),
                (0, h + 0.06),
            ],
            20,
        ),
        paint=b.pick("plastic", "metal"),
    )
    b.add(
        "cap",
        dome(1.05 * r, 0.17).at(y=h + 0.05),
        lathe([(0, 0), (0.05, 0), (0.05, 0.08), (0, 0.08)], 5).at(y=h + 0.2),
        paint=b.pick("plastic", "metal"),
    )
    y = b.u(0.6, 0.72) * h
    nozzle = rod((0, y, 0), (r + 0.12, y, 0), 0.075, count=12) + rod((r + 0.1, y, 0), (r + 0.17, y, 0), 0.095, count=8)
    b.add(
        "nozzles",
        nozzle.twin(),
        rod((0, 0.85 * y, 0), (0, 0.85 * y, r + 0.12), 0.1, count=14),
        rod((0, 0.85 * y, r + 0.1), (0, 0.85 * y, r + 0.17), 0.125, count=8),
        paint=b.pick("plastic", "metal"),
    )
    b.add(
        "bolts",
        ball(0.03, count=6).at(1.2 * r, 0.09).around(8),
        ball(0.026, count=6).at(1.15 * r, h + 0.075).around(8),
        paint="metal",
    )
    if b.chance(0.5):
        b.add(
            "chain",
            handle([(r + 0.1, y - 0.08, 0.02), (0.7 * r, y - 0.26, r), (0.2 * r, 0.75 * y, r + 0.1)], 0.014),
            paint="metal",
        )


@category("street", yaw=28)
def letter_box(b: Builder) -> None:
    long, w, h = b.u(0.5, 0.6), b.u(0.26, 0.32), b.u(0.12, 0.2)
    if b.chance(0.6):
        tunnel = np.concatenate([[(-w / 2, 0), (w / 2, 0)], arc(w / 2, 0, 180, 14, 0, h)])
        b.add("box", prism(tunnel, depth=long), paint=b.pick("metal", "plastic", "dark"))
        b.add(
            "door",
            prism(tunnel * 0.97, depth=0.03).at(0, 0.005, long / 2),
            box(0.06, 0.03, 0.05).at(0, h + 0.02, long / 2 + 0.02),
            paint=b.pick("metal", "plastic"),
        )
        b.add(
            "flag",
            box(0.015, 0.26, 0.03).at(w / 2 + 0.012, h + 0.1, 0.1),
            box(0.015, 0.09, 0.13).at(w / 2 + 0.012, h + 0.2, 0.06),
            paint="plastic",
        )
        post = b.u(0.6, 0.9)
        b.add("post", box(0.08, post, 0.08).at(y=-post / 2), box(0.07, 0.07, 0.35).at(y=-0.05), paint="wood")
    else:
        r, tall = b.u(0.2, 0.24), b.u(0.8, 1.0)
        b.add("box", disc(r, tall, 28).at(y=tall / 2), paint=b.pick("plastic", "metal"))
        b.add(
            "cap",
            lathe(
                [
                    (1.12 * r, tall),
                    (1.12 * r, tall + 0.05),
                    *(dome(1.05 * r, 0.14).vertex[:0, :2]),
                    (0.8 * r, tall + 0.12),
                    (0, tall + 0.16),
                ],
                28,
            ),
            disc(1.1 * r, 0.1, 28).at(y=0.05),
            paint=b.pick("plastic", "dark"),
        )
        b.add(
            "slot",
            box(0.22, 0.03, 0.04).at(0, 0.8 * tall, r),
            box(0.2, 0.26, 0.03).at(0, 0.45 * tall, r - 0.008),
            paint="dark",
        )


@category("street", yaw=20)
def signpost(b: Builder) -> None:
    h, n = b.u(1.2, 1.5), b.i(2, 4)
    b.add(
        "post",
        rod((0, 0, 0), (0, h, 0), 0.035, count=10),
        ball(0.055, count=10).at(y=h),
        paint=b.pick("wood", "metal", "light"),
    )
    for k in range(n):
        long, s = b.u(0.45, 0.6), b.pick(-1, 1)
        board = prism(
            np.array([(-0.1, -0.075), (long - 0.1, -0.075), (long, 0), (long - 0.1, 0.075), (-0.1, 0.075)]), depth=0.03
        )
        sign = board if s > 0 else board.flip(0)
        place = h - 0.12 - 0.2 * k
        b.add(
            ("boards", "more_boards")[k % 2],
            sign.turn(y=b.u(-30, 30)).at(0, place, 0.045),
            paint=b.pick("wood", "light", "plastic"),
        )
    b.add("base", cushion(0.4, 0.14, 0.36, 0.7), paint=b.pick("stone", "leaf"))
    if b.chance(0.25):
        b.add("post", prism(star(5, 0.1, 0.05), depth=0.03).at(y=h + 0.12))


@category("street", yaw=18)
def gravestone(b: Builder) -> None:
    w, h, d = b.u(0.5, 0.65), b.u(0.6, 0.8), b.u(0.1, 0.16)
    style = b.i(0, 2)
    if style == 0:
        stone = prism(np.concatenate([[(-w / 2, 0), (w / 2, 0)], arc(w / 2, 0, 180, 16, 0, h - 0.2)]), depth=d)
    elif style == 1:
        stone = join(
            box(0.2, 1.25 * h, d, 0.02).at(y=0.62 * h),
            box(0.75 * w, 0.2, d, 0.02).at(y=0.88 * h),
            torus(0.19, 0.04, 24, 8).turn(x=90).at(y=0.88 * h),
        )
    else:
        stone = prism(
            np.array([(-w / 2, 0), (w / 2, 0), (w / 2, 0.8 * h), (0.3 * w, h), (-0.3 * w, h), (-w / 2, 0.8 * h)]),
            depth=d,
        )
    b.add("stone", stone.turn(z=b.u(-4, 4)), paint="stone")
    b.add("base", box(1.25 * w, 0.1, 0.32, 0.02).at(y=0.02), paint="stone")
    if style != 1:
        for k in range(b.i(2, 4)):
            b.add("letters", box(b.u(0.4, 0.7) * w, 0.035, 0.02).at(0, 0.62 * h - 0.09 * k, d / 2), paint="dark")
    b.add("mound", ball(0.42 * w, 0.09, 0.5, 16).at(z=0.55), paint=b.pick("leaf", "wood"))
    if b.chance(0.5):
        for k in range(4):
            b.add(
                "flowers",
                rod((0.05 * k - 0.08, 0, 0.3), (0.08 * k - 0.12, 0.2, 0.3), 0.01, count=5),
                ball(0.04, count=8).at(0.08 * k - 0.12, 0.22, 0.3),
                paint="plastic",
            )
