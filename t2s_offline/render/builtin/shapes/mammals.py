"""Wild animals, blended from limbs and lumps.

Each function fills the components of a Builder. They face +x with their plane of symmetry at z = 0.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.blend import Blob
from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.parts import eyes, handle
from t2s_offline.render.builtin.shapes.primitives import ball, rod, tube
from t2s_offline.render.builtin.shapes.quadrupeds import ear, quadruped


@category("mammals", yaw=-32)
def elephant(b: Builder) -> None:
    leg, girth = b.u(0.32, 0.4), b.u(0.3, 0.36)
    blob = Blob(0.035)
    y = quadruped(b, blob, leg, girth, 0.27, 0.1, 0.06, 0.0)
    hx, hy = 0.68, y + b.u(0.12, 0.2)
    blob.ball((hx, hy, 0), (0.21, 0.23, 0.18)).bone((0.4, y + 0.05, 0), (hx, hy, 0), 0.22, 0.18)
    curl = b.u(-0.1, 0.5)
    trunk = smooth(
        [
            (hx + 0.14, hy - 0.05, 0),
            (hx + 0.3, hy - 0.28, 0),
            (hx + 0.33, hy - 0.55, 0),
            (hx + 0.42 + 0.3 * curl, hy - 0.72 + 0.8 * curl, 0),
        ],
        9,
    )
    blob.limb(trunk, np.linspace(0.12, 0.045, 9))
    blob.limb([(-0.58, y, 0), (-0.66, y - 0.3, 0)], [0.03, 0.02])
    b.add("body", blob.solid(44), paint=b.pick("stone", "fur", "skin"))
    big = b.u(0.22, 0.32)
    flap = ball(big, 1.25 * big, 0.03, 16).at(-0.7 * big, -0.2 * big).turn(y=b.u(30, 55))
    b.add("ears", flap.at(hx - 0.02, hy + 0.06, 0.17).twin(2), paint=b.pick("stone", "fur", "skin"))
    tusk = handle(
        [(hx + 0.17, hy - 0.16, 0.1), (hx + 0.3, hy - 0.32, 0.13), (hx + b.u(0.4, 0.52), hy - 0.28, 0.13)], 0.03
    )
    b.add("tusks", tusk.twin(2), paint="light")
    b.add("eyes", eyes(hx + 0.15, hy + 0.06, 0.13, 0.024), paint="dark")


@category("mammals", yaw=-28)
def giraffe(b: Builder) -> None:
    leg, neck = b.u(0.75, 0.9), b.u(0.95, 1.2)
    blob = Blob(0.028)
    y = quadruped(b, blob, leg, 0.2, 0.15, 0.05, 0.08)
    hx, hy = b.u(0.75, 0.9), y + neck
    blob.limb([(0.36, y + 0.08, 0), (0.52, y + 0.4 * neck, 0), (hx - 0.04, hy, 0)], [0.18, 0.1, 0.075])
    blob.bone((hx, hy, 0), (hx + 0.24, hy - 0.1, 0), 0.085, 0.055)
    blob.limb([(-0.56, y + 0.08, 0), (-0.66, y - 0.35, 0)], [0.025, 0.03])
    b.add("body", blob.solid(56), paint="fur")
    b.add(
        "horns",
        *(
            rod((hx - 0.02, hy + 0.05, 0.04), (hx - 0.05, hy + 0.2, 0.05), 0.018, count=8).twin(2),
            ball(0.03, count=8).at(hx - 0.05, hy + 0.2, 0.05).twin(2),
        ),
        paint="dark",
    )
    b.add("ears", ear(0.13, 0.03).turn(x=60).at(hx - 0.05, hy + 0.05, 0.06).twin(2), paint="fur")
    spots = []
    for _ in range(14):
        t = b.u(0, 1)
        if t < 0.5:
            spots.append(ball(0.075, 0.065, 0.02, 8).at(b.u(-0.42, 0.42), y + b.u(-0.1, 0.1), 0.145).twin(2))
        else:
            u = b.u(0.15, 0.85)
            spots.append(
                ball(0.045, 0.05, 0.02, 8)
                .at(0.36 + (hx - 0.4) * u, y + 0.1 + neck * u, 0.145 - 0.07 * min(1.0, 1.6 * u))
                .twin(2)
            )
    b.add("spots", *spots, paint=b.pick("fur", "wood"))
    b.add("eyes", eyes(hx + 0.05, hy + 0.02, 0.075, 0.02), paint="dark")


@category("mammals", yaw=-30)
def camel(b: Builder) -> None:
    leg, humps = b.u(0.55, 0.65), b.i(1, 2)
    blob = Blob(0.03)
    y = quadruped(b, blob, leg, 0.22, 0.17, 0.052, 0.08)
    for x in spread(humps, -0.26 if humps > 1 else 0.0, 0.2 if humps > 1 else 0.0):
        blob.ball((x, y + 0.24, 0), (0.13 if humps > 1 else 0.2, b.u(0.16, 0.24), 0.11))
    hx, hy = 0.88, y + b.u(0.36, 0.48)
    blob.limb(
        smooth([(0.42, y, 0), (0.66, y - 0.06, 0), (0.78, y + 0.12, 0), (hx - 0.04, hy, 0)], 7),
        np.linspace(0.15, 0.085, 7),
    )
    blob.bone((hx, hy, 0), (hx + 0.2, hy - 0.06, 0), 0.085, 0.07).limb(
        [(-0.58, y + 0.08, 0), (-0.66, y - 0.22, 0)], [0.025, 0.03]
    )
    b.add("body", blob.solid(48), paint="fur")
    b.add("ears", ear(0.09, 0.03).at(hx - 0.04, hy + 0.06, 0.05).twin(2), paint="fur")
    b.add("eyes", eyes(hx + 0.07, hy + 0.04, 0.07, 0.02), paint="dark")
    if b.chance(0.4):
        b.add("blanket", ball(0.2, 0.21, 0.2, 16).at(-0.02, y + 0.06), paint="fabric")


@category("mammals", yaw=-30)
def lion(b: Builder) -> None:
    leg, girth = b.u(0.32, 0.4), b.u(0.17, 0.2)
    blob = Blob(0.025)
    y = quadruped(b, blob, leg, girth, 0.16, 0.062, 0.08)
    hx, hy = 0.66, y + b.u(0.14, 0.24)
    blob.bone((0.42, y, 0), (hx, hy, 0), 0.14, 0.12).ball((hx, hy, 0), (0.15, 0.15, 0.14)).bone(
        (hx + 0.08, hy - 0.05, 0), (hx + 0.17, hy - 0.06, 0), 0.085, 0.075
    )
    tail = smooth([(-0.56, y + 0.06, 0), (-0.75, y - 0.12, 0), (-0.85, y - 0.1, 0), (-0.98, y + b.u(0.1, 0.3), 0)], 7)
    blob.limb(tail, np.full(7, 0.026))
    b.add("body", blob.solid(48), paint="fur")
    mane = Blob(0.03)
    n = b.i(8, 11)
    for a in np.linspace(0, 2 * np.pi, n, endpoint=False):
        mane.ball((hx - 0.08, hy - 0.02 + 0.17 * np.cos(a), 0.17 * np.sin(a)), (0.11, 0.095, 0.095))
    mane.ball((hx - 0.2, hy - 0.1, 0), (0.15, 0.22, 0.17))
    b.add("mane", mane.solid(20, 1000), ball(0.06, 0.06, 0.05, 10).at(*tail[-1]), paint=b.pick("fur", "wood"))
    b.add("ears", ball(0.02, 0.05, 0.05, 10).at(hx - 0.0, hy + 0.16, 0.11).twin(2), paint="fur")
    b.add(
        "face",
        eyes(hx + 0.13, hy + 0.05, 0.065, 0.02),
        ball(0.03, 0.022, 0.035, 8).at(hx + 0.24, hy - 0.03),
        paint="dark",
    )


@category("mammals", yaw=-30)
def deer(b: Builder) -> None:
    leg = b.u(0.55, 0.65)
    blob = Blob(0.024)
    y = quadruped(b, blob, leg, 0.17, 0.13, 0.04, 0.08)
    hx, hy = 0.66, y + b.u(0.42, 0.52)
    blob.limb([(0.4, y + 0.04, 0), (0.54, y + 0.25, 0), (hx - 0.02, hy, 0)], [0.13, 0.085, 0.075]).bone(
        (hx, hy, 0), (hx + 0.21, hy - 0.09, 0), 0.08, 0.045
    ).ball((-0.58, y + 0.1, 0), (0.06, 0.07, 0.05))
    b.add("body", blob.solid(46), paint="fur")
    span, up, tines = b.u(0.26, 0.38), b.u(0.38, 0.55), b.i(2, 4)
    beam = smooth([(hx - 0.02, hy + 0.06, 0.04), (hx - 0.14, hy + 0.45 * up, 0.8 * span), (hx + 0.0, hy + up, span)], 9)
    b.add("antlers", tube(beam, np.linspace(0.024, 0.012, 9), 8).twin(2), paint=b.pick("wood", "light"))
    for k in range(tines):
        base = beam[2 + 2 * k - (k > 2)]
        b.add("antlers", rod(base, base + np.array([0.1 + 0.02 * k, 0.17, -0.03]), 0.016, 0.005, 6).twin(2))
    b.add("ears", ear(0.14, 0.04).turn(x=65).at(hx - 0.03, hy + 0.04, 0.06).twin(2), paint="fur")
    b.add("face", eyes(hx + 0.06, hy + 0.02, 0.07, 0.02), ball(0.024, count=8).at(hx + 0.25, hy - 0.09), paint="dark")


@category("mammals", yaw=-25)
def hedgehog(b: Builder) -> None:
    blob = Blob(0.03).ball((0, 0.2, 0), (0.42, 0.22, 0.26)).bone((0.3, 0.17, 0), (b.u(0.5, 0.6), 0.13, 0), 0.14, 0.04)
    for x in (-0.2, 0.22):
        blob.bone((x, 0.12, 0.15), (x + 0.05, 0.03, 0.16), 0.05, 0.04, twin=True)
    b.add("body", blob.solid(30), paint=b.pick("fur", "skin"))
    spikes = []
    rows, long = b.i(6, 8), b.u(0.1, 0.16)
    for k, a in enumerate(np.radians(spread(rows, 12, 168))):
        for x in spread(9, -0.36, 0.22):
            x = x + (0.03 if k % 2 else -0.03)
            ring = np.sqrt(max(1 - (x / 0.44) ** 2, 0.05))
            foot = np.array([x, 0.2 + 0.21 * ring * np.sin(a), 0.25 * ring * np.cos(a)])
            out = np.array([-0.5 + x, np.sin(a), np.cos(a)])
            spikes.append(rod(foot, foot + out / np.linalg.norm(out) * long, 0.026, 0.002, 5))
    b.add("spikes", *spikes, paint=b.pick("dark", "wood", "fur"))
    b.add("face", eyes(0.42, 0.22, 0.08, 0.02), ball(0.03, count=8).at(0.6, 0.13), paint="dark")
    b.add("ears", ball(0.02, 0.045, 0.04, 8).at(0.33, 0.3, 0.11).twin(2), paint="fur")
