"""Small things of the house.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.csg import cut
from t2s_offline.render.builtin.shapes.outline import arc, circle, lift, rounded, smooth
from t2s_offline.render.builtin.shapes.parts import handle, knob, roof
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, loft, prism, rod, torus, tube


@category("household", yaw=-15, lean=-18)
def umbrella(b: Builder) -> None:
    n, r, h = b.i(8, 10), b.u(0.65, 0.8), b.u(0.3, 0.42)
    # the rim is scalloped between the ribs, the cloth sags there
    count = 4 * n
    angle = 2 * np.pi * np.arange(count) / count
    sag = np.abs(np.cos(n * angle / 2))
    rings = []
    for t in np.linspace(0.03, 1, 7):
        radius = r * np.sin(t * np.pi / 2) * (1 - 0.12 * t**2 * (1 - sag))
        y = 1.0 + h * np.cos(t * np.pi / 2) + 0.06 * t**3 * (1 - sag)
        rings.append(np.stack([radius * np.cos(angle), y, -radius * np.sin(angle)], 1))
    under = [ring * [0.985, 1, 0.985] - [0, 0.02, 0] for ring in reversed(rings)]
    b.add("canopy", loft(np.stack(rings + under)), paint=b.pick("fabric", "plastic"))
    b.add("shaft", rod((0, 0.1, 0), (0, 1.0 + h + 0.08, 0), 0.016, count=8), paint=b.pick("metal", "wood"))
    b.add("ribs", rod((0, 1.0, 0), (0.6 * r, 1.0 + 0.6 * h, 0), 0.009, count=5).around(n), paint="metal")
    hook = (
        tube(lift(arc(0.09, 180, 360, 10), 2), 0.025, 8, ends=True).at(0.09, 0.1)
        if b.chance(0.75)
        else rod((0, -0.05, 0), (0, 0.16, 0), 0.035)
    )
    b.add("handle", hook, rod((0, 0.1, 0), (0, 0.22, 0), 0.026), paint=b.pick("wood", "dark", "plastic"))


@category("household", yaw=8)
def padlock(b: Builder) -> None:
    w, h, d = b.u(0.5, 0.65), b.u(0.42, 0.6), b.u(0.16, 0.24)
    body = prism(rounded(w, h, b.u(0.04, 0.2)), depth=d) if b.chance(0.7) else disc(0.55 * w, d, 32, 0.03).turn(x=90)
    b.add("body", body, paint=b.pick("metal", "plastic"))
    top, reach, t = 0.5 * h, b.u(0.3, 0.5), 0.34 * w
    b.add(
        "shackle",
        handle(
            [
                (-t, top - 0.1, 0),
                (-t, top + reach * 0.6, 0),
                (0, top + reach, 0),
                (t, top + reach * 0.6, 0),
                (t, top - 0.1, 0),
            ],
            b.u(0.045, 0.065),
            20,
        ),
        paint="metal",
    )
    b.add(
        "keyhole",
        disc(0.06, 0.03, 20).turn(x=90).at(0, 0, d / 2),
        box(0.05, 0.15, 0.03).at(0, -0.08, d / 2),
        paint="dark",
    )
    if b.chance(0.4):
        b.add("rivets", knob(0.03).at(0.42 * w, 0.4 * h, d / 2).twin(0).twin(1), paint="metal")


@category("household", lean=-30)
def key(b: Builder) -> None:
    length, thick, r = b.u(0.7, 0.95), b.u(0.03, 0.045), b.u(0.15, 0.21)
    style = b.i(0, 2)
    if style == 0:
        bow = torus(r, 0.045, 28, 8).turn(x=90)
    elif style == 1:
        bow = torus(0.6 * r, 0.035, 20, 8).turn(x=90).at(y=0.75 * r).around(3, axis=2)
    else:
        bow = prism(circle(1.15 * r, 28), circle(0.55 * r, 20, 0, 0.35 * r), depth=0.06)
    b.add("bow", bow.at(y=r), paint="metal")
    b.add(
        "shaft",
        rod((0, 0.1, 0), (0, -length, 0), thick, count=12),
        disc(1.7 * thick, 0.05, 14).at(y=-0.06),
        paint="metal",
    )
    n = b.i(2, 4)
    for k, y in enumerate(spread(n, -length + 0.06, -length + 0.28)):
        tooth = b.u(0.1, 0.2)
        b.add("bit", box(tooth, 0.055, 0.04).at(thick + tooth / 2 - 0.02, y), paint="metal")
        if k == 0:
            b.add("bit", box(0.07, 0.26, 0.04).at(thick + 0.02, -length + 0.16))


@category("household", yaw=24)
def suitcase(b: Builder) -> None:
    w, h, d = b.u(0.75, 1.0), b.u(0.5, 0.68), b.u(0.2, 0.3)
    trolley = b.chance(0.4)
    if trolley:
        w, h = 0.75 * h + 0.1, w
    b.add(
        "shell",
        cut(box(w, h, d, b.u(0.03, 0.07)), box(w + 1, h + 1, 0.012)) if b.chance(0.5) else box(w, h, d, 0.05),
        paint=b.pick("fabric", "plastic", "wood"),
    )
    for x in spread(2, -0.28 * w, 0.28 * w):
        b.add("straps", box(0.07, h + 0.02, d + 0.02, 0.01).at(x), paint=b.pick("wood", "dark", "fabric"))
        if not trolley:
            b.add("locks", box(0.06, 0.07, 0.03, 0.005).at(x + 0.1, h / 2 - 0.04, d / 2), paint="metal")
    b.add(
        "corners",
        ball(0.07, count=10).at(w / 2 - 0.04, h / 2 - 0.04, d / 2 - 0.04).four().twin(1),
        paint=b.pick("metal", "dark"),
    )
    up = b.u(0.3, 0.5) if trolley else 0.1
    grip = handle(
        [(-0.13, h / 2 - 0.02, 0), (-0.13, h / 2 + 0.8 * up, 0), (0.13, h / 2 + 0.8 * up, 0), (0.13, h / 2 - 0.02, 0)],
        0.025,
        16,
    )
    b.add("handle", grip, paint=b.pick("dark", "metal"))
    if trolley:
        b.add(
            "wheels", disc(0.06, 0.04, 14).turn(z=90).at(w / 2 - 0.08, -h / 2 - 0.04, d / 2 - 0.06).four(), paint="dark"
        )


@category("household", lean=-25)
def hand_mirror(b: Builder) -> None:
    r, long, flat = b.u(0.28, 0.36), b.u(0.45, 0.6), b.u(1.0, 1.3)
    b.add(
        "frame",
        torus(r, 0.045, 36, 10).turn(x=90).scale(1, flat, 1),
        disc(r, 0.03, 36).turn(x=90).scale(1, flat, 1).at(z=-0.02),
        paint=b.pick("metal", "wood", "plastic"),
    )
    b.add("glass", disc(r * 0.96, 0.03, 36).turn(x=90).scale(1, flat, 1), paint="light")
    y = -r * flat
    grip = smooth(
        [
            (0.035, y + 0.02),
            (0.03, y - 0.08),
            (b.u(0.045, 0.07), y - 0.6 * long),
            (0.03, y - 0.9 * long),
            (0.045, y - long),
        ],
        12,
    )
    b.add(
        "handle",
        lathe([*grip, (0, y - long - 0.03)][::-1], 16).scale(1, 1, 0.7),
        paint=b.pick("wood", "metal", "plastic"),
    )
    if b.chance(0.5):
        b.add("beads", ball(0.035, count=8).at(y=r + 0.05).around(b.i(14, 22), axis=2).scale(1, flat, 1), paint="metal")


@category("household", yaw=20)
def birdcage(b: Builder) -> None:
    r, h, n = b.u(0.3, 0.38), b.u(0.45, 0.65), b.i(14, 18)
    up = b.u(0.25, 0.36)
    b.add("tray", disc(r * 1.08, 0.08, 32, 0.02), paint=b.pick("metal", "wood", "plastic"))
    wire = handle([(r, 0, 0), (r, h, 0), (0.75 * r, h + 0.65 * up, 0), (0, h + up, 0)], 0.011, 9)
    b.add(
        "bars",
        tube(
            smooth([(r, 0, 0), (r, 0.6 * h, 0), (r, h, 0), (0.75 * r, h + 0.65 * up, 0), (0.02, h + up, 0)], 9),
            0.011,
            5,
        ).around(n)
        if n
        else wire,
        paint="metal",
    )
    b.add(
        "hoops",
        *(torus(r, 0.014, 28, 5).at(y=y) for y in (0.5 * h, h)),
        torus(0.07, 0.014, 16, 6).turn(x=90).at(y=h + up + 0.08),
        paint="metal",
    )
    b.add("perch", rod((-r, 0.4 * h, 0), (r, 0.4 * h, 0), 0.015, count=6), paint="wood")
    bird = (
        ball(0.12, 0.09, 0.08, 12).turn(z=25).at(0, 0.4 * h + 0.09)
        + ball(0.06, count=10).at(0.1, 0.4 * h + 0.2)
        + rod((0.14, 0.4 * h + 0.2, 0), (0.21, 0.4 * h + 0.19, 0), 0.02, 0.002, 6)
        + box(0.16, 0.02, 0.05).turn(z=25).at(-0.17, 0.4 * h + 0.02)
    )
    b.add("bird", bird, paint="plastic")


@category("household", yaw=25)
def birdhouse(b: Builder) -> None:
    w, h = b.u(0.34, 0.44), b.u(0.36, 0.5)
    b.add("walls", box(w, h, w).at(y=h / 2), paint=b.pick("wood", "plastic"))
    pitch = b.u(0.2, 0.34)
    b.add("walls", prism(np.array([[-w / 2, 0], [w / 2, 0], [0, pitch]]), depth=w).at(y=h))
    slope = np.hypot(w / 2, pitch)
    lean = np.degrees(np.arctan2(pitch, w / 2))
    b.add(
        "roof",
        box(slope + 0.14, 0.035, w + 0.18).at(x=-(slope + 0.14) / 2 + 0.02).turn(z=lean).at(y=h + pitch + 0.02).twin(),
        paint=b.pick("wood", "plastic", "dark"),
    )
    b.add("hole", disc(0.09, 0.02, 24).turn(x=90).at(0, 0.62 * h, w / 2), paint="dark")
    b.add("perch", rod((0, 0.35 * h, w / 2), (0, 0.35 * h, w / 2 + 0.14), 0.02, count=8), paint="wood")
    if b.chance(0.7):
        b.add("post", box(0.08, b.u(0.4, 0.8), 0.08).at(y=-0.25), paint="wood")
    if b.chance(0.3):
        b.add("post", roof(0.05, 0.05, 0.05).at(y=-0.6))


@category("household", yaw=15)
def globe(b: Builder) -> None:
    r = b.u(0.34, 0.4)
    b.add("sphere", ball(r, count=30), paint=b.pick("plastic", "ceramic"))
    for _ in range(b.i(5, 8)):
        patch = ball(b.u(0.08, 0.2), 0.02, b.u(0.06, 0.16), 12).at(y=r - 0.005).turn(x=b.u(-80, 80), z=b.u(-180, 180))
        b.add("land", patch, paint="leaf")
    tilt = 23.0
    ring = tube(lift(arc(r * 1.12, -95, 95, 22), 2), 0.022, 8).turn(z=-tilt)
    b.add("meridian", ring, rod((0, -1.15 * r, 0), (0, 1.15 * r, 0), 0.018, count=8).turn(z=-tilt), paint="metal")
    low = -1.12 * r
    b.add(
        "stand",
        lathe(
            [
                (0, low - 0.3),
                (0.24, low - 0.3),
                (0.22, low - 0.26),
                (0.05, low - 0.2),
                (0.035, low - 0.1),
                (0.05, low),
                (0, low + 0.02),
            ],
            24,
        ).at(0.06),
        paint=b.pick("wood", "metal"),
    )
