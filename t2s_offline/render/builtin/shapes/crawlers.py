"""Animals with shells and many limbs.

Each function fills the components of a Builder. They face +x with their plane of symmetry at z = 0; crab, spider,
butterfly and starfish face +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.parts import eyes, handle
from t2s_offline.render.builtin.shapes.primitives import ball, lathe, prism, rod, tube


@category("creatures", yaw=-30)
def snail(b: Builder) -> None:
    turns, r = b.u(2.2, 2.8), b.u(0.3, 0.36)
    t = np.linspace(0, 1, 56)
    a = -np.pi / 2 + 0.4 - 2 * np.pi * turns * t
    radius = r * (1 - 0.86 * t)
    path = np.stack([radius * np.cos(a) * 0.72, radius * np.sin(a) * 0.72, 0.16 * t - 0.05], 1)
    b.add(
        "shell",
        tube(path, 0.2 * (1 - 0.8 * t) * r / 0.32, 10, ends=True).at(-0.06, 0.14 + r),
        paint=b.pick("wood", "food", "ceramic"),
    )
    blob = Blob(0.025).limb(
        [(-0.6, 0.03, 0), (-0.2, 0.08, 0), (0.2, 0.08, 0), (0.42, 0.12, 0), (0.55, b.u(0.26, 0.36), 0)],
        [0.02, 0.09, 0.1, 0.1, 0.08],
    )
    blob.ball((0, 0.05, 0), (0.5, 0.05, 0.13))
    b.add("body", blob.solid(36), paint=b.pick("skin", "fur", "food"))
    stalk = handle([(0.56, 0.34, 0.04), (0.6, 0.48, 0.08), (0.66, b.u(0.56, 0.66), 0.1)], 0.016) + ball(
        0.035, count=8
    ).at(0.66, 0.61, 0.1)
    b.add("horns", stalk.twin(2), paint="skin")


@category("creatures", yaw=15, tilt=15)
def crab(b: Builder) -> None:
    w, d = b.u(0.36, 0.44), b.u(0.25, 0.3)
    # faces +z, its claws spread left and right
    b.add("shell", ball(w, 0.14, d, 20, 0.9).at(y=0.24), paint=b.pick("food", "skin", "plastic"))
    for k in range(b.i(3, 4)):
        z = 0.16 - 0.12 * k
        leg = tube(
            [(0.75 * w, 0.22, z), (w + 0.22, 0.36, 1.6 * z), (w + 0.38, 0.02, 2.1 * z - 0.03)], [0.04, 0.035, 0.01], 8
        )
        b.add("legs", leg.twin(), paint=b.pick("food", "skin"))
    arm = tube(
        smooth([(0.7 * w, 0.24, 0.7 * d), (w + 0.16, 0.26, d + 0.08), (w + 0.08, 0.34, d + 0.26)], 6),
        [0.045, 0.05, 0.05, 0.05, 0.055, 0.06],
        8,
    )
    size = b.u(0.9, 1.3)
    claw = (
        ball(0.1, 0.085, 0.15, 12)
        + tube(smooth([(0.04, 0, 0.1), (0.08, 0, 0.22), (0.0, 0, 0.32)], 6), [0.06, 0.05, 0.045, 0.035, 0.02, 0.005], 8)
        + tube(
            smooth([(-0.05, 0, 0.1), (-0.1, 0, 0.18), (-0.05, 0, 0.29)], 6), [0.04, 0.035, 0.03, 0.025, 0.015, 0.005], 8
        )
    ).scale(size)
    b.add(
        "claws",
        (arm + claw.turn(y=-25, x=-35).at(w + 0.06, 0.38, d + 0.3)).twin(),
        paint=b.pick("food", "skin", "plastic"),
    )
    b.add(
        "eyes",
        rod((0.08, 0.3, d - 0.03), (0.1, 0.46, d), 0.018, count=6).twin(),
        ball(0.04, count=10).at(0.1, 0.48, d).twin(),
        paint="dark",
    )
    for x in spread(b.i(2, 5), -0.5 * w, 0.5 * w):
        b.add("bumps", ball(0.05, 0.03, 0.05, 8).at(x, 0.37, b.u(-0.1, 0.1)), paint=b.pick("light", "food"))


@category("creatures", yaw=20, tilt=10)
def spider(b: Builder) -> None:
    r = b.u(0.2, 0.28)
    b.add("body", ball(0.16, 0.12, 0.18, 14).at(0, 0.3, 0.14), paint=b.pick("dark", "fur", "wood"))
    b.add("abdomen", ball(r, 0.85 * r, 1.15 * r, 16).at(0, 0.34, -0.04 - r), paint=b.pick("dark", "fur", "plastic"))
    for k, a in enumerate((-50, -18, 16, 48)):
        long = b.u(0.52, 0.64) * (1.1 if k in (0, 3) else 0.95)
        leg = tube(
            [(0.08, 0.3, 0), (0.5 * long, 0.58, 0), (0.9 * long, 0.2, 0), (1.15 * long, 0.0, 0)],
            [0.032, 0.028, 0.02, 0.008],
            7,
        )
        b.add("legs", leg.turn(y=a).at(z=0.14 - 0.04 * k + 0.05).twin(), paint=b.pick("dark", "fur", "wood"))
    b.add(
        "eyes",
        ball(0.03, count=8).at(0.05, 0.36, 0.3).twin(),
        ball(0.02, count=8).at(0.1, 0.36, 0.27).twin(),
        rod((0.05, 0.26, 0.3), (0.04, 0.15, 0.34), 0.03, 0.005, 6).twin(),
        paint=b.pick("light", "food"),
    )
    if b.chance(0.4):
        b.add(
            "mark",
            *(ball(0.06, 0.03, 0.08, 8).at(0, 0.34 + 0.8 * r, -r + 0.12 - 0.14 * k) for k in range(b.i(1, 3))),
            paint="food",
        )


@category("creatures", yaw=10, tilt=25)
def butterfly(b: Builder) -> None:
    w, fold = b.u(0.55, 0.7), b.u(5, 30)
    upper = smooth(
        [(0.02, 0.05), (0.3 * w, 0.5), (0.8 * w, b.u(0.55, 0.7)), (w, 0.42), (0.75 * w, 0.1), (0.3 * w, -0.02)],
        26,
        closed=True,
    )
    lower = smooth(
        [
            (0.02, 0.02),
            (0.4 * w, 0.04),
            (0.75 * w, -0.1),
            (0.7 * w, -0.38),
            (0.42 * w, b.u(-0.62, -0.45)),
            (0.15 * w, -0.3),
        ],
        24,
        closed=True,
    )
    b.add("wings", prism(upper[::-1], depth=0.015).turn(y=-fold).twin(), paint="plastic")
    b.add("hind_wings", prism(lower[::-1], depth=0.015).turn(y=-fold).at(z=-0.01).twin(), paint="plastic")
    for x, y, s in ((0.66 * w, 0.38, 0.11), (0.5 * w, -0.26, 0.1), (0.38 * w, 0.28, 0.08), (0.8 * w, 0.5, 0.05))[
        : b.i(1, 4)
    ]:
        b.add(
            "spots",
            ball(s, s * b.u(0.8, 1.2), 0.016, 12).at(x, y).turn(y=-fold).twin(),
            paint=b.pick("light", "dark", "plastic"),
        )
    b.add(
        "body",
        tube(
            [(0, -0.34, 0), (0, 0.0, 0.01), (0, 0.2, 0.01), (0, 0.27, 0.01)], [0.025, 0.04, 0.045, 0.035], 10, ends=True
        ),
        handle([(0.01, 0.3, 0.01), (0.06, 0.45, 0.03), (b.u(0.1, 0.2), 0.55, 0.03)], 0.008).twin(),
        paint="dark",
    )


@category("creatures", yaw=-25)
def bee(b: Builder) -> None:
    n, r = b.i(2, 4), b.u(0.2, 0.25)
    body = ball(0.42, r, r, 24)
    b.add("body", body, ball(0.17, 0.17, 0.17, 14).at(0.46), paint="food")
    for x in spread(n, -0.24, 0.16):
        y = r * np.sqrt(max(1 - (x / 0.42) ** 2, 0))
        b.add(
            "stripes",
            lathe([(0.97 * y, -0.045), (1.04 * y, -0.03), (1.04 * y, 0.03), (0.97 * y, 0.045)], 20).turn(z=90).at(x),
            paint="dark",
        )
    wing = ball(0.16, 0.02, b.u(0.34, 0.44), 14).at(z=0.34).turn(x=-b.u(20, 50))
    b.add(
        "wings",
        wing.turn(y=12).at(0.12, 0.8 * r, 0.04).twin(2),
        wing.scale(0.75).turn(y=-15).at(-0.05, 0.8 * r, 0.04).twin(2),
        paint="light",
    )
    b.add(
        "stripes",
        rod((-0.38, 0, 0), (-0.58, -0.02, 0), 0.035, 0.003, 6),
        handle([(0.56, 0.12, 0.05), (0.66, 0.26, 0.08), (0.76, 0.28, 0.1)], 0.012).twin(2),
        eyes(0.57, 0.04, 0.09, 0.05),
    )
    for x in (0.15, 0.02, -0.12):
        b.add(
            "legs",
            tube(
                [(x, -0.7 * r, 0.08), (x + 0.05, -r - 0.08, 0.16), (x - 0.02, -r - 0.2, 0.18)], [0.02, 0.018, 0.01], 6
            ).twin(2),
            paint="dark",
        )


@category("creatures", yaw=8, tilt=20)
def starfish(b: Builder) -> None:
    n, slim = b.pick(5, 5, 5, 6), b.u(0.09, 0.15)
    blob = Blob(0.03).ball((0, 0, 0), (0.18, 0.18, 0.09))
    for k in range(n):
        a = np.pi / 2 + 2 * np.pi * k / n
        bend = b.u(-0.15, 0.15)
        points = [(0.62 * s * np.cos(a + bend * s), 0.62 * s * np.sin(a + bend * s), 0) for s in (0.0, 0.4, 0.75, 1.0)]
        blob.limb(points, [slim * 1.15, slim, 0.7 * slim, 0.4 * slim])
    b.add("body", blob.solid(34), paint=b.pick("food", "skin", "plastic"))
    dots = [
        ball(0.022, count=6).at(0.13 * j * np.cos(a), 0.13 * j * np.sin(a), slim * (1.15 - 0.1 * j))
        for a in np.pi / 2 + 2 * np.pi * np.arange(n) / n
        for j in range(1, 5)
    ]
    b.add("dots", *dots, paint=b.pick("light", "food"))
