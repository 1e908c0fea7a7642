"""Figures to play with.

Each function fills the components of a Builder. The telling side looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, smooth
from t2s_offline.render.builtin.shapes.parts import eyes, tyre
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join


@category("toys", yaw=15)
def teddy_bear(b: Builder) -> None:
    fat, head = b.u(0.24, 0.3), b.u(0.19, 0.24)
    blob = Blob(0.02).ball((0, 0.3, 0), (fat, 0.3, 0.85 * fat)).ball((0, 0.68, 0.02), (head, 0.92 * head, 0.9 * head))
    raise_ = b.u(-0.15, 0.25)
    for s in (-1, 1):
        blob.limb([(s * 0.18, 0.46, 0.04), (s * 0.42, 0.4 + raise_, 0.14)], [0.1, 0.085]).limb(
            [(s * 0.14, 0.12, 0.08), (s * 0.27, 0.07, 0.4)], [0.12, 0.1]
        ).ball((s * 0.28, 0.1, 0.42), (0.09, 0.12, 0.07))
        blob.ball((s * 0.75 * head, 0.68 + 0.75 * head, 0), (0.085, 0.085, 0.05))
    b.add("body", blob.solid(36), paint=b.pick("fur", "fabric"))
    b.add(
        "patches",
        ball(0.1, 0.08, 0.08, 12).at(0, 0.63, 0.86 * head),
        ball(0.6 * fat, 0.2, 0.08, 12).at(0, 0.3, 0.78 * fat),
        ball(0.055, 0.055, 0.03, 10).at(0.75 * head, 0.68 + 0.75 * head, 0.035).twin(),
        ball(0.06, 0.08, 0.03, 10).at(0.28, 0.1, 0.48).twin(),
        paint=b.pick("light", "fur"),
    )
    b.add(
        "face",
        ball(0.035, 0.028, 0.025, 8).at(0, 0.66, 0.86 * head + 0.07),
        ball(0.026, count=8).at(0.08, 0.74, 0.85 * head).twin(),
        paint="dark",
    )
    if b.chance(0.5):
        b.add(
            "bow",
            ball(0.1, 0.06, 0.03, 10).turn(z=20).at(0.09, 0.49, 0.21).twin(),
            ball(0.035, count=8).at(0, 0.49, 0.23),
            paint="plastic",
        )


@category("toys", yaw=20)
def robot(b: Builder) -> None:
    w, h, hw, hh = b.u(0.38, 0.5), b.u(0.4, 0.55), b.u(0.26, 0.38), b.u(0.22, 0.3)
    b.add("body", box(w, h, 0.3, 0.03), paint=b.pick("metal", "plastic"))
    top = h / 2 + 0.06 + hh / 2
    b.add(
        "head",
        box(hw, hh, 0.26, 0.03).at(y=top) if b.chance(0.6) else disc(0.5 * hw, hh, 20, 0.04).at(y=top),
        rod((0, h / 2, 0), (0, h / 2 + 0.08, 0), 0.06),
        paint=b.pick("metal", "plastic"),
    )
    b.add(
        "eyes",
        disc(0.045, 0.05, 14).turn(x=90).at(0.23 * hw, top + 0.04, 0.14).twin(),
        *(box(0.02, 0.04, 0.03).at(x, top - 0.07, 0.13) for x in spread(5, -0.08, 0.08)),
        paint="light",
    )
    b.add(
        "aerials",
        rod((0, top + hh / 2, 0), (0, top + hh / 2 + 0.14, 0), 0.012, count=6)
        + ball(0.035, count=8).at(0, top + hh / 2 + 0.15)
        if b.chance(0.5)
        else join(
            rod((hw / 2, top, 0), (hw / 2 + 0.05, top, 0), 0.05),
            rod((hw / 2 + 0.04, top, 0), (hw / 2 + 0.05, top + 0.2, 0), 0.012, count=6),
        ).twin(),
        paint="metal",
    )
    angle = b.u(-60, 60)
    arm = join(
        rod((0, 0, 0), (0, -0.24, 0), 0.05),
        ball(0.065, count=10),
        rod((0, -0.24, 0), (0, -0.42, 0.1), 0.045),
        tube(lift(arc(0.07, 120, 420, 10), 2), 0.022, 6).turn(x=-60).at(0, -0.5, 0.14),
    )
    b.add(
        "arms",
        arm.turn(x=-angle).at(w / 2 + 0.07, 0.34 * h),
        arm.flip(0).turn(x=-b.u(-60, 60)).at(-w / 2 - 0.07, 0.34 * h),
        paint=b.pick("metal", "plastic", "dark"),
    )
    if b.chance(0.65):
        b.add(
            "legs",
            join(
                rod((0, 0, 0), (0, -0.34, 0), 0.06),
                box(0.16, 0.1, 0.26, 0.02).at(0, -0.37, 0.04),
                torus(0.06, 0.016, 14, 6).at(y=-0.12),
                torus(0.06, 0.016, 14, 6).at(y=-0.2),
            )
            .at(0.25 * w, -h / 2)
            .twin(),
            paint=b.pick("metal", "dark"),
        )
    else:
        b.add(
            "legs",
            tyre(0.13, 0.12, 16).turn(y=90).at(0.3 * w, -h / 2 - 0.08).twin(),
            box(0.6 * w, 0.1, 0.2).at(y=-h / 2 - 0.03),
            paint="dark",
        )
    for k in range(b.i(2, 4)):
        b.add("buttons", disc(0.03, 0.03, 12).turn(x=90).at(-0.1 + 0.08 * k, -0.05, 0.155), paint="plastic")
    b.add("buttons", box(0.5 * w, 0.14, 0.02).at(0, 0.1, 0.15))


@category("toys", yaw=12)
def snowman(b: Builder) -> None:
    r = [b.u(0.36, 0.42), b.u(0.25, 0.3), b.u(0.18, 0.22)][: b.pick(2, 3, 3)]
    y, places = 0.0, []
    for k, size in enumerate(r):
        y += 0.85 * size + (0.75 * r[k - 1] if k else 0)
        places.append(y)
        b.add("snow", ball(size, count=20).at(y=y), paint="light")
    top, s = places[-1], r[-1]
    b.add("nose", rod((0, top, s - 0.02), (0, top - 0.02, s + b.u(0.18, 0.28)), 0.045, 0.005, 10), paint="food")
    b.add(
        "coal",
        ball(0.03, count=8).at(0.075, top + 0.07, s - 0.03).twin(),
        *(
            ball(0.02, count=6).at(0.09 * np.sin(a), top - 0.03 - 0.06 * np.cos(a), s - 0.02)
            for a in (-1, -0.5, 0, 0.5, 1)
        ),
        *(ball(0.035, count=8).at(0, places[-2] + dy, r[-2] - 0.01) for dy in (0.1, -0.02)),
        paint="dark",
    )
    arm = join(
        rod((0, 0, 0), (0.42, 0.16, 0), 0.02, 0.014, 6),
        rod((0.32, 0.12, 0), (0.38, 0.26, 0.02), 0.011, count=5),
        rod((0.32, 0.12, 0), (0.44, 0.06, 0.03), 0.011, count=5),
    )
    b.add("arms", arm.turn(z=b.u(-20, 30)).at(r[-2] - 0.04, places[-2]).twin(), paint="wood")
    if b.chance(0.7):
        b.add(
            "hat",
            disc(1.15 * s, 0.03, 24).at(y=top + 0.72 * s),
            disc(0.72 * s, b.u(0.16, 0.28), 24).at(y=top + 0.72 * s + 0.1),
            paint=b.pick("dark", "fabric"),
        )
    if b.chance(0.6):
        b.add(
            "scarf",
            torus(0.86 * s, 0.05, 24, 8).at(y=top - 0.8 * s),
            box(0.1, 0.3, 0.04, 0.01).turn(z=12).at(0.1, top - 0.8 * s - 0.15, 0.9 * s + 0.02),
            paint="fabric",
        )


@category("toys", yaw=-28)
def rocking_horse(b: Builder) -> None:
    low = arc(b.u(0.8, 0.95), 233, 307, 16)
    low = low - [0, low[:, 1].min()]
    b.add(
        "rockers",
        tube(lift(low, 2), 0.035, 8).at(z=0.16).twin(2),
        *(rod((x, 0.06, -0.16), (x, 0.06, 0.16), 0.02, count=6) for x in spread(b.i(2, 4), -0.3, 0.3)),
        paint=b.pick("wood", "plastic"),
    )
    blob = (
        Blob(0.025)
        .ball((0, 0.55, 0), (0.32, 0.15, 0.14))
        .limb([(0.22, 0.6, 0), (0.34, 0.85, 0), (0.36, 0.95, 0)], [0.13, 0.095, 0.09])
        .bone((0.36, 0.95, 0), (0.54, 0.84, 0), 0.085, 0.065)
    )
    for x in (0.22, -0.22):
        blob.limb([(x, 0.5, 0.1), (1.5 * x, 0.1, 0.16)], [0.07, 0.045], twin=True)
    b.add("body", blob.solid(36), paint=b.pick("wood", "plastic", "light"))
    b.add(
        "mane",
        tube(smooth([(0.4, 1.06, 0), (0.3, 1.0, 0), (0.2, 0.82, 0), (0.12, 0.68, 0)], 7), 0.05, 8, flat=0.6, ends=True),
        tube(
            smooth([(-0.3, 0.6, 0), (-0.45, 0.62, 0), (-0.52, 0.42, 0), (-0.5, 0.28, 0)], 7),
            [0.03, 0.05, 0.06, 0.06, 0.06, 0.045, 0.02],
            8,
            ends=True,
        ),
        paint=b.pick("fur", "dark", "fabric"),
    )
    b.add(
        "saddle",
        ball(0.15, 0.07, 0.15, 14).at(-0.02, 0.69),
        ball(0.04, 0.09, 0.12, 10).at(-0.15, 0.74),
        paint="plastic",
    )
    b.add(
        "bridle",
        rod((0.38, 0.86, -0.2), (0.38, 0.86, 0.2), 0.018, count=8),
        ball(0.022, 0.07, 0.03, 8).at(0.36, 1.06, 0.04).twin(2),
        eyes(0.44, 0.96, 0.075, 0.02),
        paint="dark",
    )
    if b.chance(0.5):
        b.add("blanket", ball(0.2, 0.14, 0.155, 14).at(-0.02, 0.58), paint="fabric")
