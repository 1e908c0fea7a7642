"""Carriages that are drawn or pushed.

Each function fills the components of a Builder. They drive towards +x and are turned to show side and front; lengths
are metres.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import arc, lift, smooth
from t2s_offline.render.builtin.shapes.parts import handle, spoked
from t2s_offline.render.builtin.shapes.primitives import ball, box, cushion, loft, prism, rod, tube


@category("vehicles", yaw=-30)
def covered_wagon(b: Builder) -> None:
    long, w, r = b.u(2.2, 2.8), b.u(1.1, 1.3), b.u(0.5, 0.6)
    for x, size in ((-0.32 * long, r), (0.34 * long, 0.82 * r)):
        hoop, inner = spoked(size, 0.05, 10, 24, 0.6)
        b.add("wheels", (hoop + inner).at(x, size, w / 2 + 0.12).twin(2), paint="wood")
    b.add(
        "box",
        box(long, 0.45, w, 0.02).at(y=r + 0.35),
        rod((long / 2, r + 0.15, 0), (long / 2 + 0.8, 0.45, 0), 0.05, count=8),
        paint="wood",
    )
    high = b.u(0.9, 1.15)
    # hoops carry the cloth, which sags between them and flares at both ends
    rings = []
    for t in np.linspace(0, 1, 17):
        sag = 1 - 0.05 * abs(np.sin(4 * np.pi * t)) + 0.14 * abs(2 * t - 1) ** 3
        flare = 0.5 * long * 1.12 * (2 * t - 1)
        ring = arc(w / 2 * 1.03, 0, 180, 13, 0, 0, 2 * high / w) * sag
        rings.append(np.stack([flare + 0 * ring[:, 0], ring[:, 1], -ring[:, 0]], 1))
    outer = np.stack(rings)
    b.add("cover", loft(outer).at(y=r + 0.5), paint=b.pick("light", "fabric"))
    b.add(
        "inside",
        prism(arc(w / 2 * 0.8, 0, 180, 13, 0, 0.1, 1.8 * high / w), depth=0.06).turn(y=90).at(0.565 * long, r + 0.5),
        paint="dark",
    )
    if b.chance(0.4):
        b.add(
            "load",
            *(
                ball(0.2, 0.26, 0.2, 12).at(x, r + 0.15, w / 2 + 0.2)
                for x in spread(b.i(1, 2), -0.05 * long, 0.1 * long)
            ),
            paint=b.pick("wood", "food"),
        )


@category("vehicles", yaw=-25)
def baby_carriage(b: Builder) -> None:
    w, long = b.u(0.42, 0.5), b.u(0.8, 0.95)
    low = smooth([(-0.5 * long, 0.0), (-0.42 * long, -0.2), (0, -0.28), (0.42 * long, -0.2), (0.5 * long, 0)], 15)
    b.add(
        "body",
        loft(
            np.stack(
                [lift(np.concatenate([low, [[0.5 * long, 0.03], [-0.5 * long, 0.03]]]), 2, z) for z in (-w / 2, w / 2)]
            )
        ).at(y=0.72),
        paint=b.pick("fabric", "dark", "plastic"),
    )
    hood = arc(0.4 * long, 70, 200, 12, -0.12 * long, 0.02)
    fan = np.concatenate([[[-0.12 * long, 0.0]], hood])
    b.add("hood", prism(fan, depth=w + 0.03).at(y=0.72), paint=b.pick("fabric", "plastic"))
    b.add(
        "ribs",
        *(
            tube(
                [
                    (-0.12 * long, 0.74, w / 2 + 0.02),
                    (-0.12 * long + 0.41 * long * np.cos(a), 0.74 + 0.41 * long * np.sin(a), w / 2 + 0.02),
                    (-0.12 * long + 0.41 * long * np.cos(a), 0.74 + 0.41 * long * np.sin(a), -w / 2 - 0.02),
                    (-0.12 * long, 0.74, -w / 2 - 0.02),
                ],
                0.012,
                6,
            )
            for a in np.radians(spread(b.i(3, 5), 75, 195))
        ),
        paint="metal",
    )
    r = b.u(0.2, 0.26)
    for x in (-0.3 * long, 0.32 * long):
        hoop, inner = spoked(r, 0.022, 10, 24, 0.4)
        b.add("wheels", (hoop + inner).at(x, r, w / 2 + 0.03).twin(2), paint="dark")
    b.add(
        "frame",
        rod((-0.3 * long, r, w / 2), (0.2 * long, 0.5, w / 2), 0.014, count=6).twin(2),
        rod((0.32 * long, r, w / 2), (-0.2 * long, 0.5, w / 2), 0.014, count=6).twin(2),
        paint="metal",
    )
    b.add(
        "frame",
        handle([(0.45 * long, 0.7, w / 2), (0.62 * long, 0.9, w / 2), (0.78 * long, 0.98, w / 2)], 0.016).twin(2),
        rod((0.78 * long, 0.98, -w / 2), (0.78 * long, 0.98, w / 2), 0.022),
    )
    b.add("bedding", cushion(0.6 * long, 0.16, 0.9 * w, 0.5).at(0.12 * long, 0.74), paint="light")
