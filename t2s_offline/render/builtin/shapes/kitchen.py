"""Machines of the kitchen and the laundry.

Each function fills the components of a Builder. They stand on their feet; the front looks along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.csg import cut
from t2s_offline.render.builtin.shapes.outline import arc, lift, rounded, smooth
from t2s_offline.render.builtin.shapes.parts import handle, knob
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, loft, prism, rod, torus, tube


@category("appliances", yaw=22)
def washing_machine(b: Builder) -> None:
    w, h, d = b.u(0.58, 0.62), b.u(0.78, 0.88), b.u(0.5, 0.6)
    b.add("case", box(w, h, d, 0.02).at(y=h / 2 + 0.03), paint=b.pick("light", "metal", "plastic"))
    r, y = b.u(0.17, 0.22), b.u(0.38, 0.44)
    b.add("door", torus(r, 0.035, 32, 8).turn(x=90).at(0, y, d / 2 + 0.01), paint=b.pick("metal", "dark", "plastic"))
    b.add("glass", ball(r, r, 0.06, 20).at(0, y, d / 2), paint="dark")
    b.add("panel", box(w - 0.03, 0.11, 0.03, 0.005).at(0, h - 0.05, d / 2), paint=b.pick("dark", "light"))
    b.add(
        "knobs",
        disc(0.04, 0.05, 18).turn(x=90).at(b.u(-0.05, 0.2), h - 0.05, d / 2 + 0.03),
        box(0.16, 0.06, 0.02).at(-w / 2 + 0.13, h - 0.05, d / 2 + 0.02),
        paint="metal",
    )
    for k in range(b.i(2, 4)):
        b.add("knobs", knob(0.013).at(w / 2 - 0.05 - 0.04 * k, h - 0.05, d / 2 + 0.02))
    b.add("feet", disc(0.03, 0.05, 10).at(w / 2 - 0.06, 0.02, d / 2 - 0.06).four(), paint="dark")


@category("appliances", yaw=24)
def refrigerator(b: Builder) -> None:
    w, h, d, split = b.u(0.6, 0.75), b.u(1.5, 1.85), b.u(0.6, 0.68), b.u(0.55, 0.72)
    b.add("case", box(w, h, d, 0.02).at(y=h / 2), paint=b.pick("light", "metal", "plastic"))
    y = split * h
    style = b.chance(0.4)
    doors = [(h - y - 0.02, (h + y) / 2), (y - 0.06, y / 2)] if not style else [(h - 0.06, h / 2)]
    for high, mid in doors:
        if style:
            b.add(
                "doors",
                box(w / 2 - 0.012, high, 0.06, 0.012).at(w / 4, mid, d / 2 + 0.03).twin(),
                paint=b.pick("light", "metal", "plastic"),
            )
            grips = handle(
                [
                    (0.05, mid - 0.3, d / 2 + 0.05),
                    (0.05, mid - 0.27, d / 2 + 0.11),
                    (0.05, mid + 0.27, d / 2 + 0.11),
                    (0.05, mid + 0.3, d / 2 + 0.05),
                ],
                0.016,
            )
            b.add("handles", grips.twin(), paint="metal")
        else:
            b.add(
                "doors",
                box(w - 0.01, high, 0.06, b.u(0.01, 0.025)).at(0, mid, d / 2 + 0.03),
                paint=b.pick("light", "metal", "plastic"),
            )
            reach = min(0.3, 0.4 * high)
            grips = handle([(0, -reach, 0), (0, -reach + 0.02, 0.06), (0, reach - 0.02, 0.06), (0, reach, 0)], 0.016)
            b.add("handles", grips.at(w / 2 - 0.07, mid, d / 2 + 0.05), paint="metal")
    for _ in range(b.i(0, 4)):
        b.add(
            "magnets",
            box(b.u(0.05, 0.12), b.u(0.06, 0.14), 0.012).at(b.u(-0.25, 0.1) * w, b.u(0.5, 0.9) * h, d / 2 + 0.065),
            paint="plastic",
        )
    b.add("base", box(w - 0.06, 0.08, d - 0.05).at(y=-0.02), paint="dark")


@category("appliances", yaw=28)
def toaster(b: Builder) -> None:
    w, h, d = b.u(0.62, 0.8), b.u(0.42, 0.5), b.u(0.3, 0.4)
    outline = rounded(w, h, b.u(0.06, 0.18), 6)
    body = prism(outline, depth=d)
    slots = [box(0.74 * w, 0.4, 0.06).at(0, h / 2, z) for z in (-0.22 * d, 0.22 * d)]
    b.add("body", cut(body, *slots), paint=b.pick("metal", "plastic"))
    b.add("base", box(0.92 * w, 0.06, 0.95 * d, 0.01).at(y=-h / 2 - 0.01), paint="dark")
    for z in (-0.22 * d, 0.22 * d):
        if b.chance(0.8):
            bread = prism(
                np.concatenate(
                    [
                        rounded(0.6 * w, 0.36, 0.05, 4)[8:],
                        arc(0.16 * w, -10, 190, 8, 0.15 * w, 0.18)[:6],
                        arc(0.16 * w, -10, 190, 8, -0.15 * w, 0.18)[2:],
                    ]
                ),
                depth=0.045,
            )
            b.add("toast", bread.at(0, h / 2 + b.u(-0.02, 0.06), z), paint="food")
    b.add(
        "lever",
        box(0.05, 0.05, 0.12, 0.01).at(w / 2 + 0.03, 0.1),
        disc(0.05, 0.04, 16).turn(z=90).at(w / 2 + 0.01, -0.12),
        paint="dark",
    )


@category("appliances", yaw=-15)
def kettle(b: Builder) -> None:
    r, h = b.u(0.4, 0.5), b.u(0.55, 0.75)
    body = smooth([(0.98 * r, 0.02), (r, 0.15 * h), (0.85 * r, 0.6 * h), (0.35 * r, h)], 10)
    b.add("body", lathe([(0, 0), *body, (0, h + 0.02)], 28), paint=b.pick("metal", "plastic", "dark"))
    b.add(
        "lid",
        lathe([(0.36 * r, h - 0.02), (0.3 * r, h + 0.05), (0, h + 0.07)], 20),
        ball(0.06, 0.07, count=12).at(y=h + 0.13),
        paint=b.pick("dark", "wood"),
    )
    b.add(
        "spout",
        rod((-0.8 * r, 0.45 * h, 0), (-r - b.u(0.2, 0.3), h - 0.02, 0), 0.13, 0.05, 12),
        paint=b.pick("metal", "dark"),
    )
    t = np.radians(np.linspace(12, 168, 16))
    up = b.u(0.5, 0.65)
    b.add(
        "handle",
        tube(np.stack([-0.85 * r * np.cos(t), 0.55 * h + (up + 0.1) * np.sin(t), 0 * t], 1), 0.04, 8, flat=0.6),
        paint=b.pick("dark", "wood", "metal"),
    )
    if b.chance(0.5):
        b.add("rings", torus(r, 0.025, 32, 6).at(y=0.06), paint="metal")


@category("appliances", yaw=-25)
def flat_iron(b: Builder) -> None:
    long, wide, h = b.u(0.9, 1.05), b.u(0.4, 0.48), b.u(0.2, 0.28)
    half = smooth([(-0.5, 0), (-0.5, 0.3), (-0.42, 0.46), (0.0, 0.46), (0.3, 0.28), (0.5, 0.0)], 12)
    sole = np.concatenate([half, half[-2:0:-1] * [1, -1]]) * [long, wide]
    plan = lift(sole[::-1], 1)
    rings = np.stack([plan * [s, 1, s] + [0, y, 0] for s, y in ((1.0, 0.05), (0.98, 0.1), (0.85, 0.6 * h), (0.5, h))])
    b.add("body", loft(rings), paint=b.pick("plastic", "metal", "dark"))
    b.add("sole", loft(np.stack([plan * [1.02, 1, 1.02], plan * [1.02, 1, 1.02] + [0, 0.05, 0]])), paint="metal")
    up = h + b.u(0.24, 0.32)
    b.add(
        "handle",
        handle(
            [
                (0.25 * long, 0.8 * h, 0),
                (0.18 * long, up - 0.04, 0),
                (0, up, 0),
                (-0.36 * long, up - 0.03, 0),
                (-0.42 * long, 0.3 * h, 0),
            ],
            0.05,
            18,
        ),
        paint=b.pick("dark", "plastic", "wood"),
    )
    b.add("dial", disc(0.09, 0.05, 18).at(0.02 * long, h + 0.02), paint="plastic")
    b.add(
        "cord",
        handle([(-0.4 * long, up - 0.06, 0), (-0.6 * long, up - 0.02, 0), (-0.68 * long, up - 0.25, 0.05)], 0.018),
        paint="dark",
    )
    if b.chance(0.5):
        b.add("cap", rod((0.36 * long, 0.5 * h, 0), (0.4 * long, 0.5 * h + 0.14, 0), 0.06, count=12), paint="plastic")
    if b.chance(0.4):
        b.add("dial", ball(0.025, count=8).at(0.2 * long, h - 0.02, 0.06).twin(2))


@category("appliances", yaw=-28)
def sewing_machine(b: Builder) -> None:
    w, h = b.u(0.85, 1.0), b.u(0.5, 0.6)
    b.add("base", box(w, 0.1, 0.42, 0.03).at(y=0.05), paint=b.pick("wood", "dark", "plastic"))
    arm = tube(
        smooth(
            [(0.33 * w, 0.08, 0), (0.34 * w, 0.7 * h, 0), (0.2 * w, h, 0), (-0.2 * w, h, 0), (-0.34 * w, 0.92 * h, 0)],
            14,
        ),
        np.linspace(0.13, 0.085, 14),
        12,
        ends=True,
    )
    b.add("arm", arm, paint=b.pick("dark", "plastic", "metal"))
    b.add("head", box(0.15, 0.36, 0.2, 0.04).at(-0.36 * w, 0.82 * h), paint=b.pick("dark", "metal"))
    b.add(
        "needle",
        rod((-0.36 * w, 0.6 * h, 0), (-0.36 * w, 0.1, 0), 0.014, count=8),
        box(0.07, 0.02, 0.1).at(-0.36 * w, 0.13),
        paint="metal",
    )
    wheel = torus(0.14, 0.03, 24, 8).turn(z=90) + box(0.03, 0.26, 0.03) + box(0.03, 0.03, 0.26)
    b.add(
        "wheel",
        wheel.at(0.34 * w + 0.17, 0.8 * h),
        rod((0.34 * w, 0.8 * h, 0), (0.34 * w + 0.18, 0.8 * h, 0), 0.03),
        paint="metal",
    )
    b.add(
        "spool",
        lathe([(0.05, 0), (0.05, 0.02), (0.03, 0.03), (0.03, 0.13), (0.05, 0.14), (0.05, 0.16)], 14).at(
            0.08 * w, h + 0.06
        ),
        paint="fabric",
    )
    if b.chance(0.6):
        cloth = box(b.u(0.5, 0.8), 0.02, b.u(0.3, 0.5)).turn(y=b.u(-25, 25)).at(-0.34 * w, 0.115, 0.12)
        b.add("cloth", cloth, paint="fabric")
    if b.chance(0.5):
        b.add(
            "drawers",
            box(0.32 * w, 0.16, 0.4, 0.02).at(-0.3 * w, -0.07),
            box(0.32 * w, 0.16, 0.4, 0.02).at(0.3 * w, -0.07),
            paint="wood",
        )
    for k in range(b.i(0, 3)):
        b.add("wheel", disc(0.035, 0.03, 14).turn(x=90).at(0.05 * w + 0.1 * k, 0.97 * h, 0.1))
