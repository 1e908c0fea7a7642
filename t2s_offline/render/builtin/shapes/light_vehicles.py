"""Vehicles on two wheels, and the skateboard.

Each function fills the components of a Builder. They drive towards +x and are turned to show side and front; lengths
are metres.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, rounded
from t2s_offline.render.builtin.shapes.parts import handle, rim, spoked, tyre
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, disc, hull, lathe, loft, rod, tube


@category("vehicles", yaw=-22)
def bicycle(b: Builder) -> None:
    r, base = b.u(0.3, 0.36), b.u(0.98, 1.1)
    back, front, crank = np.array([-base / 2, r, 0]), np.array([base / 2, r, 0]), np.array([-0.1, 0.92 * r - 0.03, 0])
    for centre in (back, front):
        hoop, inner = spoked(r, b.u(0.018, 0.03), 12, 28)
        b.add("tyres", hoop.at(*centre), paint="dark")
        b.add("spokes", inner.at(*centre), paint="metal")
    high = r + b.u(0.32, 0.4)
    seat, head = np.array([-0.22, high, 0]), np.array([0.3, high + 0.02, 0])
    low = 0.12 if b.chance(0.75) else 0.3
    thick = 0.018
    tubes = [
        (crank, seat),
        (seat - [0, 0.05, 0], head - [0.0, low - 0.04, 0]),
        (crank, head - [0, 0.1, 0]),
        (head - [0.02, -0.05, 0], head + np.array([0.03, -0.13, 0])),
    ]
    b.add("frame", *(rod(p, q, thick, count=8) for p, q in tubes), paint=b.pick("plastic", "metal"))
    b.add(
        "frame",
        rod(crank + np.array([0, 0, 0.03]), back + np.array([0, 0, 0.04]), 0.011, count=6).twin(2),
        rod(seat - [0, 0.05, 0], back + np.array([0, 0, 0.04]), 0.011, count=6).twin(2),
        rod(head + np.array([0.02, -0.1, 0.045]), front + np.array([0, 0, 0.045]), 0.014, count=6).twin(2),
    )
    b.add(
        "saddle",
        rod(seat, seat + np.array([-0.03, 0.1, 0]), 0.014, count=8),
        ball(0.14, 0.035, 0.07, 12).at(-0.26, high + 0.12),
        paint=b.pick("dark", "wood"),
    )
    if b.chance(0.5):
        bar = handle(
            [(0.28, high + 0.16, 0), (0.3, high + 0.16, 0.12), (0.26, high + 0.17, 0.22), (0.14, high + 0.17, 0.25)],
            0.014,
        ).twin(2)
    else:
        bar = handle(
            [
                (0.3, high + 0.14, 0),
                (0.36, high + 0.14, 0.17),
                (0.46, high + 0.08, 0.2),
                (0.42, high - 0.03, 0.2),
                (0.34, high - 0.03, 0.2),
            ],
            0.014,
        ).twin(2)
    b.add("bar", bar, rod(head, (0.29, high + 0.16, 0), 0.016, count=8), paint="metal")
    b.add(
        "pedals",
        disc(0.09, 0.015, 20).turn(x=90).at(*crank),
        rod(crank + np.array([0, 0, 0.06]), crank + np.array([0.12, -0.1, 0.06]), 0.012, count=6),
        rod(crank - [0, 0, 0.06], crank - [0.12, -0.1, 0.06], 0.012, count=6),
        box(0.09, 0.02, 0.08).at(0.03, 0.92 * r - 0.13, 0.1),
        box(0.09, 0.02, 0.08).at(-0.22, 0.92 * r + 0.07, -0.1),
        paint="metal",
    )
    if b.chance(0.3):
        b.add(
            "basket",
            loft(
                np.stack(
                    [
                        lift(rounded(s * 0.26, s * 0.3, 0.04, 3, 0.45), 1, y) * [1, 1, -1]
                        for s, y in ((0.8, high - 0.1), (1.0, high + 0.1))
                    ]
                )
            ),
            paint="wood",
        )


@category("vehicles", yaw=-25)
def motorcycle(b: Builder) -> None:
    r, base = b.u(0.3, 0.34), b.u(1.2, 1.45)
    for x in (-base / 2, base / 2):
        b.add("tyres", tyre(r, 0.16, 22).at(x, r), paint="dark")
        b.add("rims", rim(0.62 * r, 0.14, 14).at(x, r), paint="metal")
    b.add("tank", ball(0.3, 0.15, 0.15, 16).turn(z=b.u(-5, 10)).at(0.16, 0.82), paint="plastic")
    b.add("seat", cushion(b.u(0.6, 0.75), 0.14, 0.26, 0.5).turn(z=-6).at(-0.36, 0.78), paint="dark")
    b.add(
        "engine",
        box(0.42, 0.34, 0.3, 0.04).at(0.02, 0.44),
        *(box(0.3, 0.025, 0.38).turn(z=15).at(0.05, y) for y in spread(5, 0.5, 0.7)),
        paint="metal",
    )
    fork = rod((base / 2, r, 0.1), (0.38 * base, 0.98, 0.09), 0.03, count=8)
    b.add("fork", fork.twin(2), rod((-base / 2, r, 0.11), (-0.1, 0.42, 0.11), 0.03, count=8).twin(2), paint="metal")
    b.add("fork", handle([(0.37 * base, 1.02, 0), (0.34 * base, 1.1, 0.14), (0.26 * base, 1.1, 0.34)], 0.02).twin(2))
    b.add(
        "lamp",
        lathe([(0, 0), (0.11, 0.02), (0.08, 0.14), (0, 0.18)], 16).turn(z=90).at(0.46 * base, 0.95),
        paint=b.pick("metal", "light"),
    )
    fender = tube(
        lift(arc(r + 0.05, 20, 160, 10), 2), 0.09, section=np.array([[-1, -0.12], [1, -0.12], [1, 0.12], [-1, 0.12]])
    )
    b.add("fenders", fender.turn(z=10).at(-base / 2, r), fender.scale(0.97, 0.97, 0.9).at(base / 2, r), paint="plastic")
    b.add(
        "pipe",
        handle([(0.15, 0.4, 0.18), (0.1, 0.25, 0.2), (-0.2, 0.22, 0.2), (-0.7, b.u(0.25, 0.4), 0.22)], 0.04, 10),
        paint="metal",
    )
    if b.chance(0.3):
        b.add("case", box(0.4, 0.3, 0.18, 0.05).at(-0.58, 0.62, 0.22).twin(2), paint="dark")


@category("vehicles", yaw=-28)
def scooter(b: Builder) -> None:
    long, h, r = b.u(0.7, 0.85), b.u(0.8, 0.95), b.u(0.09, 0.12)
    b.add("deck", box(long, 0.05, 0.17, 0.02).at(-0.04, r + 0.02), paint=b.pick("plastic", "wood", "metal"))
    b.add("tyres", tyre(r, 0.05, 18).at(-long / 2 - 0.07, r), tyre(r, 0.05, 18).at(long / 2 + 0.14, r), paint="dark")
    lean = 0.14
    b.add(
        "stem",
        rod((long / 2 + 0.13, r, 0.0), (long / 2 + 0.11 - lean, h, 0), 0.024),
        rod((long / 2 - 0.06, r + 0.03, 0), (long / 2 + 0.09, 0.32, 0), 0.026),
        paint="metal",
    )
    b.add("stem", rod((long / 2 + 0.11 - lean, h, -0.24), (long / 2 + 0.11 - lean, h, 0.24), 0.018))
    b.add(
        "grips",
        rod((long / 2 + 0.11 - lean, h, 0.13), (long / 2 + 0.11 - lean, h, 0.26), 0.03).twin(2),
        paint="plastic",
    )
    fender = tube(
        lift(arc(r + 0.03, 20, 140, 9), 2), 0.04, section=np.array([[-1, -0.2], [1, -0.2], [1, 0.2], [-1, 0.2]])
    )
    b.add("fender", fender.turn(z=15).at(-long / 2 - 0.07, r), paint="plastic")
    if b.chance(0.5):
        b.add("box", box(0.1, 0.22, 0.2, 0.03).at(long / 2 + 0.12, 0.6 * h), paint="plastic")


@category("vehicles", yaw=-25)
def skateboard(b: Builder) -> None:
    long, w, kick = b.u(0.78, 0.9), b.u(0.2, 0.24), b.u(0.06, 0.12)
    t = np.linspace(-1, 1, 17)
    rise = kick * np.clip((np.abs(t) - 0.62) / 0.38, 0, 1) ** 1.5
    width = w / 2 * np.sqrt(np.clip(1 - np.clip((np.abs(t) - 0.75) / 0.27, 0, 1) ** 2, 0.02, 1))
    board = np.array([[-1, -0.09], [1, -0.09], [1, 0.09], [-1, 0.09]])
    rings = np.stack(
        [
            np.stack([np.full(4, long / 2 * x), y + board[:, 1] * w / 2, board[:, 0] * z], 1)
            for x, y, z in zip(t, rise, width, strict=True)
        ]
    )
    b.add("deck", loft(rings).at(y=0.12), paint=b.pick("wood", "plastic"))
    b.add("grip", loft(rings * [0.99, 1, 0.97]).at(y=0.126), paint=b.pick("dark", "plastic"))
    for x in (-0.3 * long, 0.3 * long):
        b.add(
            "trucks",
            rod((x, 0.04, -0.08), (x, 0.04, 0.08), 0.014, count=8),
            hull(
                [(x - 0.04, 0.11, z) for z in (-0.04, 0.04)]
                + [(x + 0.04, 0.11, z) for z in (-0.04, 0.04)]
                + [(x, 0.03, z) for z in (-0.02, 0.02)]
            ),
            paint="metal",
        )
        b.add("wheels", tyre(b.u(0.036, 0.045), 0.04, 16).at(x, 0.038, 0.09).twin(2), paint=b.pick("plastic", "light"))
    for x in spread(b.i(0, 4), -0.2 * long, 0.2 * long) if b.chance(0.6) else []:
        b.add("stripes", box(0.03, 0.012, 0.9 * w).at(x, 0.136), paint="plastic")
