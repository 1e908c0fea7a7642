"""Devices with a plug or a battery.

Each function fills the components of a Builder. The front looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import helix, lift, rounded, smooth
from t2s_offline.render.builtin.shapes.parts import handle, panes
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, disc, lathe, loft, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join


@category("appliances", yaw=18)
def electric_fan(b: Builder) -> None:
    r, n, h = b.u(0.3, 0.38), b.i(3, 5), b.u(0.35, 0.9)
    blade = ball(0.4 * r, 0.25 * r, 0.015, 12).at(0.52 * r).turn(x=28)
    b.add(
        "blades", blade.around(n, axis=2, start=b.u(0, 60)), disc(0.2 * r, 0.12, 18, 0.03).turn(x=90), paint="plastic"
    )
    b.add(
        "cage",
        torus(r, 0.016, 32, 6).turn(x=90).at(z=0.0),
        torus(0.55 * r, 0.01, 24, 5).turn(x=90).at(z=0.1),
        paint=b.pick("metal", "plastic"),
    )
    wire = tube(smooth([(0.03, 0, 0.13), (0.55 * r, 0, 0.11), (r, 0, 0)], 5), 0.007, 4)
    b.add("cage", wire.around(b.i(14, 18), axis=2))
    b.add("motor", lathe([(0, -0.24), (0.08, -0.22), (0.11, -0.1), (0.09, 0)], 16).turn(x=90), paint="plastic")
    b.add(
        "stand",
        rod((0, 0, -0.1), (0, -r - h, -0.1), 0.035, count=12),
        disc(b.u(0.22, 0.3), 0.05, 28, 0.02).at(0, -r - h, -0.06),
        paint=b.pick("metal", "plastic"),
    )


@category("appliances", yaw=22)
def television(b: Builder) -> None:
    old = b.chance(0.45)
    w = b.u(0.9, 1.1)
    if old:
        h, d = 0.75 * w, b.u(0.45, 0.6)
        b.add(
            "case",
            box(w, h, 0.55 * d, 0.04),
            prism(rounded(0.85 * w, 0.85 * h, 0.05), depth=0.5 * d, taper=1.0).at(z=-0.4 * d),
            paint=b.pick("wood", "plastic", "dark"),
        )
        b.add("screen", cushion(0.68 * w, 0.78 * h, 0.1, 0.35).at(-0.1 * w, 0, 0.26 * d), paint=b.pick("dark", "leaf"))
        for y in spread(2, 0.12 * h, 0.3 * h):
            b.add("knobs", disc(0.06, 0.05, 16).turn(x=90).at(0.38 * w, y, 0.29 * d), paint="metal")
        b.add("knobs", panes(0.14, 0.25 * h, 1, 5, 0.02, 0.02).at(0.38 * w, -0.2 * h, 0.28 * d))
        if b.chance(0.8):
            b.add(
                "aerial",
                rod((0, h / 2, 0), (b.u(0.2, 0.4), h / 2 + 0.5, 0), 0.01, count=6).twin(),
                ball(0.07, 0.05, count=10).at(y=h / 2),
                paint="metal",
            )
        b.add(
            "legs",
            rod((0.35 * w, -h / 2, 0.15 * d), (0.42 * w, -h / 2 - b.u(0.12, 0.3), 0.2 * d), 0.03, 0.02, 8).four(),
            paint="wood",
        )
    else:
        h = b.u(0.54, 0.62) * w
        b.add("case", box(w, h, 0.05, 0.015), paint=b.pick("dark", "metal"))
        b.add("screen", box(w - 0.05, h - 0.05, 0.01).at(z=0.025), paint="dark")
        b.add(
            "stand",
            disc(0.2, 0.03, 28).scale(1, 1, 0.6).at(y=-h / 2 - 0.12)
            if b.chance(0.5)
            else box(0.45, 0.03, 0.22, 0.01).at(y=-h / 2 - 0.12),
            box(0.1, 0.16, 0.04).at(y=-h / 2 - 0.05),
            paint=b.pick("dark", "metal"),
        )


@category("appliances", yaw=25)
def laptop(b: Builder) -> None:
    w, d, open_ = b.u(0.8, 0.95), b.u(0.55, 0.65), b.u(8, 28)
    b.add("base", prism(rounded(w, d, 0.04), depth=0.045).turn(x=-90), paint=b.pick("metal", "dark", "plastic"))
    b.add(
        "keys",
        panes(0.86 * w, 0.4 * d, b.i(10, 13), b.i(4, 5), 0.014, 0.02).turn(x=-90).at(0, 0.025, -0.12 * d),
        box(0.24 * w, 0.01, 0.24 * d).at(0, 0.025, 0.3 * d),
        paint=b.pick("dark", "light"),
    )
    lid = prism(rounded(w, d, 0.04), depth=0.025).at(y=d / 2).turn(x=-open_).at(0, 0.03, -d / 2)
    screen = box(0.92 * w, 0.86 * d, 0.012).at(0, d / 2, 0.014).turn(x=-open_).at(0, 0.03, -d / 2)
    b.add(
        "lid",
        lid,
        rod((-0.3 * w, 0.02, -d / 2), (0.3 * w, 0.02, -d / 2), 0.025, count=8),
        paint=b.pick("metal", "dark", "plastic"),
    )
    b.add("screen", screen, paint=b.pick("dark", "plastic"))


@category("appliances", yaw=-25)
def telephone(b: Builder) -> None:
    w, h, d = b.u(0.6, 0.72), b.u(0.26, 0.34), b.u(0.55, 0.65)
    foot = rounded(w, d, 0.12, 5)
    top = rounded(0.62 * w, 0.4 * d, 0.08, 5, 0, 0.16 * d)
    rings = np.stack(
        [
            lift(c, 1, y) * [1, 1, -1]
            for c, y in ((foot, 0.0), (foot, 0.07), (top * 0.5 + foot * 0.5, 0.55 * h), (top, h))
        ]
    )
    b.add("body", loft(rings), paint=b.pick("dark", "plastic"))
    tilt = -np.degrees(np.arctan2(h - 0.07, 0.34 * d))
    dial = disc(0.17, 0.05, 28, 0.01) + join(disc(0.028, 0.03, 10).at(0.12, 0.03).around(10, start=20, sweep=300))
    b.add("dial", dial.turn(x=-tilt * 0.9).at(0, 0.6 * h + 0.04, 0.24 * d), paint=b.pick("metal", "light"))
    y = h + 0.12
    bar = handle([(-0.34, y - 0.01, 0), (-0.2, y + 0.07, 0), (0.2, y + 0.07, 0), (0.34, y - 0.01, 0)], 0.045)
    cup = lathe([(0.05, 0.06), (0.1, 0.02), (0.115, -0.06), (0, -0.05)][::-1], 18)
    b.add("handset", bar.at(z=-0.14 * d), cup.at(0.34, y - 0.03, -0.14 * d).twin(), paint=b.pick("dark", "plastic"))
    b.add("cradle", box(0.05, 0.14, 0.16, 0.02).at(0.17, h + 0.04, -0.14 * d).twin(), paint="metal")
    cord = helix(0.03, 0.35, 7, 50) @ np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    b.add("cord", tube(cord + np.array([-w / 2 - 0.05, 0.05, -0.1]), 0.012, 5), paint="dark")
    if b.chance(0.5):
        b.add("feet", ball(0.05, 0.04, 0.05, 10).at(0.4 * w, -0.01, 0.4 * d).four(), paint="dark")
    if b.chance(0.4):
        b.add("dial", disc(0.07, 0.03, 18).turn(x=-tilt * 0.9).at(0, 0.6 * h + 0.075, 0.24 * d + 0.03))


@category("appliances", yaw=22)
def camera(b: Builder) -> None:
    w, h, d = b.u(0.85, 1.0), b.u(0.5, 0.6), b.u(0.22, 0.3)
    b.add("body", box(w, h, d, 0.05), paint=b.pick("dark", "metal"))
    b.add("grip", box(w + 0.012, 0.55 * h, d + 0.015, 0.05).at(y=-0.04), paint=b.pick("dark", "wood", "fabric"))
    r, long, x = b.u(0.19, 0.24), b.u(0.12, 0.42), b.u(-0.06, 0.06)
    lens = lathe(
        [
            (0, 0),
            (r, 0),
            (r, 0.4 * long),
            (0.92 * r, 0.45 * long),
            (0.92 * r, long),
            (0.78 * r, long),
            (0.6 * r, long - 0.05),
            (0, long - 0.07),
        ],
        28,
    )
    b.add("lens", lens.turn(x=90).at(x, -0.03, d / 2), paint=b.pick("dark", "metal"))
    b.add("glass", ball(0.6 * r, 0.6 * r, 0.05, 16).at(x, -0.03, d / 2 + long - 0.06), paint="dark")
    hump = loft(np.stack([lift(rounded(s * 0.36, s * d, 0.04, 3), 1, y) for s, y in ((1.0, 0.0), (0.6, 0.13))]))
    b.add(
        "top",
        hump.at(x, h / 2) if b.chance(0.7) else box(0.3, 0.1, 0.2, 0.01).at(x, h / 2 + 0.05),
        paint=b.pick("dark", "metal"),
    )
    for place in (-0.38, 0.3, 0.41)[: b.i(2, 3)]:
        b.add("dials", disc(b.u(0.04, 0.08), 0.06, 18).at(place * w, h / 2 + 0.03), paint="metal")
    if b.chance(0.4):
        b.add(
            "strap",
            handle(
                [
                    (-w / 2, 0.3 * h, 0),
                    (-0.62 * w, 0.9 * h, -0.1),
                    (0, 1.5 * h, -0.2),
                    (0.62 * w, 0.9 * h, -0.1),
                    (w / 2, 0.3 * h, 0),
                ],
                0.022,
                20,
                flat=0.4,
            ),
            paint="fabric",
        )
