"""What is looked through, sent up and turned: telescope, microscope, satellite, propeller.

Each function fills the components of a Builder. Tubes look along +x and up.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category
from t2s_offline.render.builtin.shapes.outline import arc, lift
from t2s_offline.render.builtin.shapes.parts import leaf
from t2s_offline.render.builtin.shapes.primitives import ball, box, disc, lathe, rod, torus, tube
from t2s_offline.render.builtin.shapes.solid import join


@category("household", yaw=-20, added=2)
def telescope(b: Builder) -> None:
    height, steps, radius, angle = b.u(0.75, 0.95), b.i(2, 3), b.u(0.1, 0.13), b.u(20, 45)
    spread = b.u(0.28, 0.38)
    for turn in (30, 150, 270):
        foot = (spread * np.cos(np.radians(turn)), 0.0, spread * np.sin(np.radians(turn)))
        b.add("legs", rod(foot, (0, height, 0), 0.03, 0.02, 8), paint=b.pick("wood", "metal"))
    b.add("mount", ball(0.06, count=12).at(y=height), disc(0.05, 0.12).at(y=height - 0.02), paint="dark")
    barrel, rims, start = [], [], -0.45
    for step in range(steps):
        r, stop = radius * (0.6 + 0.4 * (step + 1) / steps), start + 0.95 / steps
        barrel.append(disc(r, stop - start, 24, 0.01).turn(z=-90).at((start + stop) / 2))
        rims.append(disc(1.12 * r, 0.03, 24).turn(z=-90).at(stop))
        start = stop
    eye = disc(0.05, 0.12, 16).turn(z=-90).at(-0.5)
    b.add(
        "tube", *(part.turn(z=angle).at(y=height + 0.1) for part in barrel), paint=b.pick("metal", "light", "plastic")
    )
    b.add("rims", *(part.turn(z=angle).at(y=height + 0.1) for part in (*rims, eye)), paint="dark")


@category("appliances", yaw=-25, added=2)
def microscope(b: Builder) -> None:
    wide, high, lean = b.u(0.3, 0.38), b.u(0.75, 0.9), b.u(15, 35)
    b.add("base", box(0.5, 0.07, wide, 0.03).at(0.02, 0.035), paint=b.pick("dark", "light", "metal"))
    curve = arc(0.5 * high, -70, 75, 12, x=-0.42, y=0.5 * high)
    b.add("arm", tube(lift(curve), 0.06, 10, ends=True, flat=0.8), paint=b.pick("dark", "light", "plastic"))
    b.add("stage", box(0.3, 0.035, 0.28, 0.01).at(0.08, 0.38 * high), disc(0.02, 0.36 * high).at(0.08, 0.2 * high),
          paint="dark")  # fmt: skip
    body = disc(0.07, 0.34, 20, 0.01).at(y=0.1) + disc(0.045, 0.2, 16).at(y=0.36)
    noses = join(*(rod((0, -0.06, 0), (0.1 * np.sin(a), -0.22, 0.1 * np.cos(a)), 0.035, 0.02) for a in (0.3, 2.4, 4.5)))
    placed = [part.turn(z=lean).at(0.1, 0.75 * high) for part in (body, noses)]
    b.add("tube", placed[0], paint=b.pick("metal", "light"))
    b.add("lenses", placed[1], disc(0.055, 0.06).turn(z=lean).at(0.1 - 0.47 * np.sin(np.radians(lean)),
          0.75 * high + 0.47 * np.cos(np.radians(lean))), paint="metal")  # fmt: skip
    top = np.array([0.1 - 0.1 * np.sin(np.radians(lean)), 0.75 * high + 0.1 * np.cos(np.radians(lean)), 0])
    b.add("arm", rod(lift(curve)[-1], top, 0.055, count=10))
    b.add("knobs", disc(b.u(0.07, 0.1), wide + 0.02, 20).turn(x=90).at(-0.02, 0.32 * high), paint="dark")


@category("craft", yaw=25, tilt=15, added=2)
def satellite(b: Builder) -> None:
    size, wings, panels = b.u(0.2, 0.28), b.u(0.28, 0.4), b.i(2, 4)
    body = b.pick(box(size, 1.2 * size, size, 0.03), disc(0.6 * size, 1.3 * size, 6, 0.02))
    b.add("body", body, paint=b.pick("metal", "light"))
    for side in (-1, 1):
        b.add(
            "struts", rod((0, 0, 0), (side * (0.7 * size + panels * wings * 0.62), 0, 0), 0.018, count=8), paint="metal"
        )
        for number in range(panels):
            x = side * (0.8 * size + 0.3 * wings + number * 0.62 * wings)
            b.add(
                "panels",
                box(0.55 * wings, 0.02, wings, 0.005).turn(x=b.u(15, 20)).at(x),
                paint=b.pick("dark", "plastic"),
            )
    reach = b.u(0.16, 0.24)
    bowl = [(0.02, 0.0), (0.6 * reach, 0.03), (reach, 0.11), (reach, 0.125), (0.6 * reach, 0.045), (0.0, 0.02)]
    b.add("dish", lathe([(0, 0), *bowl], 24).at(y=0.66 * size + 0.06), rod((0, 0.5 * size, 0), (0, size, 0), 0.02),
          paint="light")  # fmt: skip
    b.add("aerial", rod((0, size, 0), (0, size + 0.3, 0), 0.012, count=6), ball(0.025, count=8).at(y=size + 0.3),
          rod((0, -0.5 * size, 0), (0, -1.1 * size, 0), 0.05, 0.1), paint="metal")  # fmt: skip


@category("tools", yaw=15, added=2)
def propeller(b: Builder) -> None:
    blades, long, wide, twist = b.pick(2, 3, 3, 4, 5), b.u(0.4, 0.5), b.u(0.16, 0.3), b.u(25, 45)
    one = leaf(long, wide, bend=0.0, thick=0.05, steps=9, tip=b.u(0.5, 0.75)).turn(x=twist)
    b.add("blades", one.around(blades, axis=2, start=90), paint=b.pick("metal", "wood", "plastic"))
    nose = b.u(0.1, 0.2)
    hub = lathe([(0, -0.1), (0.09, -0.1), (0.1, 0.0), (0.07, 0.6 * nose), (0, nose)], 24).turn(x=90)
    b.add("hub", hub, torus(0.1, 0.02).turn(x=90).at(z=-0.03), paint=b.pick("dark", "metal"))
    b.add("shaft", rod((0, 0, -0.05), (0, 0, -0.3), 0.04), paint="metal")
