"""Weapons of old.

Each function fills the components of a Builder. They lie in the xy plane, their flat side along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import circle, lift, mirrored, smooth, stroke
from t2s_offline.render.builtin.shapes.parts import handle
from t2s_offline.render.builtin.shapes.primitives import ball, disc, loft, prism, rod, tube


@category("tools", yaw=-10, lean=-35)
def sword(b: Builder) -> None:
    long, w = b.u(0.95, 1.3), b.u(0.07, 0.11)
    curved = b.u(0.12, 0.25) if b.chance(0.3) else 0.0
    t = np.linspace(0, 1, 12)
    path = np.stack([curved * t**2, long * t, 0 * t], 1)
    width = w * (1 - 0.25 * t) * np.clip((1 - t) * 8, 0.02, 1)
    diamond = np.array([[1.0, 0], [0, 0.22], [-1.0, 0], [0, -0.22]])
    b.add("blade", tube(path, width / 1.6, section=diamond, up=(0, 0, 1)), paint="metal")
    g = b.u(0.2, 0.3)
    if curved:
        b.add(
            "guard",
            handle([(0.0, 0, 0), (-0.17, -0.06, 0), (-0.15, -0.24, 0), (0, -0.3, 0)], 0.022),
            disc(0.1, 0.03),
            paint="metal",
        )
    else:
        b.add(
            "guard",
            handle([(-g, b.u(-0.05, 0.1), 0), (0, 0, 0), (g, b.u(-0.05, 0.1), 0)], 0.032),
            ball(0.04, count=10).at(g, 0.03).twin(),
            paint="metal",
        )
    b.add("grip", rod((0, 0, 0), (0, -0.28, 0), 0.036), paint=b.pick("wood", "fabric", "dark"))
    b.add("pommel", ball(0.06, count=12).at(y=-0.3), paint="metal")


@category("tools", yaw=18)
def shield(b: Builder) -> None:
    w, h = b.u(0.7, 0.85), b.u(0.9, 1.1)
    style = b.i(0, 2)
    if style == 0:
        outline = mirrored(
            smooth(
                [
                    (0.0, -h / 2),
                    (0.3 * w, -0.25 * h),
                    (0.5 * w, 0.1 * h),
                    (0.5 * w, 0.42 * h),
                    (0.28 * w, 0.46 * h),
                    (0, h / 2),
                ],
                16,
            )
        )
    elif style == 1:
        outline = circle(0.5 * w, 36)
    else:
        outline = mirrored(
            smooth([(0.0, -h / 2), (0.4 * w, -0.1 * h), (0.5 * w, 0.25 * h), (0.3 * w, 0.47 * h), (0.0, 0.5 * h)], 14)
        )
    bulge = b.u(0.5, 0.9)

    def curve(v: np.ndarray) -> np.ndarray:
        return v - np.stack([0 * v[:, 0], 0 * v[:, 0], bulge * (v[:, 0] ** 2 + 0.3 * v[:, 1] ** 2)], 1)

    scales = [1.0, 0.75, 0.5, 0.25]
    rings = [lift(outline * s, 2, 0.02) for s in scales]
    plate = loft(np.stack([lift(outline * s, 2, -0.02) for s in scales[::-1]] + rings))
    b.add("board", plate.warp(curve), paint=b.pick("metal", "wood", "plastic"))
    edge = tube(lift(outline, 2), 0.03, 6, closed=True)
    b.add("rim", edge.warp(curve), paint=b.pick("metal", "dark"))
    if style == 1:
        b.add("boss", ball(0.13, 0.13, 0.1, 16), paint="metal")
        b.add("studs", ball(0.025, count=8).at(0.4 * w, 0, -0.12).around(b.i(8, 14), axis=2), paint="metal")
    else:
        band = np.array([b.u(0.12, 0.25), 0.95, 1.0]) if b.chance(0.6) else np.array([0.95, b.u(0.12, 0.25), 1.0])
        b.add(
            "emblem",
            loft(
                np.stack([lift(outline * s, 2, z) for s, z in ((0.98, -0.03), (0.98, 0.035), (0.6, 0.04), (0.3, 0.04))])
                * band
            ).warp(curve),
            paint="plastic",
        )
        if b.chance(0.5):
            b.add("emblem", ball(0.11, 0.11, 0.07, 14))


@category("tools", yaw=-8)
def bow_and_arrow(b: Builder) -> None:
    h, bend, recurve = b.u(0.6, 0.75), b.u(0.2, 0.32), b.u(0.0, 0.14)
    y = np.array([0, 0.35, 0.75, 1.0]) * h
    x = np.array([0, -0.12 * bend, -0.6 * bend, -bend + recurve])
    upper = smooth(np.stack([x, y, 0 * x], 1), 12)
    b.add("limbs", tube(upper, np.linspace(0.034, 0.014, 12), 8).twin(1), paint="wood")
    draw = b.u(0.0, 0.25)
    nock = (float(upper[-1, 0]) - draw, 0.0, 0.0)
    b.add("string", rod(upper[-1], nock, 0.006, count=5).twin(1), paint="light")
    b.add("grip", rod((0, -0.09, 0), (0, 0.09, 0), 0.044), paint=b.pick("fabric", "dark"))
    tip = nock[0] + b.u(0.75, 0.85)
    b.add("arrow", rod((nock[0], 0, 0.02), (tip, 0, 0.02), 0.01, count=6), paint="wood")
    b.add("head", rod((tip, 0, 0.02), (tip + 0.11, 0, 0.02), 0.035, 0.001, 8), paint="metal")
    vane = prism(np.array([(0.0, 0), (0.16, 0), (0.1, 0.05), (-0.03, 0.05)]), depth=0.006)
    b.add("feathers", vane.around(3, axis=0, start=30).at(nock[0] + 0.04, 0, 0.02), paint=b.pick("plastic", "light"))
    if b.chance(0.3):
        b.add("grip", prism(stroke([(0.0, -0.2), (0.0, 0.2)], 0.06), depth=0.05))
