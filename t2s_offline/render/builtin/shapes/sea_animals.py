"""Animals of the sea.

Each function fills the components of a Builder. They face +x with their plane of symmetry at z = 0; the octopus faces
+z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, smooth
from t2s_offline.render.builtin.shapes.parts import eyes, handle
from t2s_offline.render.builtin.shapes.primitives import ball, lathe, loft, prism, rod
from t2s_offline.render.builtin.shapes.solid import Array, Solid, join


def plate(points: Array, thick: float = 0.02) -> Solid:
    """A thin fin or wing: a smooth closed outline in the xy plane."""
    return prism(smooth(points, 22, closed=True), depth=thick)


@category("creatures", yaw=-25)
def fish(b: Builder) -> None:
    long, h, w = 1.0, b.u(0.22, 0.4), b.u(0.09, 0.13)
    t = np.linspace(0, 1, 13)
    top = h * np.sin(np.pi * (0.06 + 0.9 * t) ** b.u(0.7, 1.0)) + 0.03
    ring = arc(1.0, 0, 338, 16)
    body = loft(
        np.stack(
            [
                np.stack([np.full(16, long / 2 - 0.85 * long * s), y * ring[:, 1], w * np.sqrt(y / h) * ring[:, 0]], 1)
                for s, y in zip(t, top, strict=True)
            ]
        )
    )
    b.add("body", body, paint=b.pick("plastic", "skin", "metal"))
    x = long / 2 - 0.85 * long
    fork = b.u(0.0, 0.14)
    b.add(
        "fins",
        plate(
            np.array(
                [
                    (x + 0.05, 0.03),
                    (x - 0.12, 0.2),
                    (x - 0.3, b.u(0.24, 0.34)),
                    (x - 0.22 + fork, 0),
                    (x - 0.3, -0.3),
                    (x - 0.12, -0.2),
                    (x + 0.05, -0.03),
                ]
            )[::-1]
        ),
        paint=b.pick("plastic", "food", "skin"),
    )
    b.add(
        "fins",
        plate(np.array([(0.2, h * 0.85), (0.0, h + b.u(0.12, 0.25)), (-0.25, h + 0.08), (-0.22, h * 0.55)])[::1]),
        plate(np.array([(0.0, -0.9 * h), (-0.1, -h - 0.14), (-0.25, -h - 0.05), (-0.2, -0.5 * h)])),
    )
    b.add(
        "fins",
        plate(np.array([(0.03, 0.02), (-0.2, 0.08), (-0.22, -0.08), (0, -0.05)])).turn(y=-25).at(0.14, -0.1, w).twin(2),
    )
    for s in spread(b.i(2, 4), -0.1, 0.25) if b.chance(0.5) else []:
        k = int(np.argmin(np.abs(long / 2 - 0.85 * long * t - s)))
        b.add(
            "stripes",
            loft(
                np.stack(
                    [
                        np.stack(
                            [
                                np.full(16, s + d),
                                1.03 * top[k] * ring[:, 1],
                                1.04 * w * np.sqrt(top[k] / h) * ring[:, 0],
                            ],
                            1,
                        )
                        for d in (0.03, -0.03)
                    ]
                )
            ),
            paint="light",
        )
    b.add("eyes", eyes(0.36, 0.06, 0.72 * w, 0.035), paint="dark")


@category("creatures", yaw=-28)
def shark(b: Builder) -> None:
    long, r = 1.4, b.u(0.15, 0.19)
    prof = [
        (0, -0.62 * long),
        *smooth(
            [
                (0.035, -0.6 * long),
                (0.5 * r, -0.35 * long),
                (r, 0.05 * long),
                (0.8 * r, 0.28 * long),
                (0.3 * r, 0.42 * long),
            ],
            12,
        ),
        (0, 0.45 * long),
    ]
    b.add("body", lathe(prof, 18).turn(z=-90), paint=b.pick("metal", "stone", "skin"))
    b.add(
        "fins",
        plate(np.array([(0.12, 0.7 * r), (-0.05, r + b.u(0.2, 0.28)), (-0.16, r + 0.24), (-0.12, 0.7 * r)]), 0.03),
        paint=b.pick("metal", "stone", "skin"),
    )
    x = -0.6 * long
    b.add(
        "fins",
        plate(
            np.array(
                [
                    (x + 0.1, 0.03),
                    (x - 0.1, 0.2),
                    (x - 0.26, b.u(0.36, 0.44)),
                    (x - 0.1, 0.06),
                    (x - 0.16, -0.2),
                    (x - 0.02, -0.06),
                ]
            )[::-1],
            0.03,
        ),
    )
    pectoral = plate(np.array([(0.1, 0.0), (-0.02, -0.3), (-0.14, -0.4), (-0.08, 0.0)]), 0.03)
    b.add("fins", pectoral.turn(x=-55).at(0.14 * long, -0.4 * r, 0.7 * r).twin(2))
    b.add("belly", ball(0.4 * long, 0.5 * r, 0.75 * r, 16).at(0.06 * long, -0.52 * r), paint="light")
    b.add(
        "eyes",
        eyes(0.33 * long, 0.03, 0.62 * r, 0.022),
        *(
            ball(0.008, 0.06, 0.012, 6).turn(z=12).at(0.17 * long + 0.035 * k, 0.0, 0.93 * r).twin(2)
            for k in range(b.i(2, 4))
        ),
        paint="dark",
    )
    if b.chance(0.5):
        b.add(
            "fins",
            plate(np.array([(0.06, 0.5 * r), (-0.04, 0.8 * r), (-0.1, 0.8 * r), (-0.06, 0.4 * r)]), 0.025).at(
                -0.36 * long
            ),
        )
    if b.chance(0.4):
        b.add(
            "teeth",
            *(
                rod(
                    (0.36 * long + 0.012 * k, -0.035, 0.02 * k),
                    (0.36 * long + 0.012 * k, -0.07, 0.02 * k),
                    0.01,
                    0.001,
                    5,
                ).twin(2)
                for k in range(1, 4)
            ),
            paint="light",
        )


@category("creatures", yaw=-25)
def whale(b: Builder) -> None:
    blob = (
        Blob(0.04)
        .ball((0.15, 0, 0), (0.5, b.u(0.27, 0.34), 0.3))
        .limb([(0, 0.02, 0), (-0.45, 0.05, 0), (-0.72, 0.2, 0)], [0.26, 0.15, 0.06])
    )
    b.add("body", blob.solid(32), paint=b.pick("metal", "dark", "plastic"))
    fluke = plate(
        np.array(
            [
                (0.12, 0.0),
                (0.02, 0.2),
                (-0.1, 0.36),
                (-0.14, 0.12),
                (-0.06, 0.0),
                (-0.14, -0.12),
                (-0.1, -0.36),
                (0.02, -0.2),
            ]
        ),
        0.035,
    )
    b.add(
        "fins",
        fluke.turn(x=90).turn(z=-35).at(-0.8, 0.26),
        plate(np.array([(0.08, 0), (-0.04, -0.24), (-0.16, -0.3), (-0.1, 0)]), 0.04)
        .turn(x=-60)
        .at(0.2, -0.14, 0.26)
        .twin(2),
        paint=b.pick("metal", "dark", "plastic"),
    )
    b.add("belly", ball(0.46, 0.2, 0.25, 16).at(0.18, -0.13), paint="light")
    if b.chance(0.7):
        spout = join(
            *(
                handle(
                    [
                        (0.22, 0.3, 0),
                        (0.22, 0.5, 0),
                        (0.22 + 0.14 * np.cos(a), 0.6, 0.14 * np.sin(a)),
                        (0.22 + 0.24 * np.cos(a), 0.5, 0.24 * np.sin(a)),
                    ],
                    0.02,
                    9,
                )
                for a in 2 * np.pi * np.arange(b.i(4, 6)) / 5
            )
        )
        b.add("spout", spout, paint="light")
    b.add("eyes", eyes(0.5, 0.0, 0.235, 0.025), paint="dark")


@category("creatures", yaw=12)
def octopus(b: Builder) -> None:
    r, n = b.u(0.24, 0.3), 8
    blob = Blob(0.03).ball((0, 0.62, 0), (r, b.u(0.28, 0.36), r)).ball((0, 0.34, 0), (0.2, 0.14, 0.2))
    reach = b.u(0.55, 0.72)
    for k in range(n):
        a = 2 * np.pi * (k + 0.5) / n
        bend, up = b.u(-0.5, 0.5), b.u(0.05, 0.3)
        points = []
        for s, y in ((0.12, 0.3), (0.3, 0.16), (0.6, 0.05), (0.85, 0.08), (1.0, up)):
            points.append((reach * s * np.cos(a + bend * s), y, reach * s * np.sin(a + bend * s)))
        blob.limb(smooth(points, 8), np.linspace(0.062, 0.02, 8))
    b.add("body", blob.solid(38), paint=b.pick("food", "skin", "plastic"))
    b.add("eyes", ball(0.07, count=12).at(0.11, 0.48, 0.18).twin(), paint="light")
    b.add("pupils", ball(0.04, count=10).at(0.12, 0.48, 0.235).twin(), paint="dark")
