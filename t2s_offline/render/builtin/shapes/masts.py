"""What stands or hangs by thin lines: water tower, tower crane, parachute.

Each function fills the components of a Builder. The ground is y = 0.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import arc
from t2s_offline.render.builtin.shapes.parts import dome
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, rod
from t2s_offline.render.builtin.shapes.solid import Solid, join


@category("buildings", yaw=20, added=2)
def water_tower(b: Builder) -> None:
    high, radius, tall, legs = b.u(0.5, 0.65), b.u(0.22, 0.32), b.u(0.25, 0.4), b.pick(4, 6)
    around = np.radians(360 / legs * np.arange(legs) + 20)
    feet = [(1.15 * radius * np.cos(a), 0.0, 1.15 * radius * np.sin(a)) for a in around]
    tops = [(0.8 * radius * np.cos(a), high, 0.8 * radius * np.sin(a)) for a in around]
    b.add("legs", *(rod(foot, top, 0.022, count=8) for foot, top in zip(feet, tops, strict=True)), paint="metal")
    for share in (0.35, 0.7):
        ring = [np.array(f) + share * (np.array(t) - np.array(f)) for f, t in zip(feet, tops, strict=True)]
        b.add(
            "braces",
            *(rod(p, q, 0.012, count=6) for p, q in zip(ring, ring[1:] + ring[:1], strict=True)),
            paint="metal",
        )
    b.add("pipe", rod((0, 0, 0), (0, high, 0), b.u(0.03, 0.06)), paint="metal")
    b.add("walk", disc(1.12 * radius, 0.025, 28).at(y=high), paint="dark")
    if b.chance():
        b.add("tank", disc(radius, tall, 28).at(y=high + tall / 2), paint=b.pick("wood", "metal", "light"))
        b.add("roof", lathe([(0, 0), (1.1 * radius, 0), (0, b.u(0.1, 0.22))], 28).at(y=high + tall), paint="dark")
    else:
        b.add(
            "tank", ball(radius * 1.15, 0.6 * tall, count=28).at(y=high + 0.5 * tall), paint=b.pick("light", "plastic")
        )
        b.add("roof", dome(0.06, 0.06).at(y=high + 1.08 * tall), paint="metal")


@category("street", yaw=25, added=2)
def tower_crane(b: Builder) -> None:
    high, jib, tail, wide = b.u(0.8, 1.0), b.u(0.6, 0.8), b.u(0.2, 0.3), b.u(0.05, 0.07)
    paint = b.pick("plastic", "plastic", "metal")
    b.add("mast", _lattice(high, wide, b.i(7, 9)), paint=paint)
    b.add("base", box(4.5 * wide, 0.05, 4.5 * wide, 0.01).at(y=0.025), paint="stone")
    arm = _lattice(jib + tail, 0.7 * wide, b.i(8, 10)).turn(z=-90).at(-tail, high)
    b.add("jib", arm, paint=paint)
    peak = high + b.u(0.14, 0.2)
    b.add("peak", rod((0, high, 0), (0, peak, 0), 0.025, count=8), paint=paint)
    b.add("stays", rod((0, peak, 0), (0.7 * jib, high + 0.02, 0), 0.01, count=6),
          rod((0, peak, 0), (-0.9 * tail, high + 0.02, 0), 0.01, count=6), paint="dark")  # fmt: skip
    b.add("cab", box(0.1, 0.1, 0.1, 0.01).at(0.08, high - 0.09), paint="light")
    b.add("weight", box(0.12, 0.14, 0.12).at(-0.85 * tail, high - 0.06), paint="stone")
    x, low = b.u(0.4, 0.9) * jib, b.u(0.35, 0.7) * high
    b.add("stays", rod((x, high, 0), (x, low, 0), 0.008, count=6))
    b.add("load", b.pick(box(0.14, 0.1, 0.12), box(0.22, 0.03, 0.08), ball(0.05)).at(x, low - 0.04), paint="wood")


def _lattice(length: float, width: float, bays: int) -> Solid:
    """Four rails along +y from y = 0, braced by diagonals on every side."""
    w, step = width / 2, length / bays
    rails = rod((w, 0, w), (w, length, w), 0.012, count=5).four()
    side = [rod((-w if k % 2 else w, k * step, w), (w if k % 2 else -w, (k + 1) * step, w), 0.008, count=4)
            for k in range(bays)]  # fmt: skip
    return rails + join(*side).around(4)


@category("craft", tilt=8, added=2)
def parachute(b: Builder) -> None:
    radius, flat, lines = b.u(0.42, 0.5), b.u(0.5, 0.8), b.i(7, 10)
    top, drop = b.u(0.55, 0.7), b.u(0.05, 0.1)
    for part, name in ((0, "canopy"), (1, "stripes")):
        for number in range(part, lines, 2):
            low, high = 360 * number / lines, 360 * (number + 1) / lines
            b.add(name, _gore(radius, flat, low, high).at(y=top), paint=b.pick("fabric", "plastic", "light"))
    around = np.radians(360 / lines * np.arange(lines))
    b.add("lines", *(rod((radius * np.cos(a), top, -radius * np.sin(a)), (0, drop, 0), 0.006, count=4) for a in around),
          paint="dark")  # fmt: skip
    if b.chance():
        b.add("load", box(0.16, 0.15, 0.16, 0.01).at(y=drop - 0.06), paint="wood")
    else:
        b.add(
            "load",
            ball(0.05).at(y=drop + 0.02),
            rod((0, drop - 0.02, 0), (0, drop - 0.16, 0), 0.05, 0.04),
            paint="fabric",
        )
        b.add("legs", rod((0.03, drop - 0.16, 0), (0.05, drop - 0.32, 0), 0.025, count=8).twin(0), paint="dark")


def _gore(radius: float, flat: float, low: float, high: float) -> Solid:
    """A slice of a thin dome between two angles about y, bulged between its seams."""
    from t2s_offline.render.builtin.shapes.primitives import loft

    curve = arc(1.0, 3, 86, 8)
    rings = []
    for x, y in curve:
        turn = np.radians(np.linspace(low, high, 5))
        bulge = 1 + 0.05 * np.sin(np.linspace(0, np.pi, 5))
        out = np.stack(
            [radius * x * bulge * np.cos(turn), np.full(5, radius * flat * y), -radius * x * bulge * np.sin(turn)], 1
        )
        rings.append(np.concatenate([out, (0.96 * out)[::-1]]))
    return loft(np.stack(rings))
