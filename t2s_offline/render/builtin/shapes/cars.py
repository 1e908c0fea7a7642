"""Cars and buses.

Each function fills the components of a Builder. They drive towards +x and are turned to show side and front; lengths
are metres.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.bodies import shell, wheels
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, rounded, smooth
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, disc, loft, rod, torus, tube


@category("vehicles", yaw=-35)
def car(b: Builder) -> None:
    long, w, h, r = b.u(3.4, 4.6), b.u(1.6, 1.8), b.u(1.25, 1.5), b.u(0.3, 0.36)
    bonnet, boot = b.u(0.22, 0.32) * long, b.pick(b.u(0.02, 0.06), b.u(0.14, 0.22)) * long
    waist = b.u(0.56, 0.64) * h
    lid = [(-long / 2 + boot, waist + 0.05)] if boot > 0.1 * long else []
    side = smooth(
        [
            (-long / 2, 0.3),
            (-long / 2, waist),
            *lid,
            (long / 2 - bonnet - 0.05, waist + 0.05),
            (long / 2 - 0.15, 0.9 * waist),
            (long / 2, 0.5 * waist),
            (long / 2 - 0.03, 0.28),
        ],
        24,
    )
    b.add("body", shell(side, w, 9, 10), paint=b.pick("plastic", "metal", "dark"))
    rear, front = -long / 2 + boot, long / 2 - bonnet
    lean = b.u(0.25, 0.6)
    glass = np.array([(rear, waist), (front, waist), (front - 0.55, h), (rear + lean, h)])
    b.add("glass", shell(glass + np.array([[0, 0], [0, 0], [0, -0.05], [0, -0.05]]), w * 0.96, waist, h), paint="dark")
    top = np.array([(rear + lean - 0.05, h - 0.07), (front - 0.5, h - 0.07), (front - 0.58, h), (rear + lean, h)])
    b.add("body", shell(top, w * 0.99, waist, h))
    for x, lean_x in ((front - 0.02, -0.5), (0.5 * (front + rear), 0.0), (rear + 0.04, lean)):
        post = rod((x, waist, 0.47 * w), (x + lean_x, h - 0.03, 0.37 * w), 0.045, count=6)
        b.add("body", post.twin(2))
    wheels(b, [(x, z) for x in (-0.31 * long, 0.31 * long) for z in (-w / 2 + 0.06, w / 2 - 0.06)], r, 0.22)
    b.add(
        "lamps",
        ball(0.05, 0.09, 0.14, 10).at(long / 2 - 0.03, 0.72 * waist, 0.33 * w).twin(2),
        box(0.08, 0.12, 0.2).at(-long / 2, 0.8 * waist, 0.36 * w).twin(2),
        paint="light",
    )
    b.add("trim", box(0.12, 0.13, w * 0.96, 0.03).at(long / 2, 0.36).twin(), paint=b.pick("metal", "dark"))
    if b.chance(0.35):
        b.add(
            "rack",
            *(
                rod((x, h + 0.07, -0.3 * w), (x, h + 0.07, 0.3 * w), 0.03, count=6)
                for x in spread(2, rear + 0.8, front - 1.0)
            ),
            paint="metal",
        )
        if b.chance(0.6):
            b.add(
                "luggage",
                box(b.u(0.6, 1.0), b.u(0.2, 0.4), 0.5 * w, 0.05).at((rear + front) / 2, h + 0.25),
                paint=b.pick("fabric", "wood"),
            )
    elif b.chance(0.3):
        b.add(
            "rack",
            box(0.12, 0.05, 0.9 * w).at(-long / 2 + 0.12, waist + 0.28),
            *(box(0.05, 0.26, 0.05).at(-long / 2 + 0.14, waist + 0.15, z) for z in (-0.3 * w, 0.3 * w)),
            paint=b.pick("dark", "plastic"),
        )


@category("vehicles", yaw=-35)
def pickup_truck(b: Builder) -> None:
    long, w, h, r = b.u(4.4, 5.2), b.u(1.7, 1.9), b.u(1.5, 1.7), b.u(0.36, 0.44)
    waist, bed = 0.58 * h, b.u(0.36, 0.44) * long
    front = long / 2 - b.u(0.2, 0.26) * long
    back = -long / 2 + bed
    nose = np.array(
        [
            (back, 0.42),
            (back, waist),
            (front, waist + 0.02),
            (long / 2 - 0.1, 0.92 * waist),
            (long / 2, 0.8 * waist),
            (long / 2, 0.4),
        ]
    )
    b.add("body", shell(nose, w, 9, 10), paint=b.pick("plastic", "metal", "dark"))
    b.add(
        "body",
        box(bed, 0.5, 0.07).at(-long / 2 + bed / 2, waist - 0.2, w / 2 - 0.035).twin(2),
        box(0.07, 0.5, w).at(-long / 2 + 0.035, waist - 0.2),
        box(bed, 0.08, w).at(-long / 2 + bed / 2, 0.5),
    )
    b.add(
        "glass",
        shell(
            np.array([(back + 0.02, waist), (front, waist), (front - 0.4, h - 0.05), (back + 0.1, h - 0.05)]),
            w * 0.96,
            waist,
            h,
        ),
        paint="dark",
    )
    b.add(
        "body",
        shell(
            np.array([(back + 0.03, h - 0.08), (front - 0.36, h - 0.08), (front - 0.42, h), (back + 0.1, h)]),
            w,
            waist,
            h,
        ),
    )
    b.add(
        "body",
        rod((back + 0.05, waist, 0.47 * w), (back + 0.1, h - 0.03, 0.37 * w), 0.06, count=6).twin(2),
        rod((front - 0.03, waist, 0.47 * w), (front - 0.4, h - 0.03, 0.37 * w), 0.05, count=6).twin(2),
    )
    wheels(b, [(x, z) for x in (-0.3 * long, 0.33 * long) for z in (-w / 2 + 0.08, w / 2 - 0.08)], r, 0.26)
    b.add(
        "trim",
        box(0.14, 0.18, w, 0.03).at(long / 2, 0.46).twin(),
        box(0.05, 0.22, 0.5 * w).at(long / 2, 0.72 * waist),
        paint="metal",
    )
    b.add("lamps", disc(0.1, 0.06, 14).turn(z=90).at(long / 2, 0.74 * waist, 0.36 * w).twin(2), paint="light")
    if b.chance(0.6):
        for k in range(b.i(2, 5)):
            s = b.u(0.35, 0.55)
            b.add(
                "cargo",
                box(s, s, s, 0.02)
                .turn(y=b.u(0, 40))
                .at(-long / 2 + 0.35 + 0.4 * (k % 4), waist - 0.1 + s / 2, b.u(-0.35, 0.35)),
                paint=b.pick("wood", "plastic"),
            )


@category("vehicles", yaw=-35)
def bus(b: Builder) -> None:
    long, w, r, decks = b.u(6.5, 8.5), b.u(2.2, 2.5), 0.45, 2 if b.chance(0.4) else 1
    h = 2.6 if decks == 1 else b.u(3.9, 4.2)
    b.add(
        "body",
        loft(
            np.stack(
                [
                    lift(rounded(w * s, h - 0.35, 0.2, 4, 0, h / 2 + 0.2), 2, z)
                    for s, z in ((0.94, -long / 2), (1, -long / 2 + 0.15), (1, long / 2 - 0.15), (0.94, long / 2))
                ]
            )
        ).turn(y=90),
        paint="plastic",
    )
    n = b.i(5, 8)
    for k in range(decks):
        y = 1.75 + 1.6 * k
        step = (long - 1.2) / n
        for x in spread(n, -long / 2 + 0.6 + step / 2, long / 2 - 0.6 - step / 2):
            b.add("windows", box(0.84 * step, 0.8, w + 0.03).at(x, y), paint="dark")
        b.add("windows", box(0.06, 0.9, 0.86 * w).at(long / 2, y).twin())
    b.add("door", box(0.7, 1.7, 0.06).at(long / 2 - 0.6, 1.2, w / 2), paint=b.pick("dark", "metal"))
    b.add("stripe", box(long - 0.1, 0.18, w + 0.03).at(y=1.1), paint="plastic")
    wheels(b, [(x, z) for x in (-0.28 * long, 0.3 * long) for z in (-w / 2 + 0.1, w / 2 - 0.1)], r, 0.3)
    b.add("stripe", ball(0.12, count=10).at(long / 2, 0.65, 0.38 * w).twin(2))


@category("vehicles", yaw=-30)
def tractor(b: Builder) -> None:
    big, small, long = b.u(0.75, 0.9), b.u(0.35, 0.45), b.u(2.2, 2.7)
    b.add(
        "body",
        box(0.55 * long, 0.5, 0.6, 0.08).at(0.2 * long, 1.0),
        box(0.8 * long, 0.25, 0.45).at(0.02 * long, 0.75),
        paint="plastic",
    )
    wheels(b, [(-0.32 * long, -0.75), (-0.32 * long, 0.75)], big, 0.42)
    wheels(b, [(0.36 * long, -0.6), (0.36 * long, 0.6)], small, 0.28)
    lug = box(0.1, 0.1, 0.4).at(y=big)
    for z in (-0.75, 0.75):
        b.add("tyres", lug.around(14, axis=2).at(-0.32 * long, big, z))
    b.add("grille", box(0.06, 0.42, 0.5).at(0.475 * long, 1.0), paint="dark")
    b.add("pipe", rod((0.22 * long, 1.2, 0.12), (0.22 * long, 2.0, 0.12), 0.05, count=8), paint="metal")
    if b.chance(0.6):
        b.add(
            "posts",
            box(0.06, 1.0, 0.06).at(-0.1 * long, 1.7, 0.42).twin(2),
            box(0.06, 1.0, 0.06).at(-0.48 * long, 1.7, 0.42).twin(2),
            paint=b.pick("dark", "metal"),
        )
        b.add("roof", box(0.5 * long, 0.12, 1.1, 0.04).at(-0.28 * long, 2.24), paint="plastic")
        b.add("seat", box(0.5, 0.4, 0.6, 0.05).at(-0.3 * long, 1.2), paint="dark")
    else:
        b.add(
            "seat",
            cushion(0.45, 0.2, 0.5).at(-0.3 * long, 1.3),
            cushion(0.15, 0.45, 0.5).at(-0.4 * long, 1.5),
            paint="dark",
        )
        b.add(
            "posts",
            torus(0.2, 0.03, 18, 6).turn(z=40).at(-0.08 * long, 1.55),
            rod((0.02, 1.2, 0), (-0.08 * long, 1.55, 0), 0.03, count=6),
            paint="dark",
        )
    fender = tube(
        lift(arc(big + 0.1, 15, 150, 12), 2), 0.22, section=np.array([[-1, -0.15], [1, -0.15], [1, 0.15], [-1, 0.15]])
    )
    b.add("fenders", fender.at(-0.32 * long, big, 0.72).twin(2), paint="plastic")
