"""Things that float and dive.

Each function fills the components of a Builder. They head towards +x and are turned to show side and front.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.hulls import boat, sail, wing
from t2s_offline.render.builtin.shapes.outline import lift, smooth
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, disc, lathe, loft, prism, rod, torus
from t2s_offline.render.builtin.shapes.solid import join


@category("craft", yaw=-25)
def sailboat(b: Builder) -> None:
    long, w = b.u(1.0, 1.3), b.u(0.32, 0.42)
    b.add(
        "hull",
        boat(long, w, b.u(0.16, 0.22), 0.07, b.u(0.4, 0.75), hollow=False),
        paint=b.pick("light", "plastic", "wood"),
    )
    b.add("deck", cushion(0.36 * long, 0.14, 0.6 * w, 0.5).at(-0.02 * long, 0.03), paint=b.pick("wood", "light"))
    h, x = b.u(1.1, 1.5), b.u(0.02, 0.12)
    b.add(
        "mast",
        rod((x, 0, 0), (x, h, 0), 0.018, 0.01, 8),
        rod((x, 0.16, 0), (x - 0.52 * long, 0.14, 0), 0.013, count=8),
        paint=b.pick("wood", "metal"),
    )
    b.add(
        "sails",
        sail(
            np.array([(x - 0.02, 0.2), (x - 0.5 * long, 0.18), (x - 0.01, 0.97 * h), (x - 0.01, 0.97 * h)]),
            b.u(0.04, 0.1),
        ),
        paint=b.pick("light", "fabric", "plastic"),
    )
    if b.chance(0.8):
        b.add(
            "jib",
            sail(
                np.array([(x + 0.03, 0.16), (0.48 * long, 0.1), (x + 0.02, b.u(0.7, 0.9) * h), (x + 0.02, 0.8 * h)])[
                    [0, 1, 2, 2]
                ],
                b.u(0.04, 0.08),
            ),
            paint=b.pick("light", "fabric", "plastic"),
        )
    if b.chance(0.5):
        b.add("flag", prism(np.array([(0, 0), (-0.14, 0.04), (0, 0.08)])[::-1], depth=0.008).at(x, h), paint="plastic")


@category("craft", yaw=-28)
def galleon(b: Builder) -> None:
    long, w, deep = b.u(1.3, 1.5), b.u(0.36, 0.44), b.u(0.26, 0.32)
    b.add("hull", boat(long, w, deep, 0.2, 0.7, hollow=False).at(y=deep), paint="wood")
    b.add(
        "castle",
        box(0.3 * long, 0.16, 0.68 * w, 0.015).at(-0.36 * long, deep + 0.16),
        box(0.16 * long, 0.14, 0.6 * w, 0.015).at(-0.42 * long, deep + 0.3),
        box(0.14 * long, 0.1, 0.5 * w).at(0.28 * long, deep + 0.06),
        paint="wood",
    )
    b.add("spars", rod((0.4 * long, deep + 0.08, 0), (0.68 * long, deep + 0.34, 0), 0.018, 0.01, 8), paint="wood")
    masts = spread(b.i(2, 3), -0.3 * long, 0.26 * long)
    bulge = b.u(0.08, 0.13)
    for k, x in enumerate(masts):
        h = deep + b.u(0.85, 1.0) - 0.1 * (k != len(masts) // 2)
        b.add("spars", rod((x, deep - 0.1, 0), (x, h + 0.08, 0), 0.017, 0.01, 8))
        levels = spread(3, deep + 0.26, h)
        for low, high, share in zip(levels[:-1], levels[1:], (0.62, 0.48), strict=True):
            half = share * 0.55
            cloth = sail(
                np.array([(-half, low + 0.03), (half, low + 0.03), (0.85 * half, high), (-0.85 * half, high)]), bulge
            )
            b.add("sails", cloth.turn(y=b.u(52, 62)).at(x + 0.02), paint=b.pick("light", "fabric"))
            b.add("spars", rod((-half, high, 0), (half, high, 0), 0.01, count=6).turn(y=57).at(x))
        b.add(
            "flags",
            prism(np.array([(0, 0), (-0.15, 0.03), (0, 0.06)])[::-1], depth=0.008).at(x, h + 0.02),
            paint="plastic",
        )
    for x in spread(b.i(4, 6), -0.28 * long, 0.2 * long):
        b.add("ports", box(0.045, 0.045, 1.02 * w).at(x, 0.72 * deep), paint="dark")


@category("craft", yaw=-25)
def rowing_boat(b: Builder) -> None:
    long, w = b.u(1.1, 1.4), b.u(0.42, 0.55)
    b.add("hull", boat(long, w, b.u(0.18, 0.25), b.u(0.08, 0.16), b.u(0.05, 0.75)), paint=b.pick("wood", "plastic"))
    for x in spread(b.i(2, 3), -0.28 * long, 0.2 * long):
        b.add("thwarts", box(0.11, 0.025, 0.86 * w).at(x, -0.05), paint="wood")
    oar = join(rod((0, 0, 0), (0, 0, 0.75), 0.016, count=8), ball(0.055, 0.014, 0.14, 10).at(z=0.82))
    angle = b.u(-30, 30)
    b.add("oars", oar.at(z=-0.15).turn(x=b.u(8, 18), y=angle).at(0.02, 0.06, 0.4 * w).twin(2), paint="wood")


@category("craft", yaw=-30)
def steamship(b: Builder) -> None:
    long, w, deep = b.u(1.5, 1.8), b.u(0.32, 0.4), b.u(0.2, 0.26)
    b.add("hull", boat(long, w, deep, 0.06, 0.55, hollow=False), paint=b.pick("dark", "plastic", "metal"))
    y, span = 0.0, b.u(0.6, 0.7)
    for k in range(b.i(2, 4)):
        b.add(
            "decks",
            box((span - 0.09 * k) * long, 0.09, (0.66 - 0.08 * k) * w, 0.01).at(-0.04 * long, y + 0.045),
            paint="light",
        )
        b.add(
            "windows",
            *(
                box(0.035, 0.035, (0.66 - 0.08 * k) * w + 0.012).at(x, y + 0.05)
                for x in spread(
                    9, -(span - 0.09 * k) * 0.44 * long - 0.04 * long, (span - 0.09 * k) * 0.44 * long - 0.04 * long
                )
            ),
            paint="dark",
        )
        y += 0.09
    n = b.i(1, 4)
    r = b.u(0.06, 0.08)
    for x in spread(n, -0.2 * long if n > 1 else -0.04 * long, 0.12 * long if n > 1 else -0.04 * long):
        funnel = lathe([(0, 0), (r, 0), (r, 0.28), (0.8 * r, 0.28), (0, 0.22)], 16).turn(z=8)
        b.add("funnels", funnel.at(x, y), paint=b.pick("plastic", "metal"))
        b.add("bands", torus(r, 0.012, 16, 6).turn(z=8).at(x - 0.03, y + 0.2), paint="dark")
    b.add(
        "masts",
        rod((0.36 * long, 0, 0), (0.35 * long, 0.42, 0), 0.01, 0.006, 6),
        rod((-0.38 * long, 0, 0), (-0.39 * long, 0.36, 0), 0.01, 0.006, 6),
        paint="metal",
    )


@category("craft", yaw=-25)
def submarine(b: Builder) -> None:
    long, r = b.u(1.3, 1.7), b.u(0.19, 0.26)
    t = [
        (0, -long / 2),
        *smooth(
            [(0.03, -long / 2), (0.7 * r, -0.3 * long), (r, -0.05 * long), (r, 0.25 * long), (0.65 * r, 0.44 * long)],
            14,
        ),
        (0, long / 2),
    ]
    b.add("hull", lathe(t, 24).turn(z=-90), paint=b.pick("dark", "metal", "plastic"))
    x = b.u(0.02, 0.18) * long
    tower = loft(
        np.stack(
            [
                lift(
                    smooth(
                        [(0.17, 0), (0.0, 0.09), (-0.2, 0.05), (-0.24, 0), (-0.2, -0.05), (0.0, -0.09)], 18, closed=True
                    )
                    * s,
                    1,
                    y,
                )
                * [1, 1, -1]
                for s, y in ((1.1, 0), (0.95, b.u(0.22, 0.3)))
            ]
        )
    )
    b.add("tower", tower.at(x, 0.8 * r), paint=b.pick("dark", "metal", "plastic"))
    high = 0.8 * r + 0.24
    b.add(
        "periscope",
        handle([(x, high, 0), (x, high + 0.2, 0), (x + 0.08, high + 0.21, 0)], 0.018),
        rod((x - 0.1, high, 0), (x - 0.1, high + 0.1, 0), 0.016, count=8),
        paint="metal",
    )
    b.add(
        "fins",
        wing(0.14, 0.1, r + 0.16, 0.06).at(-0.4 * long).twin(2),
        wing(0.14, 0.1, r + 0.14, 0.06).turn(x=-90).at(-0.4 * long),
        wing(0.14, 0.1, r + 0.14, 0.06).turn(x=90).at(-0.4 * long),
        paint=b.pick("metal", "plastic"),
    )
    blade = ball(0.03, 0.08, 0.015, 8).at(y=0.08)
    b.add("screw", blade.turn(y=40).around(b.i(3, 5), axis=0).at(-long / 2 - 0.02), paint="metal")
    if b.chance(0.6):
        for z in spread(b.i(3, 5), -0.1 * long, 0.32 * long):
            b.add("portholes", disc(0.05, 0.03, 14).turn(x=90).at(z, 0.06, 0.97 * r).twin(2), paint="light")
