"""Tools of the garden and the field, and the anchor.

Each function fills the components of a Builder. Long tools stand upright in the xy plane and are leaned, so that their
outline faces the camera.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, mirrored, rect, smooth
from t2s_offline.render.builtin.shapes.parts import handle, tyre
from t2s_offline.render.builtin.shapes.primitives import ball, box, lathe, loft, prism, rod, torus, tube


@category("tools", yaw=-12, lean=-25)
def axe(b: Builder) -> None:
    h, double = b.u(0.8, 1.1), b.chance(0.3)
    bend = b.u(0, 0.1)
    b.add(
        "handle",
        tube(
            smooth([(0, 0.1, 0), (-0.3 * bend, -0.4 * h, 0), (0.2 * bend, -0.8 * h, 0), (-bend, -h, 0)], 12),
            np.linspace(0.035, 0.048, 12),
            10,
            flat=0.7,
            ends=True,
        ),
        paint=b.pick("wood", "plastic"),
    )
    reach, edge = b.u(0.26, 0.36), b.u(0.17, 0.26)
    half = smooth([(0.02, 0.075), (0.5 * reach, 0.08), (0.85 * reach, 0.75 * edge), (reach, edge)], 8)
    cutting = arc(edge, 62, -62, 9, reach - 0.47 * edge, 0.0, 1.13)
    outline = np.concatenate([half, cutting, half[::-1] * [1, -1]])
    thick = np.clip(1.05 - outline[:, 0] / (reach + 0.05), 0.06, 1)[:, None] * 0.055
    front = np.concatenate([outline, thick], 1)
    back = front * [1, 1, -1]
    b.add("blade", loft(np.stack([back, front])), paint="metal")
    if double:
        b.add("blade", loft(np.stack([back, front])).flip(0))
    else:
        b.add("blade", box(0.14, 0.15, 0.12, 0.015).at(-0.04))


@category("tools", yaw=-10, lean=-25)
def shovel(b: Builder) -> None:
    h, w, long = b.u(0.9, 1.3), b.u(0.28, 0.38), b.u(0.36, 0.46)
    pointed = b.chance(0.6)
    half = (
        [(0.0, 0.0), (0.6 * w / 2, 0.08 * long), (0.95 * w / 2, 0.4 * long), (w / 2, long), (0.1, long + 0.02)]
        if pointed
        else [(0.0, 0), (0.46 * w, 0.0), (0.5 * w, 0.06), (0.5 * w, long), (0.1, long + 0.02)]
    )
    outline = mirrored(smooth(half, 14) if pointed else half)
    blade = prism(outline * [1, 1], depth=0.018)
    b.add(
        "blade",
        blade.warp(
            lambda v: (
                v + np.stack([0 * v[:, 0], 0 * v[:, 0], 1.6 * v[:, 0] ** 2 - 0.12 * np.sin(np.pi * v[:, 1] / long)], 1)
            )
        ).at(y=-long),
        rod((0, -0.12, 0.0), (0, 0.16, 0), 0.045, 0.035),
        paint="metal",
    )
    b.add("handle", rod((0, 0, 0), (0, h, 0), 0.028), paint=b.pick("wood", "plastic"))
    if b.chance(0.7):
        grip_ = handle([(0, h - 0.02, 0), (0.09, h + 0.07, 0), (0.1, h + 0.15, 0)], 0.024).twin() + rod(
            (-0.11, h + 0.15, 0), (0.11, h + 0.15, 0), 0.03
        )
        b.add("grip", grip_, paint=b.pick("wood", "plastic", "dark"))


@category("tools", yaw=-20, lean=-20)
def rake(b: Builder) -> None:
    h, n = b.u(1.0, 1.4), b.i(8, 14)
    b.add("handle", rod((0, 0, 0), (0, h, 0), 0.024), paint="wood")
    if b.chance(0.5):
        spread_, long = b.u(26, 36), b.u(0.42, 0.55)
        tine = tube(smooth([(0, 0, 0), (0, -0.9 * long, 0), (0, -long, 0.03), (0, -long + 0.01, 0.09)], 8), 0.011, 5)
        b.add("tines", tine.around(n, axis=2, start=-spread_, sweep=2 * spread_), paint=b.pick("metal", "plastic"))
        b.add(
            "bar",
            tube(lift(arc(0.55 * long, 270 - spread_, 270 + spread_, 12), 2), 0.015, 6),
            rod((0, -0.08, 0), (0, 0.1, 0), 0.035),
            paint="metal",
        )
    else:
        w = b.u(0.5, 0.66)
        b.add(
            "bar",
            rod((-w / 2, 0, 0), (w / 2, 0, 0), 0.024, count=8),
            rod((0, -0.02, 0), (0, 0.12, 0), 0.035),
            paint="metal",
        )
        for x in spread(n, -w / 2 + 0.01, w / 2 - 0.01):
            b.add("tines", rod((x, 0, 0), (x, -0.16, 0.06), 0.016, 0.006, 6), paint="metal")


@category("tools", yaw=-10, lean=-20)
def pickaxe(b: Builder) -> None:
    h, reach, drop = b.u(0.85, 1.05), b.u(0.4, 0.5), b.u(0.1, 0.18)
    b.add(
        "handle",
        lathe([(0, -h), (0.045, -h), (0.03, -0.7 * h), (0.032, 0.0), (0.045, 0.08), (0, 0.08)], 12),
        paint="wood",
    )
    t = np.linspace(-1, 1, 17)
    path = np.stack([reach * t, -drop * t**2, 0 * t], 1)
    width = 0.055 * (1 - 0.85 * np.abs(t) ** 1.5)
    spike = tube(path, width, 8)
    if b.chance(0.5):
        half = tube(
            path[8:],
            np.linspace(0.055, 0.075, 9),
            section=np.array([[-1.0, -0.35], [1.0, -0.35], [1.0, 0.35], [-1.0, 0.35]]) * np.array([1.0, 0.8]),
        )
        b.add("head", tube(path[:9], width[:9], 8), half, paint="metal")
    else:
        b.add("head", spike, paint="metal")
    b.add("head", box(0.12, 0.12, 0.11, 0.02))


@category("tools", yaw=-40)
def wheelbarrow(b: Builder) -> None:
    w, long, deep = b.u(0.5, 0.62), b.u(0.8, 0.95), b.u(0.26, 0.36)
    low = rect(0.5 * long, 0.6 * w, 0.05)
    top = rect(long, w, 0.0)
    tray = loft(
        np.stack(
            [lift(c, 1, y) * [1, 1, -1] for c, y in ((low, 0.0), (top, deep), (top * 0.95, deep), (low * 0.93, 0.03))]
        )
    )
    b.add("tray", tray.at(y=0.42), paint=b.pick("metal", "plastic", "wood"))
    shaft = rod((0.62 * long, 0.2, 0.04), (-1.05 * long, 0.55, 0.26), 0.024)
    b.add("shafts", shaft.twin(2), paint=b.pick("wood", "metal"))
    b.add(
        "legs",
        rod((-0.28 * long, 0.42, 0.18), (-0.34 * long, 0.0, 0.22), 0.02).twin(2),
        rod((-0.33 * long, 0.1, 0.2), (-0.33 * long, 0.1, -0.2), 0.016),
        paint="metal",
    )
    b.add("wheel", tyre(0.2, 0.09, 20).at(0.62 * long, 0.2), paint="dark")
    b.add("grips", rod((-0.9 * long, 0.523, 0.243), (-1.07 * long, 0.556, 0.262), 0.034).twin(2), paint="plastic")
    if b.chance(0.4):
        b.add(
            "load", ball(0.4 * long, 0.18, 0.42 * w, 16).at(y=0.42 + deep - 0.02), paint=b.pick("leaf", "stone", "wood")
        )


@category("tools", yaw=-8)
def anchor(b: Builder) -> None:
    h, reach, thick = b.u(0.9, 1.1), b.u(0.36, 0.46), b.u(0.04, 0.06)
    b.add("shank", rod((0, 0, 0), (0, h, 0), 1.15 * thick, thick), paint="metal")
    b.add("ring", torus(0.1, 0.028, 24, 8).turn(x=90).at(y=h + 0.1), paint="metal")
    b.add(
        "stock",
        rod((-0.62 * reach, 0.84 * h, 0), (0.62 * reach, 0.84 * h, 0), 0.8 * thick),
        ball(1.3 * thick, count=10).at(0.62 * reach, 0.84 * h).twin(),
        paint=b.pick("metal", "wood"),
    )
    curve = lift(arc(reach, 196, 344, 18, 0, 0.86 * reach), 2)
    b.add("arms", tube(curve, thick * (1.25 - 0.5 * np.abs(np.linspace(-1, 1, 18)))), paint="metal")
    fluke = prism(np.array([(-0.13, 0.0), (0.13, 0.0), (0.0, 0.26)]), depth=0.05).turn(z=b.u(20, 32))
    tip = curve[0]
    b.add("flukes", fluke.at(tip[0] + 0.01, tip[1] - 0.06).twin(), paint="metal")
    if b.chance(0.4):
        rope = handle(
            [(0, h + 0.15, 0), (0.25, 0.75 * h, 0.12), (-0.1, 0.5 * h, 0.14), (0.12, 0.22 * h, 0.14), (0.5, 0.1, 0.1)],
            0.025,
            20,
        )
        b.add("rope", rope, paint="wood")
