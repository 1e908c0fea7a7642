"""Vessels turned on a wheel or lathe.

Each function fills the components of a Builder. Handles lie in the xy plane; lengths are about decimetres.
"""

from __future__ import annotations

import numpy as np

from t2s_offline.render.builtin.shapes.builder import Builder, category, spread
from t2s_offline.render.builtin.shapes.outline import smooth
from t2s_offline.render.builtin.shapes.parts import dome, handle, loop
from t2s_offline.render.builtin.shapes.primitives import ball, disc, lathe, torus, tube, vessel


@category("vessels", yaw=-20)
def mug(b: Builder) -> None:
    r, h = b.u(0.38, 0.5), b.u(0.75, 1.15)
    waist = b.u(0.82, 1.12)
    b.add(
        "body",
        vessel([(r * b.u(0.7, 1.0), 0), (r * waist, 0.2 * h), (r * waist, 0.6 * h), (r * b.u(0.95, 1.12), h)], 0.05),
        paint="ceramic",
    )
    grip = loop(0.95 * r, 0.2 * h, 0.82 * h, b.u(0.3, 0.42), b.u(0.05, 0.08), b.u(-0.05, 0.08))
    b.add("handle", grip, paint="ceramic")
    if b.chance(0.7):
        level = 0.86 * h
        b.add("drink", disc(r * 0.9, 0.02).at(y=level), paint=b.pick("wood", "light", "dark"))
    if b.chance(0.4):
        for y in spread(b.i(1, 3), 0.3 * h, 0.7 * h):
            b.add("bands", torus(r * waist * 1.0, 0.025, 28, 6).at(y=y), paint="ceramic")


@category("vessels", yaw=-12)
def teapot(b: Builder) -> None:
    r, h = b.u(0.5, 0.65), b.u(0.65, 0.95)
    belly, lip = b.u(0.3, 0.55), b.u(0.22, 0.34)
    body = smooth([(0.6 * r, 0), (0.92 * r, 0.5 * belly * h), (r, belly * h), (0.85 * r, 0.8 * h), (lip, h)], 12)
    b.add("body", lathe([(0, 0), *body, (0, h)], 28), paint=b.pick("ceramic", "metal"))
    knobr = b.u(0.06, 0.1)
    b.add(
        "lid",
        dome(lip * 1.08, b.u(0.1, 0.2)).at(y=h - 0.01),
        ball(knobr, knobr * b.u(0.8, 1.3)).at(y=h + 0.14 + knobr * 0.7),
        paint=b.pick("ceramic", "metal"),
    )
    out = b.u(0.45, 0.6)
    spout = smooth(
        [(-0.7 * r, 0.3 * h, 0), (-r - 0.3 * out, 0.38 * h, 0), (-r - 0.6 * out, 0.75 * h, 0), (-r - out, 1.02 * h, 0)],
        10,
    )
    b.add("spout", tube(spout, np.linspace(0.17, b.u(0.06, 0.085), 10), 12), paint="ceramic")
    if b.chance(0.75):
        b.add(
            "handle",
            loop(0.8 * r, 0.25 * h, 0.82 * h, b.u(0.4, 0.55), b.u(0.05, 0.07), 0.08),
            paint=b.pick("ceramic", "metal", "wood"),
        )
    else:
        top = h + b.u(0.5, 0.7)
        b.add(
            "handle",
            handle(
                [
                    (-0.7 * r, 0.8 * h, 0),
                    (-0.7 * r, top - 0.1, 0),
                    (0, top, 0),
                    (0.7 * r, top - 0.1, 0),
                    (0.7 * r, 0.8 * h, 0),
                ],
                0.05,
                18,
            ),
            paint=b.pick("wood", "metal"),
        )


