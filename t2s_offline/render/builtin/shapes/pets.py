"""Animals of the farm and the house, blended from limbs and lumps.

Each function fills the components of a Builder. They face +x with their plane of symmetry at z = 0.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.parts import eyes, handle
from t2s_offline.render.builtin.shapes.primitives import ball, rod, torus, tube
from t2s_offline.render.builtin.shapes.quadrupeds import ear, quadruped


@category("mammals", yaw=-32)
def dog(b: Builder) -> None:
    leg, girth = b.u(0.22, 0.5), b.u(0.17, 0.22)
    blob = Blob(0.025)
    y = quadruped(b, blob, leg, girth, 0.16, b.u(0.05, 0.065))
    hx, hy = 0.66, y + b.u(0.26, 0.36)
    snout = b.u(0.14, 0.26)
    blob.bone((0.42, y + 0.05, 0), (hx - 0.02, hy - 0.03, 0), 0.13, 0.11).ball((hx, hy, 0), (0.15, 0.13, 0.125)).bone(
        (hx + 0.06, hy - 0.04, 0), (hx + 0.08 + snout, hy - 0.06, 0), 0.08, 0.055
    )
    blob.limb(
        smooth([(-0.55, y + 0.08, 0), (-0.72, y + b.u(0.1, 0.25), 0), (-0.82, y + b.u(0.2, 0.42), 0)], 4),
        [0.05, 0.04, 0.035, 0.025],
    )
    b.add("body", blob.solid(44), paint="fur")
    if b.chance(0.5):
        flap = ball(0.06, 0.13, 0.03, 10).turn(x=18).at(hx - 0.05, hy - 0.01, 0.14)
        b.add("ears", flap.twin(2), paint="fur")
    else:
        b.add("ears", ear(0.17, 0.055).turn(x=-12).at(hx - 0.05, hy + 0.08, 0.075).twin(2), paint="fur")
    b.add(
        "face",
        ball(0.035, count=10).at(hx + 0.13 + snout, hy - 0.04),
        eyes(hx + 0.11, hy + 0.05, 0.07, 0.024),
        paint="dark",
    )
    if b.chance(0.5):
        b.add("collar", torus(0.135, 0.022, 20, 6).turn(z=-40).at(0.56, y + 0.17), paint="plastic")


@category("mammals", yaw=-32)
def cat(b: Builder) -> None:
    blob = Blob(0.022)
    if b.chance(0.5):
        # sitting, the tail around its feet
        blob.ball((0, 0.25, 0), (0.24, 0.26, 0.2)).ball((0.1, 0.5, 0), (0.16, 0.26, 0.15)).ball(
            (-0.02, 0.13, 0.15), (0.18, 0.13, 0.08), twin=True
        )
        blob.limb([(0.18, 0.48, 0.09), (0.23, 0.2, 0.08), (0.27, 0.045, 0.08)], [0.07, 0.05, 0.045], twin=True)
        hx, hy = 0.2, 0.82
        tail = [(-0.2, 0.06, 0), (-0.38, 0.06, 0.12), (-0.3, 0.06, 0.32), (0.0, 0.06, b.u(0.34, 0.42))]
    else:
        y = quadruped(b, blob, b.u(0.26, 0.34), 0.16, 0.13, 0.048)
        hx, hy = 0.62, y + b.u(0.16, 0.24)
        blob.bone((0.42, y, 0), (hx, hy, 0), 0.11, 0.1)
        tail = [(-0.55, y + 0.05, 0), (-0.75, y + 0.1, 0), (-0.8, y + 0.4, 0), (b.u(-0.95, -0.65), y + 0.62, 0)]
    blob.ball((hx, hy, 0), (0.155, 0.14, 0.16)).ball((hx + 0.11, hy - 0.05, 0), (0.07, 0.055, 0.075))
    blob.limb(smooth(tail, 7), np.linspace(0.045, 0.035, 7))
    b.add("body", blob.solid(44), paint="fur")
    b.add("ears", ear(0.15, 0.07, 0.35).turn(x=8).at(hx - 0.01, hy + 0.08, 0.1).twin(2), paint="fur")
    b.add("face", eyes(hx + 0.125, hy + 0.04, 0.07, 0.026), ball(0.02, count=8).at(hx + 0.175, hy - 0.03), paint="dark")
    b.add(
        "whiskers",
        *(
            rod((hx + 0.14, hy - 0.05, 0.04), (hx + 0.14, hy - 0.05 + d, 0.26), 0.004, count=4).twin(2)
            for d in (-0.03, 0.03)
        ),
        paint="light",
    )


@category("mammals", yaw=-30)
def horse(b: Builder) -> None:
    leg = b.u(0.55, 0.66)
    blob = Blob(0.028)
    y = quadruped(b, blob, leg, 0.2, 0.155, 0.052, 0.1)
    up = b.u(0.4, 0.55)
    hx, hy = 0.72, y + up
    blob.limb([(0.4, y + 0.05, 0), (0.56, y + 0.6 * up, 0), (hx - 0.03, hy, 0)], [0.17, 0.12, 0.095])
    blob.bone((hx, hy, 0), (hx + 0.24, hy - 0.2, 0), 0.095, 0.065)
    b.add("body", blob.solid(46), paint="fur")
    mane = smooth(
        [(hx - 0.0, hy + 0.12, 0), (hx - 0.12, hy + 0.06, 0), (0.46, y + 0.55 * up, 0), (0.32, y + 0.2, 0)], 9
    )
    b.add(
        "mane",
        tube(mane, [0.03, 0.055, 0.06, 0.065, 0.07, 0.07, 0.065, 0.06, 0.03], 8, flat=0.5, up=(0, 0, 1)),
        paint=b.pick("fur", "dark"),
    )
    tail = smooth(
        [(-0.56, y + 0.12, 0), (-0.72, y + 0.06, 0), (-0.76, y - 0.25, 0), (b.u(-0.85, -0.7), y - 0.55, 0)], 9
    )
    b.add("mane", tube(tail, [0.03, 0.05, 0.06, 0.065, 0.065, 0.06, 0.05, 0.04, 0.015], 8, ends=True))
    b.add("ears", ear(0.12, 0.032).at(hx - 0.0, hy + 0.06, 0.05).twin(2), paint="fur")
    b.add("eyes", eyes(hx + 0.09, hy - 0.03, 0.075, 0.022), paint="dark")
    if b.chance(0.4):
        b.add(
            "saddle",
            ball(0.19, 0.12, 0.19, 14).at(0.02, y + 0.12),
            ball(0.05, 0.07, 0.05, 8).at(0.18, y + 0.25),
            rod((0.02, y + 0.1, 0.18), (0.03, y - 0.22, 0.2), 0.014, count=6).twin(2),
            paint=b.pick("wood", "plastic"),
        )


@category("mammals", yaw=-32)
def cow(b: Builder) -> None:
    leg, girth = b.u(0.3, 0.38), b.u(0.25, 0.29)
    blob = Blob(0.028)
    y = quadruped(b, blob, leg, girth, 0.21, 0.058, 0.06)
    hx, hy = 0.74, y + b.u(0.1, 0.2)
    blob.bone((0.44, y + 0.05, 0), (hx, hy, 0), 0.18, 0.12).bone((hx, hy, 0), (hx + 0.2, hy - 0.14, 0), 0.12, 0.09)
    blob.ball((-0.25, y - girth - 0.02, 0), (0.1, 0.09, 0.09))
    tail = smooth([(-0.58, y + 0.16, 0), (-0.66, y, 0), (-0.66, y - 0.35, 0)], 5)
    blob.limb(tail, [0.025, 0.02, 0.02, 0.02, 0.02])
    b.add("body", blob.solid(44), paint="fur")
    for _ in range(b.i(4, 7)):
        b.add(
            "patches",
            ball(b.u(0.08, 0.14), b.u(0.06, 0.12), 0.03, 12).at(
                b.u(-0.45, 0.4), y + b.u(-0.1, 0.12), b.pick(-0.2, 0.2)
            ),
            paint=b.pick("fur", "dark"),
        )
    horn = handle(
        [(hx - 0.02, hy + 0.1, 0.07), (hx, hy + 0.13, 0.17), (hx + 0.04, hy + b.u(0.16, 0.3), b.u(0.17, 0.22))], 0.024
    )
    b.add("horns", horn.twin(2), paint="light")
    b.add("ears", ear(0.14, 0.04).turn(x=80).at(hx - 0.04, hy + 0.06, 0.1).twin(2), paint="fur")
    b.add("face", eyes(hx + 0.09, hy + 0.02, 0.1, 0.022), paint="dark")
    b.add("muzzle", ball(0.06, 0.075, 0.1, 12).at(hx + 0.25, hy - 0.17), paint="skin")


@category("mammals", yaw=-32)
def pig(b: Builder) -> None:
    leg, girth = b.u(0.12, 0.2), b.u(0.25, 0.31)
    blob = Blob(0.025)
    y = quadruped(b, blob, leg, girth, 0.24, 0.062, 0.05, 0.02)
    blob.ball((0, y - 0.02, 0), (0.5, 1.05 * girth, 0.25))
    hx, hy = 0.64, y + b.u(0.02, 0.1)
    blob.ball((hx, hy, 0), (0.2, 0.2, 0.19)).bone((hx + 0.1, hy - 0.05, 0), (hx + 0.26, hy - 0.07, 0), 0.095, 0.085)
    b.add("body", blob.solid(40), paint=b.pick("skin", "fur"))
    b.add("snout", rod((hx + 0.24, hy - 0.07, 0), (hx + 0.36, hy - 0.075, 0), 0.095, count=14), paint="skin")
    b.add(
        "face",
        ball(0.02, count=8).at(hx + 0.36, hy - 0.06, 0.035).twin(2),
        eyes(hx + 0.16, hy + 0.06, 0.1, 0.022),
        paint="dark",
    )
    b.add("ears", ear(0.16, 0.075, 0.25).turn(z=-35, x=20).at(hx - 0.0, hy + 0.14, 0.11).twin(2), paint="skin")
    t = np.linspace(0, 1, 22)
    curl = np.stack([-0.56 - 0.16 * t, y + 0.08 + 0.05 * np.sin(4 * np.pi * t), 0.05 * np.cos(4 * np.pi * t)], 1)
    b.add("tail", tube(curl, np.linspace(0.026, 0.014, 22), 8, ends=True), paint="skin")


@category("mammals", yaw=-32)
def rabbit(b: Builder) -> None:
    blob = Blob(0.025)
    blob.ball((-0.1, 0.26, 0), (0.3, 0.25, 0.21)).ball((0.12, 0.3, 0), (0.17, 0.2, 0.16)).ball(
        (-0.15, 0.18, 0.16), (0.17, 0.17, 0.08), twin=True
    )
    blob.bone((-0.2, 0.05, 0.18), (0.04, 0.045, 0.18), 0.05, twin=True).limb(
        [(0.2, 0.24, 0.08), (0.25, 0.045, 0.08)], [0.06, 0.045], twin=True
    )
    hx, hy = 0.28, b.u(0.54, 0.64)
    blob.ball((hx, hy, 0), (0.17, 0.15, 0.14)).ball((hx + 0.1, hy - 0.05, 0), (0.08, 0.07, 0.09))
    b.add("body", blob.solid(36), paint="fur")
    long = b.u(0.36, 0.5)
    flop = b.chance(0.25)
    one = ear(long, b.u(0.055, 0.08), 0.35)
    b.add(
        "ears",
        (
            one.turn(z=165).turn(x=18).at(hx - 0.06, hy + 0.12, 0.12)
            if flop
            else one.turn(z=b.u(8, 25), x=b.u(4, 14)).at(hx - 0.06, hy + 0.1, 0.06)
        ).twin(2),
        paint="fur",
    )
    b.add("tail", ball(0.085, count=12).at(-0.4, 0.24), paint="light")
    b.add("face", eyes(hx + 0.09, hy + 0.04, 0.11, 0.026), ball(0.022, count=8).at(hx + 0.185, hy - 0.02), paint="dark")
