"""Houses to live and pray in.

Each function fills the components of a Builder. They stand on the ground with the front along +z.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.csg import cut
from t2s_offline.render.builtin.shapes.outline import arc, rect
from t2s_offline.render.builtin.shapes.parts import dome, panes, roof
from t2s_offline.render.builtin.shapes.primitives import box, lathe, loft, prism, rod
from t2s_offline.render.builtin.shapes.solid import Solid, row


def gable(width: float, height: float, depth: float) -> Solid:
    """A prism whose triangle faces +z, standing on y = 0."""
    return prism(np.array([[-width / 2, 0], [width / 2, 0], [0, height]]), depth=depth)


@category("buildings", yaw=-32)
def house(b: Builder) -> None:
    w, d, h, up = b.u(1.0, 1.4), b.u(0.8, 1.0), b.u(0.5, 0.95), b.u(0.35, 0.6)
    b.add("walls", box(w, h, d).at(y=h / 2), paint=b.pick("light", "stone", "plastic"))
    if b.chance(0.7):
        b.add("walls", gable(d, 0.92 * up, w).turn(y=90).at(y=h))
        slope, lean = np.hypot(d / 2, up), np.degrees(np.arctan2(up, d / 2))
        slab = box(w + 0.16, 0.04, slope + 0.14).at(z=(slope + 0.14) / 2).turn(x=lean).at(0, h + up + 0.01)
        b.add("roof", slab.twin(2), paint=b.pick("stone", "food", "dark"))
    else:
        b.add("roof", roof(w, up, d, 0.1, 0.4).at(y=h + 0.03), paint=b.pick("stone", "food", "dark"))
    b.add("door", box(0.2, 0.4, 0.04).at(b.u(-0.2, 0.2) * w, 0.2, d / 2), paint="wood")
    floors = 2 if h > 0.75 else 1
    for y in spread(floors, 0.3 if floors == 1 else 0.26, 0.3 if floors == 1 else 0.72):
        for x in (-0.34 * w, 0.34 * w):
            b.add("windows", box(0.19, 0.21, 0.03).at(x, y, d / 2).twin(2), paint=b.pick("dark", "light"))
        b.add("windows", box(0.03, 0.21, 0.19).at(w / 2, y, 0.22 * d).twin(2).twin(0))
    if b.chance(0.75):
        b.add("chimney", box(0.14, 0.4, 0.14).at(b.pick(-1, 1) * 0.28 * w, h + 0.75 * up, -0.1), paint="stone")


@category("buildings", yaw=-30)
def church(b: Builder) -> None:
    long, w, h, up = b.u(1.0, 1.4), b.u(0.55, 0.7), b.u(0.5, 0.65), b.u(0.4, 0.5)
    b.add(
        "walls",
        box(w, h, long).at(0, h / 2, -long / 2),
        gable(w, 0.95 * up, long).at(0, h, -long / 2),
        paint=b.pick("light", "stone"),
    )
    slope, lean = np.hypot(w / 2, up), np.degrees(np.arctan2(up, w / 2))
    b.add(
        "roof",
        box(slope + 0.08, 0.035, long + 0.06).at((slope + 0.08) / 2).turn(z=-lean).at(0, h + up, -long / 2).twin(),
        paint=b.pick("stone", "dark", "food"),
    )
    tw, th = b.u(0.3, 0.38), b.u(1.0, 1.3)
    b.add("walls", box(tw, th, tw).at(0, th / 2, 0.08))
    spire = b.u(0.45, 0.9)
    b.add("roof", roof(tw, spire, tw, 0.03, 0).at(0, th, 0.08))
    b.add(
        "cross",
        box(0.03, 0.22, 0.03).at(0, th + spire + 0.09, 0.08),
        box(0.13, 0.03, 0.03).at(0, th + spire + 0.11, 0.08),
        paint="metal",
    )
    b.add(
        "door",
        prism(np.concatenate([[(-0.09, 0), (0.09, 0)], arc(0.09, 0, 180, 9, 0, 0.2)]), depth=0.03).at(
            0, 0, 0.08 + tw / 2
        ),
        paint="wood",
    )
    arch = prism(np.concatenate([[(-0.06, 0), (0.06, 0)], arc(0.06, 0, 180, 7, 0, 0.22)]), depth=w + 0.02).turn(y=90)
    b.add(
        "windows",
        *(arch.at(0, 0.16, z) for z in spread(b.i(3, 5), -0.9 * long, -0.28 * long)),
        arch.scale(1, 1, 1).turn(y=90).scale(1, 1, (tw + 0.02) / (w + 0.02)).at(0, 0.75 * th, 0.08),
        paint="dark",
    )


@category("buildings", yaw=28)
def skyscraper(b: Builder) -> None:
    tiers, y, w = b.i(1, 4), 0.0, b.u(0.42, 0.55)
    depth = b.u(0.75, 1.0)
    for k in range(tiers):
        h = b.u(1.4, 1.7) / tiers * (1.25 - 0.5 * k / tiers)
        b.add("walls", box(w, h, w * depth).at(y=y + h / 2), paint=b.pick("stone", "metal", "light"))
        rows_, columns = max(int(h / 0.13), 2), b.i(3, 5)
        grid = panes(0.86 * w, 0.9 * h, columns, min(rows_, 9), 0.03, w * depth + 0.012)
        side = panes(0.86 * w * depth, 0.9 * h, columns, min(rows_, 9), 0.03, w + 0.012).turn(y=90)
        b.add("windows", grid.at(y=y + h / 2), side.at(y=y + h / 2), paint=b.pick("dark", "light"))
        y, w = y + h, w * b.u(0.65, 0.82)
    if b.chance(0.6):
        b.add("mast", rod((0, y, 0), (0, y + b.u(0.25, 0.5), 0), 0.03, 0.008, 8), paint="metal")
    if b.chance(0.4):
        b.add("mast", roof(w * 1.1, b.u(0.2, 0.4), w * depth * 1.1, 0, 0).at(y=y + 0.01))
    b.add("base", box(0.75, 0.06, 0.7).at(y=0.03), paint="stone")


@category("buildings", yaw=25)
def pagoda(b: Builder) -> None:
    n, w, y = b.i(3, 6), b.u(0.6, 0.75), 0.1
    b.add("base", box(w + 0.3, 0.1, w + 0.3).at(y=0.05), paint="stone")
    for k in range(n):
        h, size = b.u(0.2, 0.24), w * (1 - 0.6 * k / n)
        b.add("walls", box(size, h, size).at(y=y + h / 2), paint=b.pick("food", "wood", "light"))
        b.add(
            "pillars",
            box(0.04, h, 0.04).at(size / 2, y + h / 2, size / 2).four(),
            box(0.3 * size, 0.7 * h, size + 0.02).at(y=y + 0.35 * h),
            paint="wood",
        )
        y += h
        out = size / 2 + 0.17 - 0.05 * k / n
        rings = []
        for s, up in ((1.0, 0.0), (0.75, 0.035), (0.5, 0.09), (0.3, 0.14)):
            edge = rect(2 * out * s, 2 * out * s)
            pts = np.concatenate([np.linspace(edge[i], edge[(i + 1) % 4], 5)[:-1] for i in range(4)])
            corner = (np.abs(pts[:, 0]) * np.abs(pts[:, 1])) / (out * s) ** 2
            rings.append(np.stack([pts[:, 0], y + up + 0.09 * s**2 * corner**2, -pts[:, 1]], 1))
        under = rings[0] * [0.97, 1, 0.97] - [0, 0.03, 0]
        b.add("roofs", loft(np.stack([under, *rings])), paint=b.pick("dark", "leaf", "plastic"))
        y += 0.08
    b.add(
        "spire",
        lathe(
            [(0, y), (0.05, y), (0.02, y + 0.1), (0.04, y + 0.16), (0.015, y + 0.2), (0.03, y + 0.25), (0, y + 0.45)],
            10,
        ),
        paint="metal",
    )


@category("buildings", yaw=25)
def greek_temple(b: Builder) -> None:
    n, m, gap, h, r = b.i(4, 6), b.i(4, 6), b.u(0.24, 0.28), b.u(0.55, 0.75), b.u(0.055, 0.07)
    w, d = gap * (n - 1), gap * (m - 1)
    for k in range(3):
        b.add("steps", box(w + 0.36 - 0.08 * k, 0.05, d + 0.36 - 0.08 * k).at(y=0.05 * k + 0.025), paint="stone")
    column = lathe(
        [
            (0, 0),
            (1.3 * r, 0),
            (1.3 * r, 0.04),
            (r, 0.06),
            (0.8 * r, h - 0.07),
            (1.3 * r, h - 0.03),
            (1.3 * r, h),
            (0, h),
        ],
        9,
    )
    places = [(x, 0.15, z) for x in spread(n, -w / 2, w / 2) for z in (-d / 2, d / 2)] + [
        (x, 0.15, z) for x in (-w / 2, w / 2) for z in spread(m, -d / 2, d / 2)[1:-1]
    ]
    b.add("columns", row(column, places), paint=b.pick("light", "stone"))
    top = 0.15 + h
    b.add("beam", box(w + 0.2, 0.11, d + 0.2).at(y=top + 0.055), paint=b.pick("light", "stone"))
    b.add("roof", gable(w + 0.32, b.u(0.2, 0.3), d + 0.28).at(y=top + 0.11), paint=b.pick("stone", "light", "food"))
    if b.chance(0.6):
        b.add("cella", box(w - 0.24, h, d - 0.24).at(y=0.15 + h / 2), paint="stone")


@category("buildings", yaw=25)
def tent(b: Builder) -> None:
    w, h, long = b.u(0.9, 1.2), b.u(0.7, 0.9), b.u(1.1, 1.4)
    if b.chance(0.55):
        outer = np.array([(-w / 2, 0), (w / 2, 0), (0, h)])
        b.add(
            "cloth",
            prism(outer, outer * 0.95 - [0, 0.001], depth=long),
            prism(outer * 0.98, depth=0.02).at(z=-long / 2 + 0.02),
            paint=b.pick("fabric", "plastic", "leaf"),
        )
        gap = b.u(0.25, 0.7)
        b.add(
            "door",
            prism(outer * 0.98, np.array([(-0.5 * w * gap, -0.1), (0.5 * w * gap, -0.1), (0, 0.8 * h)]), depth=0.02).at(
                z=long / 2 - 0.03
            ),
            paint=b.pick("fabric", "light"),
        )
        b.add("cloth", box(w, 0.02, long).at(y=0.01))
        b.add(
            "poles",
            rod((0, 0, long / 2), (0, h + 0.1, long / 2), 0.018, count=8),
            rod((0, 0, -long / 2), (0, h + 0.1, -long / 2), 0.018, count=8),
            paint=b.pick("wood", "metal"),
        )
        b.add(
            "ropes",
            *(
                rod((sx * 0.02, h, sz * long / 2), (sx * 0.35 * w, 0, sz * (long / 2 + 0.4)), 0.007, count=4)
                for sx in (-1, 1)
                for sz in (-1, 1)
            ),
            paint="light",
        )
    else:
        n, r = b.pick(8, 10, 12), 0.55 * w
        cone = lathe([(0, 0), (r, 0), (0.55 * r, 0.48 * h), (0.05, 1.15 * h), (0, 1.15 * h)], n)
        gate = prism(np.array([[-0.17, 0], [0.17, 0], [0, 0.62 * h]]), depth=r).at(z=r)
        b.add("cloth", cut(cone.turn(y=180 / n), gate), paint=b.pick("light", "fabric", "fur"))
        b.add("poles", rod((0.12, 0.95 * h, 0), (-0.12, 1.5 * h, 0.02), 0.014, count=6).around(b.i(5, 8)), paint="wood")
        b.add(
            "band",
            *(
                lathe([(q * r + 0.012, y * h - 0.03), (q * r - 0.01, y * h + 0.03)], n).turn(y=180 / n)
                for q, y in ((0.78, 0.235), (0.42, 0.65))
            ),
            paint="plastic",
        )


@category("buildings", yaw=20)
def igloo(b: Builder) -> None:
    r, rows = b.u(0.55, 0.65), b.i(4, 6)
    b.add("dome", dome(0.97 * r, 0.95 * r, 28, 8), paint=b.pick("light", "stone"))
    for k in range(rows):
        a0, a1 = (np.pi / 2 * (k + s) / (rows + 0.4) for s in (0.06, 0.94))
        n = max(int(10 * np.cos(a0)), 4)
        mid = (a0 + a1) / 2
        block = (
            box(2 * np.pi * r * np.cos(mid) / n * 0.9, r * (a1 - a0), 0.1, 0.015)
            .at(z=r * 0.98)
            .turn(x=-np.degrees(mid))
        )
        b.add("blocks", block.around(n, start=180 / n * (k % 2)), paint=b.pick("light", "stone"))
    arch = np.concatenate([arc(0.26, 0, 180, 12), arc(0.19, 180, 0, 12)])
    b.add("porch", prism(arch, depth=0.42).at(0, 0, r + 0.05), paint="light")
    b.add("inside", prism(arc(0.2, 0, 180, 12), depth=0.05).at(0, 0, r + 0.02), paint="dark")
