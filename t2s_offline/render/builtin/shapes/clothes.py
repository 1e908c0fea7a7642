"""Hats and shirts.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import circle, lift, mirrored, smooth, star
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import box, lathe, prism, tube


@category("wear", yaw=15)
def top_hat(b: Builder) -> None:
    r, h = b.u(0.3, 0.36), b.u(0.35, 0.6)
    flare = b.u(0.95, 1.15)
    b.add(
        "crown",
        lathe([(0, 0), (r, 0), (0.93 * r, 0.5 * h), (flare * r, h), (0.9 * flare * r, h + 0.01), (0, h + 0.01)], 32),
        paint=b.pick("dark", "fabric"),
    )
    b.add(
        "brim",
        lathe([(0, -0.01), (r, -0.02), (1.7 * r, 0.02), (1.72 * r, 0.04), (r, 0.02), (0, 0.02)], 32).warp(
            lambda v: v + np.stack([0 * v[:, 0], 0.5 * v[:, 0] ** 2, 0 * v[:, 0]], 1)
        ),
        paint=b.pick("dark", "fabric"),
    )
    b.add(
        "band",
        lathe([(1.0 * r, 0.02), (1.0 * r, 0.09), (0.98 * r, 0.12)], 32).scale(1.01, 1, 1.01),
        paint=b.pick("fabric", "plastic"),
    )
    if b.chance(0.4):
        b.add(
            "feather",
            tube(
                smooth([(r, 0.06, 0.1), (r + 0.06, 0.3, 0.1), (r - 0.02, b.u(0.5, 0.7), 0.05)], 8),
                [0.01, 0.03, 0.045, 0.05, 0.05, 0.04, 0.03, 0.01],
                6,
                flat=0.15,
                up=(0, 0, 1),
            ),
            paint="plastic",
        )


@category("wear", yaw=20)
def cowboy_hat(b: Builder) -> None:
    r, h = b.u(0.3, 0.36), b.u(0.28, 0.38)
    curl = b.u(0.7, 1.3)
    brim = lathe(
        [(0, -0.01), (r, -0.02), (2.0 * r, -0.01), (2.05 * r, 0.01), (2.0 * r, 0.025), (r, 0.02), (0, 0.02)], 40
    ).scale(1, 1, 1.15)
    b.add(
        "brim",
        brim.warp(
            lambda v: (
                v
                + np.stack(
                    [
                        -0.25 * v[:, 0] * np.abs(v[:, 0]),
                        curl * np.abs(v[:, 0]) ** 2.2 - 0.25 * v[:, 2] ** 2,
                        0 * v[:, 0],
                    ],
                    1,
                )
            )
        ),
        paint=b.pick("wood", "dark", "fabric"),
    )
    crown = lathe(
        [
            (0, 0),
            *smooth([(r, 0), (0.95 * r, 0.5 * h), (0.8 * r, 0.95 * h), (0.6 * r, h)], 10),
            (0.3 * r, 0.98 * h),
            (0, 0.97 * h),
        ],
        32,
    ).scale(1, 1, 1.15)
    b.add(
        "crown",
        crown.warp(
            lambda v: (
                v
                - np.stack(
                    [
                        0 * v[:, 0],
                        0.3 * np.clip(v[:, 1] / h - 0.5, 0, 1) * np.exp(-((v[:, 0] / 0.11) ** 2)) * h * 1.6,
                        0 * v[:, 0],
                    ],
                    1,
                )
            )
        ),
        paint=b.pick("wood", "dark", "fabric"),
    )
    b.add(
        "band",
        lathe([(1.01 * r, 0.015), (1.0 * r, 0.09)], 32).scale(1, 1, 1.15),
        paint=b.pick("dark", "metal", "plastic"),
    )
    if b.chance(0.4):
        b.add("badge", prism(star(b.pick(5, 6), 0.09, 0.045), depth=0.03).at(0, 0.16, 1.15 * r), paint="metal")
    if b.chance(0.4):
        b.add(
            "cord",
            handle(
                [(0.9 * r, 0, 0), (0.5 * r, -0.3, 0.1), (0, -0.42, 0.12), (-0.5 * r, -0.3, 0.1), (-0.9 * r, 0, 0)],
                0.014,
                16,
            ),
            paint=b.pick("dark", "fabric"),
        )


@category("wear", yaw=20)
def t_shirt(b: Builder) -> None:
    w, h, s = b.u(0.36, 0.42), b.u(0.75, 0.95), b.u(0.2, 0.42)
    half = [
        (0, -h / 2),
        (w, -h / 2),
        (0.95 * w, 0.1 * h),
        (w, 0.24 * h),
        (w + 0.6 * s, 0.24 * h - 0.9 * s),
        (w + 0.6 * s + 0.2, 0.34 * h - 0.6 * s),
        (w + 0.08, 0.46 * h),
        (0.42 * w, h / 2),
        (0.34 * w, 0.43 * h),
        (0, b.u(0.3, 0.4) * h),
    ]
    outline = mirrored(half)
    b.add("cloth", prism(outline, depth=0.09), prism(outline * 0.96, depth=0.15), paint="fabric")
    neck = np.array([(-0.38 * w, h / 2), (-0.34 * w, 0.43 * h), (0, 0.33 * h), (0.34 * w, 0.43 * h), (0.38 * w, h / 2)])
    b.add("collar", tube(lift(smooth(neck, 12), 2), 0.03, 8, ends=True).at(z=0.06).twin(2), paint="fabric")
    if b.chance(0.6):
        print_ = star(5, 0.16, 0.07) if b.chance(0.4) else circle(0.15, 24)
        b.add("print", prism(print_, depth=0.02).at(0, 0.02, 0.08), paint="plastic")
    else:
        for y in spread(b.i(2, 4), -0.36 * h, 0.08 * h):
            b.add("stripes", box(1.86 * w, 0.06, 0.165).at(y=y), paint="plastic")