@category("vessels")
def bottle(b: Builder) -> None:
    r, h, neck = b.u(0.16, 0.26), b.u(0.95, 1.15), b.u(0.055, 0.085)
    shoulder = b.u(0.5, 0.68) * h
    profile = [(0.94 * r, 0), (r, 0.03), (r, shoulder)]
    if b.chance(0.5):
        profile += [
            tuple(p)
            for p in smooth(
                [(r, shoulder), (0.85 * r, shoulder + 0.1), (neck, shoulder + b.u(0.16, 0.22)), (neck, h)], 9
            )[1:]
        ]
    else:
        profile += [
            tuple(p)
            for p in smooth([(r, shoulder), (0.7 * r, shoulder + 0.17), (1.1 * neck, h - 0.2), (neck, h)], 9)[1:]
        ]
    profile += [(1.25 * neck, h - 0.06), (1.25 * neck, h - 0.02), (neck, h)]
    b.add("glass", lathe([(0, 0), *profile, (0, h)], 28), paint=b.pick("leaf", "plastic", "light"))
    low, high = b.u(0.1, 0.2) * h, b.u(0.35, 0.48) * h
    b.add("label", lathe([(1.015 * r, low), (1.015 * r, high)], 28), paint="light")
    b.add(
        "cork",
        lathe([(0.85 * neck, h - 0.02), (0.95 * neck, h + 0.07), (0, h + 0.08)], 14)
        if b.chance(0.6)
        else disc(1.3 * neck, 0.09, 16, 0.01).at(y=h + 0.03),
        paint=b.pick("wood", "metal", "plastic"),
    )
    if b.chance(0.4):
        b.add("foil", lathe([(1.15 * neck, h - 0.22), (1.08 * neck, h - 0.05)], 16), paint="metal")


@category("vessels")
def vase(b: Builder) -> None:
    h, foot, belly, neck, lip = b.u(0.9, 1.2), b.u(0.15, 0.24), b.u(0.3, 0.45), b.u(0.1, 0.2), b.u(0.16, 0.3)
    at = b.u(0.3, 0.62)
    points = [(foot, 0), (0.9 * belly, 0.6 * at * h), (belly, at * h), (neck, b.u(0.76, 0.86) * h), (lip, h)]
    b.add("body", vessel(points, 0.03, 28, 13), paint=b.pick("ceramic", "metal", "plastic"))
    if b.chance(0.4):
        b.add(
            "bands", torus(belly * 1.0, 0.02, 32, 6).at(y=at * h), torus(foot, 0.03, 28, 6).at(y=0.02), paint="ceramic"
        )
    if b.chance(0.65):
        for k in range(b.i(3, 6)):
            out, top = b.u(0.05, 0.4), h + b.u(0.25, 0.55)
            angle = 2 * np.pi * k / 5 + b.u(0, 0.6)
            tip = (out * np.cos(angle), top, out * np.sin(angle))
            b.add("stems", handle([(0, 0.3 * h, 0), (0.2 * tip[0], h, 0.2 * tip[2]), tip], 0.012, 6), paint="leaf")
            b.add(
                "flowers",
                ball(0.09, 0.06, count=10).at(*tip),
                ball(0.05, 0.05, count=8).at(tip[0], tip[1] + 0.04, tip[2]),
                paint="plastic",
            )


@category("vessels")
def bowl(b: Builder) -> None:
    r, h, foot = b.u(0.55, 0.7), b.u(0.42, 0.62), b.u(0.2, 0.32)
    b.add(
        "body",
        vessel([(foot, 0.04), (0.8 * r, 0.3 * h), (r * 0.97, 0.75 * h), (r * b.u(0.98, 1.1), h)], 0.045, 32, 9),
        paint=b.pick("ceramic", "wood", "metal"),
    )
    b.add("foot", disc(foot * 1.05, 0.09, 24).at(y=0.03), paint="ceramic")
    style = b.i(0, 2)
    if style == 0:
        b.add("soup", disc(0.9 * r, 0.02, 28).at(y=0.72 * h), paint="food")
    elif style == 1:
        for k in range(b.i(4, 7)):
            angle, size = 2 * np.pi * k / 6, b.u(0.13, 0.19)
            ring = 0.0 if k == 6 else 0.42 * r
            b.add(
                "fruit",
                ball(size, count=12).at(ring * np.cos(angle), 0.75 * h + (0.12 if k == 6 else 0), ring * np.sin(angle)),
                paint="food",
            )
    if b.chance(0.35):
        b.add("rim", torus(r * 1.03, 0.025, 36, 6).at(y=h - 0.01), paint="ceramic")


