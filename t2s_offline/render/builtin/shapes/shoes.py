"""Shoes.

Each function fills the components of a Builder. They point to +x.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import circle, lift, smooth
from t2s_offline.render.builtin.shapes.primitives import ball, box, loft, rod, torus


@category("wear", yaw=-35)
def boot(b: Builder) -> None:
    h, r, long = b.u(0.45, 0.85), b.u(0.15, 0.18), b.u(0.42, 0.5)
    lean = 0.03
    stations = [
        (-0.17, 0.0, 0.14, 0.3),
        (-0.16, 0.0, 0.16, 0.32),
        (0.0, 0.0, 0.15, 0.32),
        (0.15, 0.0, 0.145, 0.28),
        (0.28, 0.0, 0.14, 0.2),
        (long - 0.06, 0.0, 0.115, 0.16),
        (long, 0.01, 0.06, 0.1),
    ]
    shape = circle(1.0, 20)
    shape = np.sign(shape) * np.abs(shape) ** 0.75
    rings = np.stack(
        [
            np.stack([np.full(20, x), y0 + top / 2 + top / 2 * shape[:, 1], z * shape[:, 0]], 1)
            for x, y0, z, top in stations
        ]
    )
    b.add("shaft", loft(rings).at(y=0.06), paint=b.pick("dark", "wood", "plastic"))
    leg = [
        np.stack([-0.01 + lean * t + r * s * np.cos(a), np.full(24, 0.26 + h * t), r * 0.95 * s * np.sin(a)], 1)
        for (t, s), a in (
            ((t, s), -2 * np.pi * np.arange(24) / 24)
            for t, s in ((0.0, 0.98), (0.3, 0.92), (1.0, 1.15), (1.0, 1.05), (0.5, 0.85))
        )
    ]
    b.add("shaft", loft(np.stack(leg)))
    sole = loft(
        np.stack(
            [
                lift(
                    smooth(
                        [
                            (-0.18, 0),
                            (-0.12, 0.13),
                            (0.1, 0.12),
                            (0.3, 0.15),
                            (long, 0.06),
                            (long, -0.06),
                            (0.3, -0.15),
                            (0.1, -0.12),
                            (-0.12, -0.13),
                        ],
                        26,
                        closed=True,
                    ),
                    1,
                    y,
                )
                * [1, 1, -1]
                for y in (0.02, 0.075)
            ]
        )
    )
    b.add("sole", sole, box(0.2, b.u(0.08, 0.14), 0.24, 0.02).at(-0.08, 0.0), paint="dark")
    if b.chance(0.5):
        b.add(
            "laces",
            *(
                rod((0.16 - 0.03 * k, 0.34 + 0.08 * k, -0.07), (0.16 - 0.03 * k, 0.34 + 0.08 * k, 0.07), 0.014, count=6)
                for k in range(b.i(3, 5))
            ),
            paint="light",
        )
    else:
        b.add(
            "laces",
            torus(r * 1.1, 0.03, 24, 8).at(lean, 0.26 + h),
            torus(0.98 * r, 0.02, 24, 6).at(0, 0.34),
            paint=b.pick("fur", "light", "metal"),
        )


@category("wear", yaw=-35)
def high_heel(b: Builder) -> None:
    lift_, long = b.u(0.3, 0.45), 0.9
    x = np.linspace(-0.4, 0.5, 16)
    rise = lift_ / (1 + np.exp((x - 0.02) * 11))
    half = 0.125 * np.interp(x, [-0.4, -0.3, 0.0, 0.3, 0.45, 0.5], [0.5, 0.85, 0.6, 1.0, 0.6, 0.12])
    wall = np.interp(x, [-0.4, -0.25, -0.05, 0.1, 0.2, 0.4, 0.5], [0.24, 0.2, 0.07, 0.04, 0.1, 0.1, 0.03])
    profile = np.array(
        [
            (-1.0, 0.0),
            (-1.05, 0.5),
            (-0.95, 1.0),
            (-0.8, 0.95),
            (-0.82, 0.2),
            (0.82, 0.2),
            (0.8, 0.95),
            (0.95, 1.0),
            (1.05, 0.5),
            (1.0, 0.0),
        ]
    )[::-1]
    # the shoe is open at the top but closed at both ends, where the inside is filled
    filled = np.where(np.abs(profile[:, :1]) < 0.9, profile * [1.0, 0.0] + [0.0, 0.95], profile)
    rings = [
        np.stack([np.full(10, a), y + w * shape[:, 1], z * shape[:, 0]], 1)
        for k, (a, y, z, w) in enumerate(zip(x * long, rise, half, wall, strict=True))
        for shape in (
            (filled, profile) if k == 1 else (profile, filled) if k == 14 else (filled,) if k in (0, 15) else (profile,)
        )
    ]
    b.add(
        "upper",
        loft(np.stack(rings)),
        ball(0.19, 0.09, 0.115, 14).at(0.33, 0.055),
        paint=b.pick("plastic", "dark", "fabric"),
    )
    b.add(
        "sole",
        loft(
            np.stack(
                [
                    np.stack([np.full(4, a), y + 0.02 * np.array([-1, -1, 0.4, 0.4]), z * np.array([-1, 1, 1, -1])], 1)
                    for a, y, z in zip(x * long, rise, half, strict=True)
                ]
            )
        ),
        paint=b.pick("wood", "plastic", "dark"),
    )
    b.add(
        "heel",
        rod((-0.31, lift_ * 0.98, 0), (-0.34, -0.02, 0), 0.075, b.u(0.016, 0.05), 12),
        paint=b.pick("dark", "plastic", "metal"),
    )
    if b.chance(0.5):
        strap = torus(0.11, 0.014, 24, 6).scale(1.1, 1, 0.95).turn(z=-20).at(-0.24, lift_ + 0.26)
        b.add("strap", strap, ball(0.025, count=8).at(-0.2, lift_ + 0.24, 0.11), paint=b.pick("metal", "plastic"))
    if b.chance(0.4):
        b.add(
            "bow",
            ball(0.06, 0.035, 0.03, 8).at(0.25, 0.16, 0.05).twin(2),
            ball(0.025, count=8).at(0.26, 0.16),
            paint="plastic",
        )
