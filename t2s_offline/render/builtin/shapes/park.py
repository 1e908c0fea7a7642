"""Things that stand in parks, fairs and village greens.

Each function fills the components of a Builder. The front looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import circle, lift
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, loft, rod, torus, tube, vessel


@category("street", yaw=8)
def ferris_wheel(b: Builder) -> None:
    n, r, gap = b.pick(8, 10, 12), b.u(0.62, 0.72), b.u(0.14, 0.2)
    start = b.u(0, 30)
    for z in (-gap / 2, gap / 2):
        b.add(
            "wheel",
            torus(r, 0.016, 36, 5).turn(x=90).at(z=z),
            torus(0.55 * r, 0.011, 24, 4).turn(x=90).at(z=z),
            rod((0, 0, 0), (0, r, 0), 0.01, count=4).around(n, axis=2, start=start).at(z=z),
            paint=b.pick("metal", "plastic"),
        )
        b.add(
            "frame",
            rod((0, 0, 1.5 * z), (0.42, -r - 0.22, 2.2 * z), 0.025, count=6).twin(),
            paint=b.pick("metal", "plastic", "dark"),
        )
    b.add("frame", rod((0, 0, -gap), (0, 0, gap), 0.045, count=10), box(1.1, 0.05, 0.5).at(y=-r - 0.22))
    for k in range(n):
        a = np.radians(start + 90 + 360 * k / n)
        x, y = r * np.cos(a), r * np.sin(a)
        b.add(
            ("cabins", "other_cabins")[k % 2],
            lathe([(0, -0.15), (0.07, -0.14), (0.085, -0.06), (0, -0.06)], 8).at(x, y),
            lathe([(0.09, 0.01), (0.03, 0.06), (0, 0.06)], 8).at(x, y),
            rod((0.07, -0.07, 0), (0.07, 0.02, 0), 0.008, count=4).around(4).at(x, y),
            paint="plastic",
        )


@category("street", yaw=20)
def playground_slide(b: Builder) -> None:
    h, long, w = b.u(0.8, 1.0), b.u(1.1, 1.4), b.u(0.3, 0.36)
    x = np.linspace(0, 1, 16)
    bumps = b.u(0.0, 0.07) if b.chance(0.5) else 0.0
    path = np.stack([long * x, h * (1 - x) ** 1.25 + 0.06 + bumps * np.sin(4 * np.pi * x) * (1 - x), 0 * x], 1)
    strip = np.array([[-1, -0.07], [1, -0.07], [1, 0.07], [-1, 0.07]])
    wall = tube(path + np.array([0, 0.1, w / 2]), 0.08, section=strip[:, ::-1] * [2, 1])
    b.add(
        "slide",
        tube(path - [0, -0.04, 0], w / 2, section=strip),
        wall.twin(2),
        paint=b.pick("plastic", "metal"),
    )
    b.add("deck", box(0.32, 0.04, w).at(-0.16, h + 0.02), paint=b.pick("wood", "plastic"))
    b.add(
        "ladder",
        rod((-0.32, h + 0.32, w / 2), (-0.6, 0, w / 2), 0.022, count=8).twin(2),
        *(
            rod(
                (-0.32 - 0.28 * (1 - t), (h + 0.02) * t, -w / 2),
                (-0.32 - 0.28 * (1 - t), (h + 0.02) * t, w / 2),
                0.018,
                count=6,
            )
            for t in spread(b.i(4, 6), 0.12, 0.95)
        ),
        paint="metal",
    )
    b.add(
        "posts",
        rod((0, h + 0.02, w / 2), (0.03, 0, w / 2), 0.024, count=8).twin(2),
        rod((-0.32, h + 0.02, w / 2), (-0.32, 0, w / 2), 0.024, count=8).twin(2),
        tube([(-0.32, h + 0.32, w / 2), (-0.1, h + 0.34, w / 2), (0.06, h + 0.04, w / 2)], 0.018, 6).twin(2),
        paint="metal",
    )
    if b.chance(0.35):
        b.add(
            "roof",
            loft(np.stack([lift(circle(s, 4), 1, y) * [1, 1, -1] for s, y in ((0.36, h + 0.62), (0.01, h + 0.9))]))
            .turn(y=45)
            .at(-0.16),
            rod((-0.3, h, w / 2), (-0.3, h + 0.64, w / 2), 0.02, count=6).twin(2),
            rod((-0.02, h, w / 2), (-0.02, h + 0.64, w / 2), 0.02, count=6).twin(2),
            paint="plastic",
        )


@category("street", yaw=25)
def swing(b: Builder) -> None:
    h, w, d = b.u(1.0, 1.2), b.u(1.0, 1.4), b.u(0.35, 0.45)
    b.add(
        "frame",
        rod((-w / 2, h, 0), (w / 2, h, 0), 0.035),
        rod((w / 2 - 0.04, h, 0), (w / 2 + 0.05, 0, d), 0.03, count=8).four(),
        rod((w / 2 + 0.01, 0.45 * h, -0.25), (w / 2 + 0.01, 0.45 * h, 0.25), 0.02, count=6).twin(),
        paint=b.pick("metal", "wood", "plastic"),
    )
    for x in spread(b.i(1, 2), -0.25 * w, 0.25 * w):
        angle = b.u(-28, 28)
        long = 0.68 * h
        seat = box(0.3, 0.03, 0.14).at(0, -long)
        b.add(
            "ropes",
            rod((-0.13, 0, 0), (-0.13, -long, 0), 0.011, count=5).twin().turn(x=angle).at(x, h),
            paint=b.pick("metal", "light"),
        )
        b.add("seats", seat.turn(x=angle).at(x, h), paint=b.pick("wood", "plastic"))


@category("street")
def fountain(b: Builder) -> None:
    tiers, y, r = b.i(2, 3), 0.0, b.u(0.6, 0.7)
    b.add(
        "basin",
        lathe(
            [
                (0, 0),
                (r, 0),
                (1.05 * r, 0.05),
                (1.02 * r, 0.2),
                (1.08 * r, 0.24),
                (0.95 * r, 0.24),
                (0.92 * r, 0.08),
                (0, 0.08),
            ],
            b.pick(8, 32),
        ),
        paint="stone",
    )
    b.add("water", disc(0.93 * r, 0.02, 28).at(y=0.17), paint=b.pick("light", "metal"))
    for k in range(1, tiers):
        size, y = r * (0.62 - 0.26 * (k - 1)), y + b.u(0.38, 0.46)
        b.add(
            "basin",
            lathe([(0, y - 0.45), (0.12, y - 0.42), (0.06, y - 0.3), (0.06, y - 0.05), (0, y)], 14),
            vessel([(0.07, y - 0.06), (0.7 * size, y), (size, y + 0.1)], 0.03, 28, 6).at(y=0.02),
        )
        b.add("water", disc(0.93 * size, 0.02, 24).at(y=y + 0.1))
    b.add("basin", lathe([(0.05, y), (0.04, y + 0.2), (0.09, y + 0.26), (0, y + 0.36)], 14))
    n = b.i(5, 8)
    t = np.linspace(0, 1, 10)
    jet = np.stack([0.42 * r * t + 0.02, y + 0.3 + 0.5 * t - 1.05 * t**2, 0 * t], 1)
    b.add(
        "jets",
        tube(jet, np.linspace(0.024, 0.012, 10), 6).around(n),
        ball(0.05, count=10).at(y=y + 0.38),
        paint="light",
    )


@category("buildings", yaw=15)
def well(b: Builder) -> None:
    r, h, n = b.u(0.38, 0.46), b.u(0.34, 0.44), b.i(9, 12)
    for k in range(3):
        brick = box(2 * np.pi * r / n * 0.92, h / 3 * 0.92, 0.13, 0.02).at(0, h / 3 * (k + 0.5), r)
        b.add("stones", brick.around(n, start=180 / n * (k % 2)), paint="stone")
    b.add("water", disc(r * 0.96, 0.03, 20).at(y=0.6 * h), paint="dark")
    top = b.u(0.95, 1.15)
    b.add(
        "posts",
        box(0.07, top, 0.07).at(r + 0.02, top / 2).twin(),
        rod((-r - 0.1, 0.72 * top, 0), (r + 0.16, 0.72 * top, 0), 0.04),
        paint="wood",
    )
    slope = b.u(0.45, 0.55)
    b.add(
        "roof",
        box(2 * r + 0.36, 0.035, slope).at(z=slope / 2).turn(x=38).at(0, top + 0.14).twin(2),
        paint=b.pick("wood", "food", "dark"),
    )
    b.add(
        "rope",
        rod((0, 0.72 * top, 0.04), (0, 0.5 * top, 0.04), 0.012, count=6),
        lathe([(0.055, -0.04), (0.055, 0.16)], 14).turn(z=90).at(0.05, 0.72 * top),
        paint="light",
    )
    b.add(
        "bucket",
        lathe([(0, 0), (0.08, 0), (0.1, 0.16), (0.085, 0.16), (0, 0.06)], 14).at(0, 0.5 * top - 0.17, 0.04),
        paint="wood",
    )
    b.add(
        "posts",
        box(0.03, 0.16, 0.03).at(r + 0.15, 0.72 * top - 0.06),
        rod((r + 0.15, 0.72 * top - 0.13, 0), (r + 0.28, 0.72 * top - 0.13, 0), 0.018, count=6),
    )
