"""Reptiles, frogs and dinosaurs.

Each function fills the components of a Builder. They face +x with their plane of symmetry at z = 0.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import mirrored, smooth
from t2s_offline.render.builtin.shapes.parts import eyes
from t2s_offline.render.builtin.shapes.primitives import ball, lathe, prism, rod, tube


@category("creatures", yaw=-30)
def turtle(b: Builder) -> None:
    r, h = b.u(0.36, 0.42), b.u(0.2, 0.32)
    b.add(
        "shell",
        lathe(
            [(0, -0.03), (r, 0), *smooth([(r * 1.02, 0.02), (0.85 * r, 0.55 * h), (0.45 * r, 0.9 * h)], 7), (0, h)], 24
        )
        .scale(1.2, 1, 1)
        .at(y=0.14),
        paint=b.pick("leaf", "wood", "skin"),
    )
    scute = ball(0.12, 0.03, 0.12, 6)
    b.add(
        "scutes",
        scute.at(y=h + 0.135),
        *(scute.turn(z=-38).at(0.62 * r, 0.72 * h + 0.14).turn(y=a).scale(1.15, 1, 1) for a in spread(6, 30, 330)),
        paint=b.pick("leaf", "wood", "dark"),
    )
    blob = (
        Blob(0.02)
        .bone((0.3, 0.14, 0), (0.55, b.u(0.2, 0.32), 0), 0.08, 0.07)
        .ball((0.6, 0.27, 0), (0.12, 0.09, 0.09))
        .bone((-0.4, 0.12, 0), (-0.58, 0.1, 0), 0.05, 0.01)
    )
    for x, dx in ((0.28, 0.1), (-0.26, -0.06)):
        blob.limb([(x, 0.13, 0.24), (x + dx, 0.1, 0.38), (x + dx + 0.02, 0.04, 0.42)], [0.08, 0.07, 0.06], twin=True)
    b.add("body", blob.solid(36), paint=b.pick("skin", "leaf"))
    b.add("eyes", eyes(0.66, 0.31, 0.065, 0.02), paint="dark")


@category("creatures", yaw=-22, tilt=10)
def snake(b: Builder) -> None:
    turns, r = b.u(1.6, 2.4), b.u(0.055, 0.08)
    if b.chance(0.5):
        t = np.linspace(0, 1, 60)
        a = 2 * np.pi * turns * t
        R = 0.42 * (1 - 0.45 * t)
        coil = np.stack([R * np.cos(a), 0.06 + 0.28 * t, R * np.sin(a)], 1)
        end = coil[-1]
        rise = smooth([end, (0.12, 0.5, 0.1), (0.0, 0.66, 0.12), (0.1, 0.84, 0.16), (0.26, 0.84, 0.22)], 14)
        path = np.concatenate([coil, rise[1:]])
    else:
        t = np.linspace(0, 1, 56)
        path = np.stack(
            [
                1.5 * t - 0.75,
                0.06 + 0.3 * np.clip((t - 0.85) / 0.15, 0, 1) ** 2,
                0.2 * np.sin(2 * np.pi * turns * t) * (1 - 0.4 * t),
            ],
            1,
        )
    s = np.linspace(0, 1, len(path))
    thick = r * np.clip(0.12 + 5 * s, 0, 1) * np.where(s > 0.93, 0.85, 1)
    b.add("body", tube(path, thick, 9, ends=True), paint=b.pick("leaf", "skin", "plastic"))
    ahead = path[-1] - path[-3]
    ahead = ahead / np.linalg.norm(ahead)
    yaw = -np.degrees(np.arctan2(ahead[2], ahead[0]))
    head = ball(0.13, 0.065, 0.095, 14).at(0.08).turn(y=yaw).at(*path[-1])
    b.add("head", head, paint=b.pick("leaf", "skin", "plastic"))
    b.add(
        "eyes",
        eyes(0.14, 0.04, 0.06, 0.02).turn(y=yaw).at(*path[-1]),
        rod((0.2, 0, 0), (0.33, -0.01, 0), 0.008, count=5).turn(y=yaw).at(*path[-1]),
        paint="food",
    )


@category("creatures", yaw=-30)
def dinosaur(b: Builder) -> None:
    blob = Blob(0.03)
    if b.chance(0.5):
        # on two legs
        blob.ball((0, 0.62, 0), (0.3, 0.2, 0.17)).limb(
            smooth([(-0.15, 0.62, 0), (-0.5, 0.55, 0), (-0.8, 0.5, 0), (-1.0, b.u(0.5, 0.65), 0)], 6),
            [0.19, 0.14, 0.1, 0.07, 0.04, 0.015],
        )
        blob.limb([(0.2, 0.66, 0), (0.36, 0.85, 0), (0.4, 0.98, 0)], [0.16, 0.11, 0.1]).bone(
            (0.4, 1.0, 0), (0.68, 0.96, 0), 0.12, 0.07
        )
        blob.limb(
            [(-0.02, 0.55, 0.15), (0.1, 0.34, 0.17), (-0.02, 0.14, 0.17), (0.02, 0.04, 0.17)],
            [0.14, 0.09, 0.05, 0.045],
            twin=True,
        ).bone((0.0, 0.035, 0.17), (0.18, 0.03, 0.18), 0.05, 0.035, twin=True)
        blob.limb([(0.24, 0.6, 0.14), (0.34, 0.5, 0.17), (0.42, 0.52, 0.16)], [0.05, 0.035, 0.025], twin=True)
        eye, ridge = (0.48, 1.07, 0.085), smooth([(0.34, 1.0, 0), (0.1, 0.84, 0), (-0.3, 0.72, 0), (-0.75, 0.56, 0)], 9)
    else:
        # on four, with a long neck
        y = 0.55
        blob.ball((0, y, 0), (0.4, 0.22, 0.2)).limb(
            smooth([(0.3, y + 0.05, 0), (0.55, y + 0.3, 0), (0.7, y + 0.65, 0), (0.86, y + 0.8, 0)], 6),
            [0.15, 0.1, 0.08, 0.065, 0.06, 0.055],
        )
        blob.bone((0.88, y + 0.8, 0), (1.0, y + 0.76, 0), 0.07, 0.055).limb(
            smooth([(-0.3, y, 0), (-0.7, y - 0.15, 0), (-1.1, y - 0.05, 0)], 6), np.linspace(0.15, 0.015, 6)
        )
        for x in (0.24, -0.24):
            blob.limb([(x, y - 0.05, 0.14), (x, 0.25, 0.15), (x, 0.06, 0.15)], [0.13, 0.085, 0.08], twin=True)
        eye, ridge = (
            (0.93, y + 0.85, 0.05),
            smooth([(0.62, y + 0.5, 0), (0.35, y + 0.28, 0), (-0.1, y + 0.23, 0), (-0.6, y - 0.0, 0)], 9),
        )
    b.add("body", blob.solid(54), paint=b.pick("leaf", "skin", "stone"))
    b.add("eyes", eyes(*eye, 0.022), paint="light")
    if b.chance(0.7):
        spike = mirrored(np.array([(0.07, 0), (0, 0.14)]))
        b.add(
            "spikes",
            *(prism(np.asarray(spike), depth=0.03).at(p[0], p[1]) for p in ridge[::1]),
            paint=b.pick("food", "leaf", "dark"),
        )


@category("creatures", yaw=-25)
def frog(b: Builder) -> None:
    blob = Blob(0.025).ball((0, 0.24, 0), (0.3, 0.17, 0.22), (0, 0, 25)).ball((0.24, 0.36, 0), (0.2, 0.13, 0.2))
    blob.ball((0.26, 0.48, 0.11), 0.07, twin=True)
    blob.limb(
        [(-0.2, 0.16, 0.18), (0.1, 0.22, 0.36), (-0.24, 0.08, 0.36), (0.02, 0.035, 0.4)],
        [0.1, 0.075, 0.05, 0.035],
        twin=True,
    )
    blob.limb([(0.2, 0.22, 0.16), (0.28, 0.1, 0.24), (0.32, 0.03, 0.24)], [0.06, 0.045, 0.04], twin=True)
    for a in (-0.08, 0.0, 0.08):
        blob.bone((0.02, 0.03, 0.4), (0.2, 0.02, 0.42 + 1.2 * a), 0.026, 0.022, twin=True).bone(
            (0.32, 0.03, 0.24), (0.44, 0.02, 0.25 + a), 0.022, 0.02, twin=True
        )
    wide = b.u(0.95, 1.15)
    b.add("body", blob.solid(36).scale(1, b.u(0.9, 1.1), wide), paint=b.pick("leaf", "skin", "plastic"))
    b.add("eyes", ball(0.045, count=10).at(0.305, 0.5 * 1.0, 0.13 * wide).twin(2), paint="light")
    b.add("pupils", ball(0.026, count=8).at(0.335, 0.505, 0.145 * wide).twin(2), paint="dark")
    b.add("belly", ball(0.17, 0.1, 0.15, 12).at(0.24, 0.27), paint="light")
    for _ in range(b.i(0, 7)):
        b.add(
            "spots",
            ball(b.u(0.03, 0.06), 0.02, b.u(0.03, 0.06), 8).turn(z=25).at(b.u(-0.2, 0.12), 0.39, b.u(-0.12, 0.12)),
            paint=b.pick("leaf", "dark", "skin"),
        )
    if b.chance(0.2):
        b.add("crown", lathe([(0.09, 0), (0.11, 0.1), (0.08, 0.03)], 12).at(0.24, 0.52), paint="metal")
