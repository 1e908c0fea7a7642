"""Balloons, rockets and saucers.

Each function fills the components of a Builder. The airship heads towards +x; the others stand.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.hulls import wing
from t2s_offline.render.builtin.shapes.outline import lift, rounded, smooth
from t2s_offline.render.builtin.shapes.parts import dome
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, disc, lathe, loft, prism, rod, torus
from t2s_offline.render.builtin.shapes.solid import join, row


@category("craft", yaw=10)
def rocket(b: Builder) -> None:
    h, r = b.u(1.1, 1.5), b.u(0.16, 0.24)
    bulge = b.u(1.0, 1.35)
    body = [(0, 0), *smooth([(0.7 * r, 0), (r, 0.15 * h), (bulge * r, 0.4 * h), (0.95 * r, 0.7 * h)], 10)]
    b.add("body", lathe([*body, (0, 0.7 * h)], 24), paint=b.pick("light", "metal", "plastic"))
    b.add(
        "nose",
        lathe(
            [(0, 0.69 * h), *smooth([(0.97 * r, 0.69 * h), (0.7 * r, 0.84 * h), (0.2 * r, 0.97 * h)], 7), (0, h)], 24
        ),
        paint="plastic",
    )
    n = b.i(3, 5)
    fin = prism(
        smooth(
            [(0.8 * r, 0.0), (0.9 * r, 0.32 * h), (r + 0.18, 0.12 * h), (r + 0.26, -0.16 * h), (r + 0.12, -0.06 * h)],
            20,
            closed=True,
        )[::-1],
        depth=0.035,
    )
    b.add("fins", fin.around(n, start=90 / n + 20), paint="plastic")
    b.add("nozzle", lathe([(0, -0.1), (0.55 * r, -0.12), (0.4 * r, 0), (0, 0.02)], 18), paint=b.pick("metal", "dark"))
    for y in spread(b.i(1, 3), 0.58 * h, 0.36 * h) if b.chance(0.8) else []:
        b.add(
            "windows",
            torus(0.07, 0.02, 18, 6).turn(x=90).at(0, y, bulge * r),
            ball(0.065, 0.065, 0.03, 12).at(0, y, bulge * r),
            paint="metal",
        )
    if b.chance(0.5):
        b.add(
            "flame",
            lathe(
                [(0, -0.11), *smooth([(0.35 * r, -0.12), (0.5 * r, -0.25), (0.25 * r, -0.42)], 6), (0, -0.55)][::-1], 14
            ),
            paint="food",
        )


@category("craft")
def hot_air_balloon(b: Builder) -> None:
    r, n, drop = b.u(0.48, 0.56), b.pick(8, 10, 12), b.u(0.95, 1.2)
    curve = smooth(
        [(0.16, -drop * r * 1.15), (0.62 * r, -0.72 * r), (r, 0.05 * r), (0.72 * r, 0.75 * r), (0.2 * r, 1.0 * r)], 15
    )
    count = 4 * n
    angle = 2 * np.pi * np.arange(count) / count
    lobes = 1 - 0.05 * np.abs(np.cos(n * angle / 2)) ** 6
    rings = np.stack(
        [np.stack([p * lobes * np.cos(angle), np.full(count, y), -p * lobes * np.sin(angle)], 1) for p, y in curve]
    )
    b.add("envelope", loft(rings), paint="plastic")
    k = b.i(4, 8)
    b.add(
        "band",
        loft(np.concatenate([rings[k : k + 3] * [1.012, 1, 1.012], rings[k : k + 3][::-1] * [0.97, 1, 0.97]])),
        paint="plastic",
    )
    low = -drop * r * 1.15 - b.u(0.24, 0.36)
    b.add(
        "basket",
        loft(
            np.stack(
                [
                    lift(rounded(s * 0.24, s * 0.24, 0.05, 4), 1, y) * [1, 1, -1]
                    for s, y in ((0.85, low - 0.17), (1.0, low))
                ]
            )
        ),
        torus(0.125, 0.02, 20, 6).at(y=low),
        paint="wood",
    )
    b.add(
        "ropes",
        rod((0.11, low, 0), (0.17, -drop * r * 1.12, 0), 0.008, count=5).around(b.pick(4, 6, 8), start=20),
        paint="dark",
    )


@category("craft", yaw=10)
def flying_saucer(b: Builder) -> None:
    r, h = b.u(0.6, 0.7), b.u(0.1, 0.16)
    b.add(
        "hull",
        lathe(
            [
                (0, -h),
                *smooth([(0.3 * r, -h), (0.8 * r, -0.4 * h), (r, 0), (0.8 * r, 0.4 * h), (0.4 * r, 0.9 * h)], 13),
                (0, 0.95 * h),
            ],
            36,
        ),
        paint=b.pick("metal", "plastic"),
    )
    b.add("dome", dome(0.4 * r, b.u(0.22, 0.34), 24).at(y=0.75 * h), paint=b.pick("light", "leaf", "plastic"))
    b.add("lamps", ball(0.045, count=10).at(0.86 * r, 0.24 * h).around(b.i(10, 16)), paint="food")
    b.add(
        "legs",
        join(
            rod((0.35 * r, -0.7 * h, 0), (0.62 * r, -h - 0.28, 0), 0.022, count=8),
            disc(0.07, 0.03, 14).at(0.63 * r, -h - 0.28),
        ).around(b.i(3, 4), start=30),
        paint="metal",
    )
    if b.chance(0.6):
        b.add(
            "aerial", rod((0, h, 0), (0, h + 0.5, 0), 0.012, count=6), ball(0.04, count=10).at(y=h + 0.5), paint="metal"
        )


@category("craft", yaw=-25)
def airship(b: Builder) -> None:
    long, r = b.u(1.4, 1.7), b.u(0.24, 0.32)
    t = np.linspace(-1, 1, 17)
    outline = np.stack([r * np.sqrt(np.clip(1 - np.abs(t) ** 2.2, 0, 1)) * (1 + 0.12 * t), long / 2 * t], 1)
    b.add("envelope", lathe(outline, 24).turn(z=-90), paint=b.pick("light", "metal", "plastic"))
    fin = wing(0.26, 0.18, 0.25, 0.12, 0.08)
    b.add("fins", *(fin.at(z=0.45 * r).turn(x=90 * k + 0).at(-0.4 * long) for k in range(4)), paint="plastic")
    b.add(
        "gondola",
        cushion(0.34 * long, 0.16, 0.17, 0.45).at(0.08 * long, -r - 0.06),
        paint=b.pick("dark", "metal", "plastic"),
    )
    b.add(
        "windows",
        *(box(0.05, 0.045, 0.178).at(x, -r - 0.05) for x in spread(5, -0.02 * long, 0.18 * long)),
        paint="light",
    )
    pod = ball(0.09, 0.05, 0.05, 12) + box(0.015, 0.2, 0.02).at(-0.1) + box(0.015, 0.02, 0.2).at(-0.1)
    b.add(
        "engines",
        row(pod, [(-0.1 * long, -0.9 * r, 0.24), (-0.1 * long, -0.9 * r, -0.24)]),
        rod((-0.1 * long, -0.9 * r, -0.24), (-0.1 * long, -0.9 * r, 0.24), 0.014, count=6),
        paint="metal",
    )
    if b.chance(0.4):
        b.add("stripe", lathe([(r * 1.02, -0.06), (r * 1.02, 0.06)], 24).turn(z=-90).at(0.02 * long), paint="plastic")
