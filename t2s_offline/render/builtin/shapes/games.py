"""Games and small toys.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join, row


@category("toys", yaw=30)
def dice(b: Builder) -> None:
    s = b.u(0.42, 0.5)
    bevel = b.u(0.04, 0.14)
    q, r = 0.26 * s, b.u(0.045, 0.06)
    faces: dict[str, list[tuple[float, float]]] = {
        "1": [(0, 0)],
        "2": [(-q, q), (q, -q)],
        "3": [(-q, q), (0, 0), (q, -q)],
        "4": [(-q, q), (q, q), (-q, -q), (q, -q)],
        "5": [(-q, q), (q, q), (-q, -q), (q, -q), (0, 0)],
        "6": [(-q, q), (-q, 0), (-q, -q), (q, q), (q, 0), (q, -q)],
    }
    turns: list[dict[str, float]] = [{}, {"x": 180}, {"y": 90}, {"y": -90}, {"x": 90}, {"x": -90}]
    order = [list(faces)[k] for k in b.rng.permutation(6)]
    pips = [
        row(ball(r, r, 0.016, 8), [(x, y, s / 2) for x, y in faces[f]]).turn(**t)
        for f, t in zip(order, turns, strict=True)
    ]
    two = [(-0.3, 0.0, 0.0, b.u(0, 90)), (0.32, 0.0, 0.12, b.u(0, 90))]
    places = two if b.chance(0.5) else [(0.0, 0.0, 0.0, 0.0)]
    for x, y, z, turn in places:
        b.add("cubes", box(s, s, s, bevel).turn(y=turn).at(x, y, z), paint=b.pick("light", "plastic", "dark"))
        b.add("pips", join(*pips).turn(y=turn).at(x, y, z), paint=b.pick("dark", "light"))


@category("toys", yaw=8)
def bowling_pin(b: Builder) -> None:
    h, belly, neck = b.u(1.0, 1.15), b.u(0.17, 0.21), b.u(0.07, 0.09)
    pin = [
        (0, 0),
        *smooth(
            [
                (0.5 * belly, 0),
                (0.85 * belly, 0.12 * h),
                (belly, 0.3 * h),
                (0.7 * belly, 0.52 * h),
                (neck, 0.68 * h),
                (1.25 * neck, 0.86 * h),
                (0.9 * neck, 0.97 * h),
            ],
            20,
        ),
        (0, h),
    ]
    n = b.pick(1, 1, 3)
    places = [(0.0, 0.0, 0.1), (-0.32, 0.0, -0.2), (0.32, 0.0, -0.2)][:n]
    b.add("pins", row(lathe(pin, 20 if n == 1 else 14), places), paint="light")
    for y in spread(b.i(1, 2), 0.66 * h, 0.74 * h):
        b.add("bands", row(torus(neck * 1.06, 0.022, 18, 6).at(y=y), places), paint="plastic")
    if b.chance(0.5):
        b.add("ball", ball(0.22, count=20).at(0.42 if n == 1 else 0.0, 0.22, 0.35), paint=b.pick("plastic", "dark"))
        b.add(
            "holes",
            *(
                ball(0.03, 0.012, 0.03, 8).turn(x=50).at((0.42 if n == 1 else 0.0) + x, 0.22 + 0.15, 0.35 + 0.155 + z)
                for x, z in ((-0.03, 0), (0.03, 0), (0, 0.035))
            ),
            paint="dark",
        )


@category("toys", yaw=10)
def chess_king(b: Builder) -> None:
    h, r = b.u(0.75, 0.95), b.u(0.22, 0.27)
    base = [(r, 0), (r, 0.05), (0.85 * r, 0.09), (0.9 * r, 0.13), (0.55 * r, 0.2)]
    waist = smooth([(0.55 * r, 0.2), (0.33 * r, 0.5 * h), (0.36 * r, 0.72 * h)], 7)
    collar = [
        (0.65 * r, 0.74 * h),
        (0.65 * r, 0.77 * h),
        (0.4 * r, 0.79 * h),
        (0.62 * r, h),
        (0.5 * r, h + 0.03),
        (0.1, h + 0.08),
    ]
    b.add(
        "body",
        lathe([(0, 0), *base, *waist, *collar, (0, h + 0.1)], 28),
        paint=b.pick("wood", "dark", "light", "stone"),
    )
    b.add(
        "cross",
        box(0.05, 0.2, 0.05, 0.008).at(y=h + 0.17),
        box(0.15, 0.05, 0.05, 0.008).at(y=h + 0.19),
        paint=b.pick("wood", "metal", "light"),
    )
    b.add(
        "rings",
        torus(0.9 * r, 0.02, 28, 6).at(y=0.11),
        torus(0.62 * r, 0.02, 24, 6).at(y=0.755 * h),
        paint=b.pick("wood", "metal", "dark"),
    )
    for y in spread(b.i(0, 3), 0.3 * h, 0.62 * h) if b.chance(0.7) else []:
        b.add("rings", torus(0.42 * r, 0.03, 20, 6).at(y=y))
    if b.chance(0.4):
        b.add("felt", disc(1.02 * r, 0.03, 28).at(y=-0.01), paint=b.pick("leaf", "fabric"))


@category("toys", yaw=-25)
def chess_knight(b: Builder) -> None:
    r, h = b.u(0.26, 0.31), b.u(0.6, 0.75)
    b.add(
        "base",
        lathe([(0, 0), (r, 0), (r, 0.06), (0.85 * r, 0.1), (0.9 * r, 0.14), (0.65 * r, 0.2), (0, 0.2)], 28),
        paint=b.pick("wood", "dark", "light", "stone"),
    )
    t = h + 0.2
    side = smooth(
        [
            (-0.17, 0.18),
            (-0.22, 0.45 * t),
            (-0.12, 0.85 * t),
            (0.0, t),
            (0.05, t + 0.07),
            (0.09, 0.97 * t),
            (0.3, 0.72 * t),
            (0.29, 0.62 * t),
            (0.22, 0.6 * t),
            (0.08, 0.68 * t),
            (0.12, 0.45 * t),
            (0.17, 0.18),
        ],
        40,
        closed=True,
    )
    wide = b.u(0.17, 0.22)
    b.add(
        "head",
        prism(side, depth=0.6 * wide),
        prism(side * [0.93, 0.97] + [0.0, 0.012], depth=wide),
        paint=b.pick("wood", "dark", "light", "stone"),
    )
    mane = side[(side[:, 0] < -0.02) & (side[:, 1] > 0.3)]
    b.add(
        "mane",
        *(ball(0.05, 0.045, 0.55 * wide, 8).at(x, y) for x, y in mane[:: b.i(1, 3)]),
        paint=b.pick("wood", "dark", "metal"),
    )
    b.add(
        "eyes",
        ball(0.026, count=8).at(0.08, 0.86 * t, wide / 2).twin(2),
        ball(0.016, count=6).at(0.27, 0.7 * t, wide / 2 - 0.01).twin(2),
        paint="dark",
    )


@category("toys", yaw=0, lean=12)
def spinning_top(b: Builder) -> None:
    r, h = b.u(0.42, 0.55), b.u(0.35, 0.55)
    b.add(
        "body",
        lathe(
            [
                (0, -h),
                *smooth([(0.03, -h), (0.5 * r, -0.45 * h), (r, 0), (0.75 * r, 0.22 * h), (0.15 * r, 0.36 * h)], 14),
                (0, 0.36 * h),
            ],
            28,
        ),
        paint=b.pick("wood", "plastic", "metal"),
    )
    b.add(
        "handle",
        lathe(
            [
                (0, 0.3 * h),
                (0.05, 0.3 * h),
                (0.035, 0.4 * h + 0.3),
                (0.07, 0.4 * h + 0.36),
                (0.05, 0.4 * h + 0.42),
                (0, 0.4 * h + 0.43),
            ],
            14,
        ),
        paint=b.pick("wood", "plastic"),
    )
    b.add("tip", rod((0, -h + 0.03, 0), (0, -h - 0.1, 0), 0.03, 0.008, 10), paint="metal")
    for y in spread(b.i(1, 3), -0.32 * h, 0.0):
        b.add("bands", torus(r * (1 + 0.95 * y / h) * 1.0, 0.022, 32, 6).at(y=y), paint="plastic")


@category("toys", yaw=10, lean=-25)
def kite(b: Builder) -> None:
    w, top, low = b.u(0.32, 0.42), b.u(0.3, 0.4), b.u(0.6, 0.8)
    quads = {"left": (-1, 1), "right": (1, 1), "left_low": (-1, -1), "right_low": (1, -1)}
    for k, (sx, sy) in enumerate(quads.values()):
        tri = np.array([(0, 0), (sx * w, 0), (0, top if sy > 0 else -low)])
        tri = tri if sx * sy > 0 else tri[::-1]
        b.add(("cloth", "panels", "panels", "cloth")[k], prism(tri, depth=0.015), paint="plastic")
    b.add(
        "spars",
        rod((0, -low, 0.012), (0, top, 0.012), 0.012, count=6),
        rod((-w, 0, 0.012), (w, 0, 0.012), 0.012, count=6),
        paint="wood",
    )
    t = np.linspace(0, 1, 20)
    amp = b.u(0.06, 0.12)
    tail = np.stack([amp * np.sin(3.5 * np.pi * t), -low - 0.75 * t, 0 * t], 1)
    b.add("tail", tube(tail, 0.009, 5), paint="light")
    for k in range(b.i(2, 4), 20, b.i(3, 6)):
        x, y, _ = tail[k]
        b.add(
            "bows",
            ball(0.06, 0.035, 0.012, 8).turn(z=20).at(x + 0.06, y),
            ball(0.06, 0.035, 0.012, 8).turn(z=20).at(x - 0.06, y),
            paint="plastic",
        )
