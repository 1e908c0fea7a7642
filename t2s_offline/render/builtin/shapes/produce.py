"""Fruit and vegetables.

Each function fills the components of a Builder. They stand on their bottom, their telling side along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, circle, smooth
from t2s_offline.render.builtin.shapes.parts import handle, leaf
from t2s_offline.render.builtin.shapes.primitives import ball, lathe, prism, rod, tube


@category("food", yaw=10)
def apple(b: Builder) -> None:
    h = b.u(0.4, 0.55)
    dip = b.u(0.06, 0.12)
    b.add(
        "fruit",
        lathe(
            [
                (0, -h + dip),
                *smooth([(0.12, -h), (0.36, -0.75 * h), (0.5, 0.1 * h), (0.42, 0.75 * h), (0.2, h)], 16),
                (0.07, h - 0.6 * dip),
                (0, h - dip),
            ],
            28,
        ),
        paint="food",
    )
    b.add(
        "stem",
        handle([(0, h - dip - 0.03, 0), (0.02, h + 0.08, 0), (b.u(0.03, 0.12), h + b.u(0.16, 0.26), 0)], 0.025),
        paint="wood",
    )
    for _ in range(b.i(1, 2)):
        b.add("leaf", leaf(b.u(0.24, 0.36), 0.16, 0.2).turn(z=25, y=b.u(-70, 40)).at(0.02, h + 0.06), paint="leaf")
    if b.chance(0.3):
        b.add("bite", ball(0.17, count=14).at(0.47, 0.1, 0.1), paint="light")


@category("food", yaw=-10)
def banana(b: Builder) -> None:
    n, r, sweep = b.i(1, 4), b.u(0.085, 0.11), b.u(95, 130)
    t = np.linspace(0, 1, 14)
    line = np.concatenate([arc(0.55, 270 - sweep / 2, 270 + sweep / 2, 14), np.zeros((14, 1))], 1)
    thick = r * np.clip(np.sin(np.pi * (0.08 + 0.86 * t)) ** 0.45, 0.3, 1) * np.where(t > 0.93, 0.45, 1)
    one = tube(line, thick, 6, ends=True)
    stem = line[-1]
    for k in range(n):
        b.add("fruit", one.at(*(-stem)).turn(x=-12 + 24 * k - 10 * n, z=4.0 * k).at(*stem), paint="food")
    tip = rod(stem - [0.02, 0.05, 0], stem + np.array([0.05, 0.16, 0]), 0.05, 0.04, 8)
    b.add("stem", tip, paint=b.pick("leaf", "wood"))
    b.add(
        "tips",
        *(
            ball(0.035, count=8).at(*(line[0] - stem)).turn(x=-12 + 24 * k - 10 * n, z=4.0 * k).at(*stem)
            for k in range(n)
        ),
        paint="dark",
    )


@category("food", yaw=10)
def pear(b: Builder) -> None:
    h, belly, neck = b.u(0.95, 1.2), b.u(0.36, 0.42), b.u(0.15, 0.22)
    lean = b.u(-0.1, 0.1)
    body = lathe(
        [
            (0, 0.02),
            *smooth(
                [
                    (0.1, 0),
                    (0.85 * belly, 0.1 * h),
                    (belly, 0.32 * h),
                    (0.75 * belly, 0.58 * h),
                    (neck, 0.8 * h),
                    (0.75 * neck, 0.95 * h),
                ],
                16,
            ),
            (0, h),
        ],
        26,
    )
    b.add(
        "fruit",
        body.warp(lambda v: v + np.stack([lean * (v[:, 1] / h) ** 2, 0 * v[:, 0], 0 * v[:, 0]], 1)),
        paint="food",
    )
    b.add(
        "stem",
        handle([(lean, h - 0.02, 0), (lean + 0.02, h + 0.1, 0), (lean + b.u(-0.1, 0.12), h + 0.2, 0)], 0.022),
        paint="wood",
    )
    if b.chance(0.7):
        b.add("leaf", leaf(0.3, 0.16, 0.3).turn(z=20, y=b.u(-60, 60)).at(lean, h + 0.03), paint="leaf")


@category("food", yaw=10)
def pineapple(b: Builder) -> None:
    h, r = b.u(0.75, 0.95), b.u(0.3, 0.36)
    b.add("fruit", ball(r, h / 2, r, 20).at(y=h / 2), paint="food")
    for k, y in enumerate(spread(b.i(5, 8), 0.1 * h, 0.9 * h)):
        ring = r * np.sqrt(max(1 - ((y - h / 2) / (h / 2)) ** 2, 0.02))
        eye = ball(0.05, 0.05, 0.07, 4).at(ring * 0.97, y)
        b.add("eyes", eye.around(10, start=18.0 * (k % 2)), paint=b.pick("wood", "food"))
    for k, (n, long, up) in enumerate(((7, 0.34, 35), (6, 0.42, 60), (4, 0.46, 78))):
        blade = leaf(long * b.u(0.9, 1.2), 0.12, -0.1 + 0.2 * (k == 0), 0.2, 6, 0.5).turn(z=up)
        b.add("leaves", blade.at(0.05, h - 0.05).around(n, start=25.0 * k), paint="leaf")


@category("food", lean=-25)
def carrot(b: Builder) -> None:
    h, r = b.u(0.85, 1.15), b.u(0.13, 0.18)
    rings = [
        (0, -h),
        *smooth([(0.015, -h), (0.4 * r, -0.7 * h), (0.8 * r, -0.3 * h), (r, -0.06 * h), (0.6 * r, 0)], 18),
        (0, 0.0),
    ]
    wobble = [(p[0] * (1 - 0.05 * (k % 3 == 0)), p[1]) for k, p in enumerate(rings)]
    b.add("root", lathe(wobble, 18), paint="food")
    for k in range(b.i(4, 7)):
        long = b.u(0.35, 0.55)
        b.add("leaves", leaf(long, 0.16, b.u(0, 0.2), 0.15, 7, 1.6).turn(z=b.u(58, 88)).turn(y=60.0 * k), paint="leaf")


@category("food", yaw=0)
def mushroom(b: Builder) -> None:
    for k in range(b.i(1, 3)):
        s, x = (1.0, 0.0) if k == 0 else (b.u(0.45, 0.65), b.pick(-1, 1) * b.u(0.35, 0.48))
        r, h, up = b.u(0.36, 0.5), b.u(0.4, 0.65), b.u(0.26, 0.42)
        z = 0.1 * k
        b.add(
            "stalk",
            lathe([(0, 0), *smooth([(0.17, 0), (0.14, 0.2 * h), (0.11, 0.7 * h), (0.12, h)], 8), (0, h)], 16)
            .scale(s)
            .at(x, 0, z),
            lathe([(0.12, 0.66 * h), (0.19, 0.62 * h), (0.12, 0.7 * h)], 16).scale(s).at(x, 0, z),
            paint=b.pick("light", "wood"),
        )
        b.add(
            "cap",
            lathe(
                [
                    (0, h - 0.02),
                    (0.8 * r, h - 0.05),
                    *smooth([(r, h - 0.05), (0.97 * r, h + 0.25 * up), (0.55 * r, h + 0.85 * up)], 8),
                    (0, h + up),
                ],
                24,
            )
            .scale(s)
            .at(x, 0, z),
            paint=b.pick("food", "fur", "plastic"),
        )
        for a, q in ((20, 0.75), (95, 0.7), (150, 0.35), (215, 0.7), (280, 0.72), (330, 0.3), (60, 0.35)):
            y = h + up * np.sqrt(1 - q * q) * 0.96
            b.add(
                "spots",
                ball(0.06, 0.02, 0.06, 8).turn(z=-48 * q).at(q * r, y).turn(y=float(a)).scale(s).at(x, 0, z),
                paint="light",
            )


@category("food", yaw=8)
def bunch_of_grapes(b: Builder) -> None:
    r = b.u(0.085, 0.11)
    rows = b.i(5, 6)
    for k in range(rows):
        t = k / (rows - 1)
        ring = (0.34 * (1 - t) ** 0.8 * (1 if k else 0.8)) + 0.02
        n = max(int(2 * np.pi * ring / (1.75 * r)), 1)
        for j in range(n):
            a = 2 * np.pi * (j + 0.5 * (k % 2)) / n
            b.add(
                "grapes",
                ball(r * b.u(0.92, 1.08), count=10).at(ring * np.cos(a), -1.55 * r * k, ring * np.sin(a)),
                paint=b.pick("leaf", "food", "plastic"),
            )
    b.add(
        "stem",
        handle([(0, -0.2, 0), (0, 0.12, 0), (0.05, 0.28, 0)], 0.025),
        rod((-0.12, 0.27, 0), (0.18, 0.29, 0), 0.02, count=8),
        paint="wood",
    )
    b.add("leaf", leaf(0.42, 0.36, 0.4, 0.1, 7, 0.8).turn(z=5, y=b.u(-50, 10)).at(0.02, 0.16, 0.05), paint="leaf")
    if b.chance(0.4):
        b.add("leaf", prism(circle(0.1, 10), depth=0.02).at(-0.2, 0.16))
