"""Instruments to blow and to strike.

Each function fills the components of a Builder. The playing side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join


@category("instruments", yaw=15)
def drum(b: Builder) -> None:
    r, h = b.u(0.4, 0.5), b.u(0.3, 0.75)
    b.add("shell", disc(r, h, 32), paint=b.pick("plastic", "wood", "metal"))
    b.add("heads", disc(0.97 * r, h + 0.025, 32), paint="light")
    b.add(
        "rims",
        torus(1.02 * r, 0.035, 32, 8).at(y=h / 2),
        torus(1.02 * r, 0.035, 32, 8).at(y=-h / 2),
        paint=b.pick("metal", "wood", "plastic"),
    )
    n = b.pick(6, 8, 10)
    if b.chance(0.6):
        zigzag = join(
            *(
                rod((0, h / 2, 0), (r * np.sin(np.pi / n) * 2, -h / 2, 0), 0.014, count=6).turn(y=90 + s).at(1.03 * r)
                for s in (0, 180)
            )
        ).turn(y=0)
        b.add("cords", join(zigzag).around(n), paint=b.pick("light", "wood"))
    else:
        b.add(
            "cords",
            join(
                rod((1.05 * r, -h / 2, 0), (1.05 * r, h / 2, 0), 0.016, count=6), ball(0.05, 0.07, 0.05, 8).at(1.03 * r)
            ).around(n),
            paint="metal",
        )
    stick = join(rod((0, 0, 0), (0.75, 0, 0), 0.022, 0.014, 8), ball(0.045, 0.035, 0.035, 10).at(0.76))
    b.add(
        "sticks",
        stick.turn(z=6, y=b.u(20, 40)).at(-0.35, h / 2 + 0.05, 0.1),
        stick.turn(z=8, y=b.u(-40, -15)).at(-0.3, h / 2 + 0.06, -0.15),
        paint="wood",
    )


@category("instruments", yaw=-15)
def trumpet(b: Builder) -> None:
    r, long = b.u(0.17, 0.22), b.u(0.95, 1.1)
    bell = [(0.035, -0.2), *smooth([(0.035, -0.1), (0.045, 0.25), (0.09, 0.42), (r, 0.52)], 10)]
    b.add(
        "bell",
        lathe([(0, -0.2), *bell, (0.88 * r, 0.515), (0.07, 0.42), (0.03, 0.3), (0, 0.3)], 24).turn(z=-90).at(0.05),
        paint="metal",
    )
    drop = b.u(0.17, 0.22)
    loop = [
        (0.0, 0, 0),
        (-0.35, 0, 0),
        (-0.46, -0.1 * drop, 0),
        (-0.5, -0.5 * drop, 0),
        (-0.46, -0.9 * drop, 0),
        (-0.35, -drop, 0),
        (0.25, -drop, 0),
    ]
    b.add(
        "tubing",
        tube(smooth(loop, 26), 0.032, 8),
        handle(
            [
                (0.25, -drop, 0),
                (0.35, -0.9 * drop, 0.02),
                (0.36, -0.55 * drop, 0.05),
                (0.25, -0.45 * drop, 0.07),
                (-long + 0.35, -0.4 * drop, 0.07),
            ],
            0.03,
            24,
        ),
        paint="metal",
    )
    b.add(
        "mouthpiece",
        lathe([(0.03, 0), (0.03, 0.1), (0.065, 0.15), (0, 0.13)], 14).turn(z=90).at(-long + 0.36, -0.4 * drop, 0.07),
        paint="metal",
    )
    for x in spread(b.i(3, 4), -0.14, 0.12):
        b.add(
            "valves",
            rod((x, -drop - 0.08, 0.03), (x, 0.08, 0.03), 0.05, count=12),
            rod((x, 0.08, 0.03), (x, 0.16 + b.u(-0.04, 0.02), 0.03), 0.015, count=6),
            disc(0.04, 0.015, 12).at(x, 0.16, 0.03),
            paint="metal",
        )
    if b.chance(0.4):
        b.add("bell", torus(0.98 * r, 0.016, 24, 6).turn(z=90).at(0.57))
    if b.chance(0.4):
        b.add(
            "mute",
            lathe([(0, 0.1), (0.06, 0.12), (0.11, 0.5), (0, 0.55)], 16).turn(z=-90).at(0.25),
            paint=b.pick("plastic", "dark"),
        )


@category("instruments", yaw=12)
def saxophone(b: Builder) -> None:
    h, r = b.u(0.95, 1.1), b.u(0.15, 0.19)
    line = smooth(
        [
            (-0.16, 0.98 * h, 0),
            (-0.12, 1.06 * h, 0),
            (0.0, 1.05 * h, 0),
            (0.04, 0.9 * h, 0),
            (0.04, 0.3 * h, 0),
            (0.06, 0.1, 0),
            (0.18, 0.0, 0),
            (0.3, 0.1, 0),
            (0.34, 0.32 * h, 0),
            (0.4, 0.44 * h, 0),
        ],
        34,
    )
    t = np.linspace(0, 1, 34)
    b.add(
        "body",
        tube(line, 0.022 + 0.075 * t**1.2 + (r - 0.1) * np.clip((t - 0.86) / 0.14, 0, 1) ** 2, 16),
        paint="metal",
    )
    b.add(
        "mouthpiece",
        tube([(-0.15, 0.98 * h, 0), (-0.2, 0.91 * h, 0), (-0.22, 0.86 * h, 0)], [0.032, 0.034, 0.016], 10),
        paint="dark",
    )
    n = b.i(6, 9)
    b.add(
        "keys",
        *(
            disc(0.04, 0.03, 12).turn(x=90).at(0.04 + 0.01 * (k % 2), y, 0.085)
            for k, y in enumerate(spread(n, 0.2 * h, 0.82 * h))
        ),
        rod((0.11, 0.15 * h, 0.05), (0.09, 0.85 * h, 0.04), 0.011, count=6),
        rod((-0.03, 0.15 * h, 0.05), (-0.01, 0.85 * h, 0.04), 0.011, count=6),
        disc(0.065, 0.03, 14).turn(z=90).at(0.23, 0.3 * h),
        paint=b.pick("metal", "light"),
    )
    b.add("bell", torus(r, 0.02, 24, 8).turn(z=-28).at(*line[-1]), paint="metal")


@category("instruments", yaw=10)
def bell(b: Builder) -> None:
    r, h = b.u(0.42, 0.52), b.u(0.75, 0.95)
    outer = smooth([(r, 0), (0.78 * r, 0.16 * h), (0.58 * r, 0.5 * h), (0.5 * r, 0.8 * h), (0.3 * r, 0.97 * h)], 13)
    inner = outer[::-1] * [0.86, 0.94]
    b.add(
        "bell", lathe([(0, h), *outer[::-1], *inner[::-1], (0, 0.88 * h)][::-1], 32), paint=b.pick("metal", "plastic")
    )
    b.add("clapper", rod((0, 0.5 * h, 0), (0, 0.0, 0), 0.03, count=8), ball(0.1, count=14).at(y=-0.04), paint="metal")
    if b.chance(0.5):
        tall = b.u(0.4, 0.55)
        b.add(
            "handle",
            lathe(
                [
                    (0, h - 0.03),
                    *smooth([(0.04, h - 0.03), (0.05, h + 0.1), (0.075, h + 0.6 * tall), (0.05, h + 0.9 * tall)], 10),
                    (0, h + tall),
                ],
                14,
            ),
            paint=b.pick("wood", "metal", "dark"),
        )
    else:
        b.add("handle", torus(0.13, 0.035, 22, 8).turn(x=90).at(y=h + 0.12), paint="metal")
        if b.chance(0.5):
            b.add("yoke", box(0.7, 0.16, 0.16, 0.03).at(y=h + 0.24), paint="wood")
    b.add(
        "bands",
        *(torus(x * r, 0.016, 32, 6).at(y=y * h) for x, y in ((0.9, 0.07), (0.55, 0.62))[: b.i(1, 2)]),
        paint="metal",
    )


@category("instruments", yaw=20)
def xylophone(b: Builder) -> None:
    n, w, top = b.i(7, 12), b.u(1.0, 1.3), b.u(0.5, 0.7)
    xs = spread(n, -w / 2, w / 2)
    step = xs[1] - xs[0]
    for k, x in enumerate(xs):
        long = 0.75 - (0.75 - top * 0.6) * k / (n - 1)
        name = ("bars", "red_bars", "blue_bars")[k % 3]
        b.add(name, box(0.8 * step, 0.04, long, 0.01).at(x, 0.1), paint=b.pick("plastic", "wood", "metal"))
    rail = rod((-w / 2 - 0.06, 0.05, 0.27), (w / 2 + 0.06, 0.05, 0.27 * top), 0.035, count=8)
    b.add(
        "frame",
        rail.twin(2),
        rod((-w / 2 - 0.04, 0.05, -0.28), (-w / 2 - 0.04, 0.05, 0.28), 0.035, count=8),
        rod((w / 2 + 0.04, 0.05, -0.2), (w / 2 + 0.04, 0.05, 0.2), 0.035, count=8),
        paint="wood",
    )
    mallet = join(rod((0, 0, 0), (0.6, 0.05, 0), 0.014, count=6), ball(0.055, count=12).at(0.62, 0.05))
    b.add(
        "mallets",
        mallet.turn(y=b.u(20, 50)).at(-0.35, 0.17, 0.35),
        mallet.turn(y=b.u(110, 150)).at(0.45, 0.17, 0.3),
        paint=b.pick("wood", "plastic"),
    )
    if b.chance(0.4):
        b.add("legs", rod((w / 2, 0.05, 0.2), (w / 2 + 0.05, -0.5, 0.25), 0.025, count=8).four(), paint="metal")
