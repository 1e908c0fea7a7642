"""Tools of the workshop.

Each function fills the components of a Builder. Long tools stand upright in the xy plane and are leaned, so that their
outline faces the camera.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, circle, lift, rect, smooth
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, hull, lathe, loft, prism, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import Solid, join


def grip(length: float, radius: float, swell: float = 1.3) -> Solid:
    """A turned wooden handle from y = 0 down to -length."""
    points = [(0.8 * radius, 0), (radius, -0.3 * length), (0.85 * radius, -0.7 * length), (swell * radius, -length)]
    return lathe([*smooth(points, 10), (0, -length - 0.5 * radius)][::-1], 12)


@category("tools", yaw=-15, lean=-30)
def hammer(b: Builder) -> None:
    h, r = b.u(0.75, 0.95), b.u(0.03, 0.042)
    b.add("handle", grip(h, r), paint=b.pick("wood", "plastic"))
    face, long = b.u(0.07, 0.1), b.u(0.18, 0.26)
    b.add(
        "head",
        rod((-0.05, 0.03, 0), (long, 0.03, 0), 0.06, count=12),
        rod((long, 0.03, 0), (long + 0.09, 0.03, 0), face, count=16),
        box(0.13, 0.15, 0.12, 0.02).at(0, 0.03),
        paint="metal",
    )
    style = b.i(0, 2)
    if style == 0:
        claw = tube(
            smooth([(-0.03, 0.05, 0.035), (-0.18, 0.06, 0.05), (-0.32, -0.05, 0.06)], 8),
            np.linspace(0.055, 0.015, 8),
            8,
            flat=0.6,
        )
        b.add("head", claw.twin(2))
    elif style == 1:
        b.add(
            "head",
            rod((0, 0.03, 0), (-long, 0.03, 0), 0.06, count=12),
            rod((-long, 0.03, 0), (-long - 0.09, 0.03, 0), face, count=16),
        )
    else:
        b.add(
            "head",
            hull(
                [(-0.03, y, z) for y in (-0.04, 0.1) for z in (-0.06, 0.06)]
                + [(-0.32, y, z) for y in (0.02, 0.045) for z in (-0.06, 0.06)]
            ),
        )
    if b.chance(0.5):
        b.add(
            "sleeve",
            lathe([(0, -h - 0.03), (1.45 * r, -h - 0.02), (1.3 * r, -0.55 * h), (0, -0.54 * h)], 12),
            paint=b.pick("plastic", "dark"),
        )


@category("tools", yaw=-10)
def saw(b: Builder) -> None:
    long, high, n = b.u(1.0, 1.3), b.u(0.24, 0.32), b.i(16, 26)
    teeth = [(x, -0.045 * (k % 2)) for k, x in enumerate(np.linspace(0, long, 2 * n + 1))]
    blade = np.array([*teeth, (long, b.u(0.08, 0.14)), (0, high)])
    b.add("blade", prism(blade, depth=0.02), paint="metal")
    outer = smooth(
        [
            (0.05, -0.03),
            (0.06, high),
            (-0.02, high + 0.06),
            (-0.2, high + 0.04),
            (-0.27, 0.5 * high),
            (-0.24, -0.06),
            (-0.1, -0.1),
        ],
        28,
        closed=True,
    )
    hole = smooth(
        [(-0.04, 0.05), (-0.03, high - 0.05), (-0.15, high - 0.04), (-0.18, 0.3 * high), (-0.12, 0.0)], 16, closed=True
    )
    b.add("handle", prism(outer, hole, depth=0.07), paint=b.pick("wood", "plastic"))
    b.add(
        "rivets",
        *(disc(0.022, 0.085, 10).turn(x=90).at(0.0, y) for y in spread(b.i(2, 3), 0.04, high - 0.03)),
        paint="metal",
    )


@category("tools", lean=-35)
def screwdriver(b: Builder) -> None:
    h, r, long = b.u(0.38, 0.46), b.u(0.085, 0.12), b.u(0.45, 0.75)
    n = b.pick(6, 8, 10)
    angle = 2 * np.pi * np.arange(3 * n) / (3 * n)
    flute = 1 - 0.09 * (np.arange(3 * n) % 3 == 0)
    profile = smooth([(0.4 * r, 0), (0.75 * r, 0.04), (r, 0.3 * h), (0.95 * r, 0.8 * h), (0.6 * r, h)], 10)
    b.add(
        "handle",
        loft(
            np.stack(
                [
                    np.stack([p * flute * np.cos(angle), np.full(3 * n, y), -p * flute * np.sin(angle)], 1)
                    for p, y in profile
                ]
            )
        ),
        paint=b.pick("plastic", "wood"),
    )
    b.add("collar", disc(0.55 * r, 0.06, 16).at(y=-0.02), paint=b.pick("metal", "dark"))
    shaft = b.u(0.022, 0.032)
    b.add("shaft", rod((0, 0, 0), (0, -long, 0), shaft, count=10), paint="metal")
    if b.chance(0.5):
        tip = np.array(
            [
                (-shaft, 0),
                (-1.6 * shaft, -0.07),
                (-1.5 * shaft, -0.12),
                (1.5 * shaft, -0.12),
                (1.6 * shaft, -0.07),
                (shaft, 0),
            ]
        )
        b.add("shaft", prism(tip, depth=0.018).at(y=-long + 0.01))
    else:
        b.add("shaft", (box(3 * shaft, 0.1, 0.012) + box(0.012, 0.1, 3 * shaft)).at(y=-long - 0.03))


@category("tools", lean=-35)
def wrench(b: Builder) -> None:
    long, width, thick = b.u(0.9, 1.1), b.u(0.1, 0.13), b.u(0.05, 0.07)
    r, gap, tilt = b.u(0.16, 0.2), b.u(0.08, 0.11), b.u(0, 25)
    jaw = np.concatenate([arc(r, 115, 425, 26), np.array([[gap * 0.9, 0.0], [-gap * 0.9, 0.0]])])
    b.add("jaw", prism(jaw, depth=1.5 * thick).turn(z=tilt).at(y=long / 2 + 0.08), paint="metal")
    b.add(
        "shaft",
        prism(rect(width, long), depth=thick),
        prism(rect(0.6 * width, 0.8 * long), depth=1.25 * thick),
        paint="metal",
    )
    if b.chance(0.5):
        b.add(
            "ring",
            prism(circle(0.85 * r, 28), circle(0.5 * r, 6), depth=1.4 * thick).at(y=-long / 2 - 0.08),
            paint="metal",
        )
    else:
        b.add("ring", prism(jaw * 0.85, depth=1.4 * thick).turn(z=180 + tilt).at(y=-long / 2 - 0.06), paint="metal")


@category("tools", yaw=-12, lean=25)
def scissors(b: Builder) -> None:
    opening, long, r = b.u(10, 26), b.u(0.6, 0.8), b.u(0.12, 0.16)
    blade = prism(
        np.array([(-0.05, -0.06), (0.05, -0.05), (0.045, 0.5 * long), (-0.035, long), (-0.05, 0.95 * long)]),
        depth=0.025,
    )
    bow = tube(lift(circle(r, 24, 0, 0, b.u(1.2, 1.6)), 2), b.u(0.03, 0.045), 8, closed=True)
    shank = handle([(0.0, 0, 0), (-0.03, -0.15, 0), (-0.1, -0.3, 0)], 0.035)
    for sign, z in ((1, 0.014), (-1, -0.014)):
        one, loop_ = blade, join(shank.flip(0) if sign > 0 else shank)
        one = one if sign < 0 else one.flip(0)
        ring = bow.at(sign * 0.16, -0.44)
        b.add("blades", one.at(z=z).turn(z=-sign * opening / 2 * -1), paint="metal")
        b.add("handles", (ring + loop_).at(z=z).turn(z=sign * opening / 2), paint=b.pick("plastic", "dark", "metal"))
    b.add("pivot", disc(0.035, 0.08, 12).turn(x=90), paint="metal")
    if b.chance(0.4):
        b.add(
            "rest",
            tube(lift(circle(0.75 * r, 18, 0.16, -0.44, 1.3), 2), 0.02, 6, closed=True).at(z=0.03),
            paint=b.pick("plastic", "dark"),
        )
    if b.chance(0.4):
        b.add("pivot", box(0.05, 0.012, 0.09).turn(z=45))


@category("tools", yaw=-25)
def anvil(b: Builder) -> None:
    h, long = b.u(0.42, 0.55), b.u(0.4, 0.52)
    w = b.u(0.24, 0.3)
    levels = [
        (0.85, 1.1, 0.0),
        (0.85, 1.1, 0.1),
        (0.5, 0.6, 0.32 * h),
        (0.45, 0.55, 0.55 * h),
        (0.85, 0.95, 0.74 * h),
        (0.95, 1.0, h),
    ]
    rings = np.stack([lift(rect(2 * long * a * 0.55, w * c * 1.3), 1, y) * [1, 1, -1] for a, c, y in levels])
    b.add("body", loft(rings), paint=b.pick("metal", "dark"))
    horn = tube(
        smooth([(0.3 * long, 0.82 * h, 0), (0.8 * long, 0.85 * h, 0), (1.35 * long, 0.93 * h, 0)], 9),
        np.linspace(0.42 * w, 0.02, 9),
        12,
    )
    b.add("horn", horn, paint="metal")
    b.add("heel", box(0.5 * long, 0.24 * h, 1.1 * w, 0.01).at(-0.75 * long, 0.88 * h), paint="metal")
    if b.chance(0.5):
        b.add("block", disc(0.42, b.u(0.3, 0.5), 20, 0.02).at(y=-0.2), paint="wood")


@category("tools", yaw=-10, lean=35)
def magnifying_glass(b: Builder) -> None:
    r, long = b.u(0.3, 0.38), b.u(0.5, 0.7)
    b.add("rim", torus(r, b.u(0.035, 0.05), 36, 10).turn(x=90), paint=b.pick("metal", "dark", "plastic"))
    b.add("lens", ball(r, r, 0.05, 24), paint="light")
    b.add("neck", rod((0, -r, 0), (0, -r - 0.14, 0), 0.032), disc(0.055, 0.04, 14).at(y=-r - 0.12), paint="metal")
    b.add("handle", grip(long, b.u(0.045, 0.06)).at(y=-r - 0.12), paint=b.pick("wood", "plastic", "dark"))
    if b.chance(0.5):
        b.add("neck", ball(0.05, count=12).at(y=-r - 0.14 - long))
    if b.chance(0.5):
        b.add(
            "bands",
            *(torus(0.055, 0.014, 16, 6).at(y=-r - 0.12 - long * t) for t in spread(b.i(1, 4), 0.2, 0.8)),
            paint="metal",
        )