@category("vessels")
def wine_glass(b: Builder) -> None:
    r, cup, stem = b.u(0.22, 0.36), b.u(0.38, 0.55), b.u(0.35, 0.5)
    tip = b.u(0.68, 1.02)
    b.add(
        "cup",
        vessel(
            [(0.03, stem), (0.75 * r, stem + 0.15 * cup), (r, stem + 0.45 * cup), (tip * r, stem + cup)], 0.018, 28, 10
        ),
        paint=b.pick("light", "ceramic", "plastic"),
    )
    b.add(
        "stem",
        lathe(
            [
                (r * 0.9, 0),
                (r * 0.9, 0.015),
                (0.1, 0.04),
                (0.03, 0.12),
                (b.u(0.025, 0.06), 0.5 * stem),
                (0.03, stem),
                (0.08, stem + 0.04),
            ],
            24,
        ),
        paint=b.pick("light", "metal"),
    )
    if b.chance(0.6):
        b.add(
            "wine",
            lathe(
                [(0, stem + 0.05), (0.7 * r, stem + 0.18 * cup), (0.93 * r, stem + 0.45 * cup), (0, stem + 0.45 * cup)],
                20,
            ),
            paint="food",
        )


@category("vessels", yaw=-12)
def pitcher(b: Builder) -> None:
    r, h = b.u(0.3, 0.38), b.u(0.95, 1.2)
    neck, lip = b.u(0.55, 0.75) * r, b.u(0.75, 0.95) * r
    body = vessel([(0.7 * r, 0), (r, 0.3 * h), (0.85 * r, 0.55 * h), (neck, 0.82 * h), (lip, h)], 0.03, 28, 11)
    pull, start = b.u(0.18, 0.28), 0.82 * h

    def spout(v: np.ndarray) -> np.ndarray:
        # the lip is drawn out to the left and a little up
        rise = np.clip((v[:, 1] - start) / (h - start), 0, 1) ** 1.5
        left = np.clip(-v[:, 0] / lip, 0, 1) ** 3
        return np.stack(
            [v[:, 0] - pull * rise * left, v[:, 1] + 0.25 * pull * rise * left, v[:, 2] * (1 - 0.45 * rise * left)], 1
        )

    b.add("body", body.warp(spout), paint=b.pick("ceramic", "metal", "plastic"))
    b.add(
        "handle",
        loop(0.8 * r, 0.25 * h, 0.93 * h, b.u(0.3, 0.42), b.u(0.035, 0.055), 0.06),
        paint=b.pick("ceramic", "metal"),
    )
    if b.chance(0.4):
        b.add("band", torus(0.97 * r, 0.02, 28, 6).at(y=0.32 * h), paint="ceramic")


@category("vessels")
def amphora(b: Builder) -> None:
    h, r, neck = b.u(1.1, 1.3), b.u(0.28, 0.38), b.u(0.08, 0.12)
    at = b.u(0.55, 0.66)
    b.add(
        "body",
        vessel(
            [(0.09, 0.02), (0.6 * r, 0.25 * h), (r, at * h), (neck, 0.8 * h), (neck, 0.93 * h), (1.6 * neck, h)],
            0.025,
            28,
            14,
        ),
        paint=b.pick("ceramic", "stone"),
    )
    b.add("foot", lathe([(0.14, 0), (0.14, 0.03), (0.06, 0.07), (0.09, 0.12)], 20), paint="ceramic")
    top = b.u(0.9, 1.0) * h
    grip = handle(
        [(neck, 0.92 * h, 0), (0.75 * r, top, 0), (1.0 * r, 0.85 * h, 0), (0.78 * r, (at + 0.06) * h, 0)],
        b.u(0.022, 0.034),
    )
    b.add("handles", grip.twin(), paint=b.pick("ceramic", "stone"))
    for y in spread(b.i(1, 3), (at - 0.12) * h, at * h):
        b.add("bands", torus(0.99 * r * (0.9 + 0.1 * (y / (at * h))), 0.014, 28, 6).at(y=y), paint="dark")
