"""Signs and simple pieces that everybody knows.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import arc, circle, gear_outline, helix, lift, star
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import box, cushion, disc, loft, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import Array, join


def pillow(outline: Array, depth: float) -> tuple[Array, ...]:
    """Rings of a puffed-up outline, for a loft."""
    centre = outline.mean(0)
    shrink = np.sin(np.linspace(0.25, np.pi - 0.25, 9)) ** 0.6
    heights = -np.cos(np.linspace(0.25, np.pi - 0.25, 9)) * depth / 2
    return tuple(lift(centre + (outline - centre) * s, 2, z) for s, z in zip(shrink, heights, strict=True))


@category("emblems", yaw=25, tilt=5)
def gear(b: Builder) -> None:
    n, r, d = b.i(8, 18), 0.5, b.u(0.12, 0.28)
    outline = gear_outline(n, r, b.u(0.78, 0.86) * r, b.u(0.5, 0.62))
    hole = b.u(0.08, 0.13)
    spokes = b.pick(0, 4, 5, 6)
    windows = []
    for k in range(spokes):
        a0, a1 = 360 / spokes * (k + 0.14), 360 / spokes * (k + 0.86)
        windows.append(np.concatenate([arc(0.62 * r, a0, a1, 8), arc(0.36 * r, a1 - 4, a0 + 4, 8)]))
    b.add("wheel", prism(outline, circle(hole, 20), *windows, depth=d), paint=b.pick("metal", "plastic", "wood"))
    b.add("hub", prism(circle(0.3 * r, 24), circle(hole, 20), depth=1.5 * d), paint=b.pick("metal", "dark"))
    if b.chance(0.4):
        b.add("axle", rod((0, 0, -1.6 * d), (0, 0, 1.6 * d), 0.97 * hole, count=14), paint="metal")


@category("emblems", yaw=18)
def heart(b: Builder) -> None:
    t = 2 * np.pi * np.arange(48) / 48
    wide = b.u(0.9, 1.15)
    outline = (
        np.stack(
            [wide * 16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)], 1
        )[::-1]
        / 32
    )
    b.add("heart", loft(np.stack(pillow(outline, b.u(0.3, 0.5)))), paint=b.pick("plastic", "food", "metal"))
    if b.chance(0.35):
        b.add(
            "arrow",
            rod((-0.75, -0.3, -0.3), (0.75, 0.3, 0.3), 0.02, count=8),
            rod((0.7, 0.28, 0.28), (0.88, 0.352, 0.352), 0.07, 0.005, 8),
            *(
                box(0.16, 0.012, 0.14).turn(z=22, y=-20).at(-0.72 - 0.05 * k, -0.29 - 0.02 * k, -0.29 - 0.02 * k)
                for k in range(3)
            ),
            paint=b.pick("metal", "wood"),
        )
    elif b.chance(0.4):
        b.add("ring", torus(0.09, 0.02, 20, 8).turn(x=90).at(y=0.46), paint="metal")


@category("emblems", yaw=20)
def star_shape(b: Builder) -> None:
    n, inner, d = b.pick(5, 5, 5, 6, 8), b.u(0.4, 0.55), b.u(0.12, 0.26)
    flat = star(n, 0.5, 0.5 * inner if n < 8 else 0.36)
    if b.chance(0.5):
        b.add(
            "star",
            loft(np.stack([lift(flat * s, 2, z) for s, z in ((0.02, -d / 2), (1.0, 0.0), (0.02, d / 2))])),
            paint=b.pick("metal", "plastic"),
        )
    else:
        b.add(
            "star",
            loft(
                np.stack(
                    [lift(flat * s, 2, z) for s, z in ((0.9, -d / 2), (1.0, -0.3 * d), (1.0, 0.3 * d), (0.9, d / 2))]
                )
            ),
            paint=b.pick("metal", "plastic", "wood"),
        )
        b.add("face", prism(star(n, 0.36, 0.36 * inner), depth=0.04).at(z=d / 2), paint=b.pick("metal", "plastic"))
    if b.chance(0.4):
        b.add("ring", torus(0.07, 0.018, 18, 6).turn(x=90).at(y=0.54), paint="metal")
    if b.chance(0.3):
        b.add("stick", rod((0, -0.2, -0.05), (0, -1.0, -0.05), 0.03), paint="wood")


@category("emblems", yaw=15, lean=-20)
def coil_spring(b: Builder) -> None:
    r, h, turns, thick = b.u(0.2, 0.3), b.u(0.7, 1.0), b.u(4.5, 8.5), b.u(0.026, 0.045)
    taper = b.u(0.7, 1.0)
    line = helix(r, h, turns, int(16 * turns))
    line[:, [0, 2]] *= np.linspace(1, taper, len(line))[:, None]
    b.add("coil", tube(line, thick, 8, ends=True), paint=b.pick("metal", "plastic"))
    if b.chance(0.5):
        b.add(
            "plates",
            disc(1.25 * r, 0.05, 28, 0.01).at(y=-0.04),
            disc(1.25 * r * taper, 0.05, 28, 0.01).at(y=h + 0.04),
            paint=b.pick("metal", "dark", "wood"),
        )


@category("emblems", yaw=12, lean=-30)
def chain(b: Builder) -> None:
    n, r, t = b.i(4, 6), b.u(0.1, 0.13), b.u(0.028, 0.042)
    oval = np.concatenate([arc(r, -90, 90, 10, 0.12), arc(r, 90, 270, 10, -0.12)])
    link = tube(lift(oval, 2), t, 8, closed=True).turn(z=90)
    step = 2 * (r + 0.12) - 2.1 * t
    sag = b.u(0.0, 0.14)
    for k in range(n):
        y = (k - (n - 1) / 2) * step
        b.add(
            ("links", "other_links")[k % 2],
            link.turn(y=90.0 * (k % 2) + b.u(-12, 12)).at(sag * (2 * k / (n - 1) - 1) ** 2, y),
            paint="metal",
        )
    if b.chance(0.3):
        low = -(n / 2) * step - 0.1
        b.add(
            "hook",
            tube(
                lift(np.concatenate([[(0, 0.18)], arc(0.13, 90, -150, 14, 0, 0)]), 2),
                np.linspace(0.04, 0.02, 15),
                8,
                ends=True,
            ).at(0, low),
            paint="metal",
        )


@category("emblems", yaw=15)
def horseshoe(b: Builder) -> None:
    w, flat, thick = b.u(0.42, 0.48), b.u(1.1, 1.3), b.u(0.08, 0.12)
    gap = b.u(24, 38)
    line = arc(w, 270 + gap, 270 - gap + 360, 40, 0, 0, flat)
    t = np.linspace(-1, 1, 40)
    band = np.array([[-1, -0.45], [1, -0.45], [1, 0.45], [-1, 0.45]])
    b.add(
        "shoe",
        tube(lift(line, 2), thick * (1.1 - 0.3 * np.abs(t)), section=band * [1.0, 0.8], up=(0, 0, 1)),
        paint="metal",
    )
    for k in np.linspace(5, 34, b.pick(6, 8)).astype(int):
        b.add("nails", box(0.045, 0.045, 0.13).at(line[k, 0], line[k, 1]), paint=b.pick("dark", "metal"))
    if b.chance(0.35):
        b.add(
            "ribbon",
            handle(
                [
                    (0, w * flat, 0),
                    (0.06, w * flat + 0.2, 0),
                    (0, w * flat + 0.3, 0),
                    (-0.06, w * flat + 0.2, 0),
                    (0, w * flat, 0),
                ],
                0.02,
                20,
            ),
            paint="fabric",
        )
    b.add("calks", join(*(cushion(0.13, 0.1, 0.16, 0.6).at(*line[k]) for k in (0, -1))), paint="metal")
